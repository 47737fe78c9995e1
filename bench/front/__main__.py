"""The HTTP server measured: a list against the same call in Python, readers, open conversations.

    python bench/front                        latency, conversations, readers, on a demo community
    python bench/front --products 10000       latency of lists at that size
    python bench/front --seconds 300          readers for five minutes, beside a training

Works in a temporary home, or in `--home`, which must hold the demo (`kinfolio demo`) or, with
--products, is filled. Prints one line a figure.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from front.conversations import measure_conversations
from front.latency import measure_latency
from front.process import ServerProcess, kinfolio
from front.readers import measure_readers
from measure import report

from kinfolio.cypher.server.server import Server


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--home", type=Path)
    parser.add_argument("--products", type=int, default=0, help="0: the demo community")
    parser.add_argument("--seconds", type=int, default=60, help="of the readers")
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--chats", type=int, default=30)
    parser.add_argument("--only", choices=["latency", "conversations", "readers"])
    chosen = parser.parse_args()
    home = chosen.home or Path(tempfile.mkdtemp(prefix="kinfolio-front-"))
    os.environ["KINFOLIO_HOME"] = str(home)
    os.environ.pop("NEO4J_URI", None)
    connection = Server(home).start(report)
    if chosen.products:
        from front.data import fill

        fill(connection, chosen.products)
    elif not (home / "demo" / "run" / "run.json").exists():
        kinfolio("demo")
    with ServerProcess() as server:
        if chosen.only in (None, "latency"):
            measure_latency(server, connection)
        if chosen.products:
            return
        if chosen.only in (None, "conversations"):
            measure_conversations(server, chosen.chats)
        if chosen.only in (None, "readers"):
            measure_readers(server, chosen.readers, chosen.seconds, home / "demo" / "run")


if __name__ == "__main__":
    main()
