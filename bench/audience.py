"""The audience of a product at one size: first and later calls, compared with brute force.

    python bench/audience.py --users 70000 --products 10000 --holdings 1000000 --ties 200000

Works in a home of its own (`--home`), whose graph is deleted; `--steps ask` uses the graph again.
Vectors and links are those of `serving.py`; holdings and ties are random, some products have more
holders. All users are as they were exported, but for `--changed` users, who got a holding later.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from measure import percentile
from numpy.typing import NDArray
from serving import STATEMENTS, make_embeddings

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.cypher.server.server import Server
from kinfolio.gnn.fingerprints import product_hashes, user_hashes
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.audience.audience import audience
from kinfolio.gnn.serving.recommend import score_of
from kinfolio.gnn.serving.verdicts import read_verdicts
from kinfolio.llm_explain.evidence.reasons import explained_audience
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.records import Connection

EDGES = {
    "holdings": "UNWIND $rows AS row MATCH (u:User {gid: row[0]}), (p:Product {gid: row[1]}) "
    "CREATE (u)-[:HOLDS {rating: 4.0, at: 1700000000000, split: 'train'}]->(p)",
    "ties": "UNWIND $rows AS row MATCH (u:User {gid: row[0]}), (v:User {gid: row[1]}) "
    "CREATE (u)-[:TIED_TO {kind: 'follows'}]->(v)",
}
CHANGE = (
    "UNWIND range(0, $changed - 1) AS i MATCH (u:User {gid: i}), (p:Product {gid: i % 997}) "
    "MERGE (u)-[:HOLDS]->(p)"
)


def make_edges(options: argparse.Namespace) -> dict[str, NDArray[np.int64]]:
    """Return distinct random holdings and ties: shape (2, number) each."""
    rng = np.random.default_rng(1)
    weights = 1 / np.arange(1, options.products + 1) ** 0.7
    held = rng.permutation(options.products)[
        rng.choice(options.products, options.holdings, p=weights / weights.sum())
    ]
    holdings = np.stack([rng.integers(0, options.users, options.holdings), held])
    ties = rng.integers(0, options.users, (2, options.ties))
    ties = np.sort(ties[:, ties[0] != ties[1]], axis=0)
    return {"holdings": np.unique(holdings, axis=1), "ties": np.unique(ties, axis=1)}


def write(connection: Connection, options: argparse.Namespace) -> None:
    """Fill the graph, write the vectors back, change some users."""
    edges = make_edges(options)
    counted = np.zeros(options.users, np.int64)
    source, target = edges["holdings"]
    np.add.at(counted, source, product_hashes(target))
    for one, other in (edges["ties"], edges["ties"][::-1]):
        np.add.at(counted, one, user_hashes(other))
    embeddings = make_embeddings(options.users, options.products, options.width, options.links)
    with open_driver(connection) as driver, driver.session() as session:
        for statement in STATEMENTS:
            session.run(statement, users=options.users, products=options.products).consume()
        with Graph(connection) as graph:
            create_schema(graph)
        for kind, pairs in edges.items():
            for first in range(0, pairs.shape[1], 50_000):
                rows = pairs[:, first : first + 50_000].T.tolist()
                session.run(EDGES[kind], rows=rows).consume()
        with Graph(connection) as graph:
            write_back(graph, replace(embeddings, user_fingerprints=counted), check_sums=False)
        session.run(CHANGE, changed=options.changed).consume()


def ask(connection: Connection, options: argparse.Namespace) -> None:
    """Measure audiences of random products, with and without reasons."""
    rng = np.random.default_rng(2)
    products = [f"p{one}" for one in rng.integers(0, options.products, options.rounds)]
    display = load_clauses("en")
    with Graph(connection) as graph:
        for name in ("first call", "first call after a write"):
            started = time.perf_counter()
            audience(graph, products[0])
            print(f"{name}: {time.perf_counter() - started:.2f} s", flush=True)
            with open_driver(connection) as driver, driver.session() as session:
                session.run("CREATE (n:Unrelated) DELETE n").consume()
        audience(graph, products[0])
        for name in ("without reasons", "with reasons"):
            seconds = []
            for product in products:
                started = time.perf_counter()
                if name == "with reasons":
                    explained_audience(graph, product, display=display)
                else:
                    audience(graph, product)
                seconds.append(time.perf_counter() - started)
            print(
                f"100 of {options.users:,} users {name}: p50 {percentile(seconds, 50)}, "
                f"p95 {percentile(seconds, 95)} ms; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
        compare(graph, products[0], options)


def compare(graph: Graph, product: str, options: argparse.Namespace) -> None:
    """Compare the list with brute force over random users: score and verdicts of each."""
    listed = {one.user: one.score for one in audience(graph, product).users}
    last = min(listed.values())
    rng = np.random.default_rng(3)
    some = {f"u{one}" for one in rng.choice(options.users, options.compared, replace=False)}
    wrong, allowed = [], 0
    for user in sorted(some | listed.keys()):
        score = score_of(graph, user, product)
        is_allowed = all(one.passed for one in read_verdicts(graph, user, product))
        allowed += is_allowed
        belongs = is_allowed and score is not None and score > last + 1e-9
        if user in listed:
            is_right = is_allowed and score is not None and abs(score - listed[user]) < 1e-9
        else:
            is_right = not belongs
        if not is_right:
            wrong.append(user)
    print(f"brute force over {len(some | listed.keys()):,} users, {allowed:,} allowed: {wrong=}")


def main() -> None:
    """Measure one size and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, default=Path("bench-home"))
    for name, default in {
        "users": 70_000,
        "products": 10_000,
        "holdings": 1_000_000,
        "ties": 200_000,
        "width": 128,
        "links": 20,
        "changed": 700,
        "rounds": 40,
        "compared": 2_000,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--steps", default="write,ask")
    options = parser.parse_args()
    connection = Server(options.home.absolute()).start(print)
    if "write" in options.steps:
        write(connection, options)
    ask(connection, options)


if __name__ == "__main__":
    main()
