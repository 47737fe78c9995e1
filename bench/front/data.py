"""A graph of one size with a version, as `bench/serving.py` makes it."""

from __future__ import annotations

from measure import report
from serving import make_embeddings, make_graph

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.records import Connection

USERS = 2_000
WIDTH = 64


def fill(connection: Connection, products: int) -> None:
    """Replace what the graph of a home for measurements holds."""
    embeddings = make_embeddings(USERS, products, WIDTH)
    make_graph(connection, embeddings)
    with Graph(connection) as graph:
        stored = write_back(graph, embeddings, check_sums=False)
    report(f"{stored.users:,} users and {stored.products:,} products, version {stored.version}")
