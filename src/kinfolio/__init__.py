"""Recommendations that live in a Neo4j graph, with reasons the graph can prove."""

import os as _os

# Has to be set before torch is loaded. Threads that wait by spinning take the core from the one
# they wait for when another program is at work: a training took five times as long.
_os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
