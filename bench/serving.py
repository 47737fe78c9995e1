"""Write-back and serving at one size, compared with common alternatives.

    python bench/serving.py --users 2000 --products 10000 --width 64

Works in a home of its own (`--home`), whose graph is deleted. Vectors are noisy clusters; 200 users
hold 50 of their best 500 products; 1 % of the products suit risk tolerance 1, 1 % are sold in one
country, all suit the other users.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import percentile, timed
from numpy.typing import NDArray

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.cypher.server.server import Server
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving import search
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.recommend_all import recommend_all
from kinfolio.records import Connection

ROW_BY_ROW = 1_000
HOLDERS = 200
STATEMENTS = (
    "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS",
    "UNWIND range(0, $users - 1) AS i CALL (i) { CREATE (:User {id: 'u' + i, gid: i, "
    "risk_tolerance: CASE i % 5 WHEN 0 THEN 1 ELSE 5 END, "
    "country: CASE i % 5 WHEN 1 THEN 'XX' ELSE 'FR' END}) } IN TRANSACTIONS OF 20000 ROWS",
    "UNWIND range(0, $products - 1) AS i CALL (i) { CREATE (:Product {id: 'p' + i, gid: i, "
    "name: 'Product ' + i, risk: CASE i % 100 WHEN 7 THEN 1 ELSE 2 + i % 4 END, "
    "countries: CASE i % 100 WHEN 3 THEN ['FR', 'XX'] ELSE ['FR'] END, open: true}) } "
    "IN TRANSACTIONS OF 20000 ROWS",
)
GROUPS = {"all pass": (2, 3, 4), "1 % pass, by risk": (0,), "1 % pass, by country": (1,)}
"""Kind of user to remainders of the user's number divided by five."""


def make_graph(connection: Connection, embeddings: Embeddings) -> None:
    """Fill an empty graph with users, products and holdings near the users' vectors."""
    rng = np.random.default_rng(0)
    users, products = len(embeddings.user_ids), len(embeddings.product_ids)
    scores = embeddings.user_vectors[:HOLDERS] @ embeddings.product_vectors.T
    near = np.argpartition(-scores, min(500, products - 1), axis=1)[:, :500]
    with open_driver(connection) as driver, driver.session() as session:
        for statement in STATEMENTS:
            session.run(statement, users=users, products=products).consume()
        with Graph(connection) as graph:
            create_schema(graph)
        session.run(
            "UNWIND $rows AS row MATCH (u:User {gid: row[0]}), (p:Product {gid: row[1]}) "
            "CREATE (u)-[:HOLDS]->(p)",
            rows=[
                [user, int(product)]
                for user in range(HOLDERS)
                for product in rng.choice(near[user], 50, replace=False)
            ],
        ).consume()


def make_links(
    of_product: NDArray[np.int64], links: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the link arrays of embeddings, from each product to others of its cluster."""
    members = [np.flatnonzero(of_product == cluster) for cluster in range(300)]
    targets = [
        rng.choice(members[cluster], min(links, len(members[cluster])), replace=False)
        for cluster in of_product
    ]
    return {
        "link_offsets": np.concatenate([[0], np.cumsum([len(some) for some in targets])]),
        "link_products": np.concatenate(targets).astype(np.int32),
        "link_weights": rng.exponential(0.3, sum(map(len, targets))).astype(np.float32),
    }


def make_embeddings(
    users: int, products: int, width: int, links: int = 0, seed: int = 0
) -> Embeddings:
    """Return noisy clustered vectors with links from each product."""
    rng = np.random.default_rng(seed)
    dim = width // 2
    centres = rng.normal(size=(300, width))
    of_product = np.minimum((rng.pareto(1.0, products) * 20).astype(int), 299)
    of_user = rng.integers(0, 300, (users, 2))

    def unit(vectors: Any) -> Any:
        blocks = vectors.reshape(len(vectors), 2, dim)
        blocks /= np.linalg.norm(blocks, axis=2, keepdims=True)
        return blocks.reshape(len(vectors), -1).astype(np.float32)

    product_vectors = unit(centres[of_product] + rng.normal(size=(products, width)))
    user_vectors = unit(centres[of_user].sum(axis=1) + rng.normal(size=(users, width)))
    bias = 0.3 * np.log1p(rng.zipf(1.4, products).clip(max=50_000))
    return Embeddings(
        heads=2,
        dim=dim,
        user_gids=np.arange(users),
        product_gids=np.arange(products),
        user_ids=tuple(f"u{i}" for i in range(users)),
        product_ids=tuple(f"p{i}" for i in range(products)),
        # Fingerprints of no neighbours: users with holdings are folded in, as after a purchase.
        user_fingerprints=np.zeros(users, np.int64),
        user_vectors=user_vectors,
        product_vectors=(product_vectors / 0.15).astype(np.float32),
        bias=(bias - bias.mean()).astype(np.float32),
        global_user=np.zeros(width, np.float32),
        tie_weight=0.3,
        user_own=np.zeros((users, width), np.float32),
        user_messages=user_vectors * np.float32(0.1),
        product_messages=product_vectors * np.float32(0.1),
        **make_links(of_product, links, rng),
        model="random",
        metrics="{}",
        snapshot="random",
    )


def bench_write_back(graph: Graph, embeddings: Embeddings, times: int) -> None:
    """Measure write-backs, and one statement per row."""
    size = len(embeddings.user_ids) + len(embeddings.product_ids)
    for _ in range(times):
        stored = write_back(graph, embeddings, check_sums=False)
        width = embeddings.heads * embeddings.dim
        print(
            f"write_back  {size:,} nodes of {width}: {stored.seconds:.1f} s, "
            f"{size / stored.seconds:,.0f} nodes/s; recall@10 of the index "
            f"{stored.index_recall_at_10}; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    with open_driver(graph.connection) as driver, driver.session() as session:
        started = time.perf_counter()
        for row in range(min(ROW_BY_ROW, len(embeddings.user_ids))):
            session.run(
                "MATCH (u:User {id: $id}) SET u.usual_embedding = $vector, u.usual = $message",
                id=embeddings.user_ids[row],
                vector=embeddings.user_vectors[row].tolist(),
                message=embeddings.user_messages[row].tolist(),
            ).consume()
        usual = (row + 1) / (time.perf_counter() - started)
        session.run("MATCH (u:User) REMOVE u.usual_embedding, u.usual").consume()
    print(f"  one session.run per row: {usual:,.0f} nodes/s; {size / stored.seconds / usual:.1f} x")


def bench_recommend(graph: Graph, rounds: int) -> None:
    """Measure lists of users with 50 holdings, the exact search, and `queryNodes` with k."""
    for group, rests in GROUPS.items():
        users = [f"u{i}" for i in range(HOLDERS) if i % 5 in rests][:60]
        threshold = search.EXACT_BELOW
        seconds, lists = timed(users, lambda user: recommend(graph, user, 10), rounds)
        search.EXACT_BELOW = 10**9
        exact, right = timed(users, lambda user: recommend(graph, user, 10), 1)
        search.EXACT_BELOW = threshold
        recall = np.mean(
            [
                len(_ids(listed) & _ids(truth)) / max(1, len(truth.products))
                for listed, truth in zip(lists, right, strict=True)
            ]
        )
        print(
            f"recommend   {group}: p50 {percentile(seconds, 50)}, "
            f"p95 {percentile(seconds, 95)} ms, recall@10 {recall:.4f} by {lists[0].search}; "
            f"exact p50 {percentile(exact, 50)} ms; "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        usual, found = _query_nodes(graph, users, rounds)
        short = np.mean(
            [
                len(_ids(truth) & one) / max(1, len(truth.products))
                for truth, one in zip(right, found, strict=True)
            ]
        )
        print(
            f"  queryNodes with k, rules after it: p50 {percentile(usual, 50)} ms, "
            f"{short:.2f} of the list"
        )


def _query_nodes(
    graph: Graph, users: Sequence[str], rounds: int
) -> tuple[list[float], list[set[str]]]:
    with open_driver(graph.connection) as driver, driver.session() as session:
        statement = (
            "MATCH (v:EmbeddingVersion {state: 'active'}), (u:User {id: $user}) "
            "CALL db.index.vector.queryNodes(v.index, 10, u[v.property]) YIELD node AS p "
            "WHERE NOT EXISTS { (u)-[:HOLDS|DISMISSED]->(p) } AND coalesce(p.open, true) "
            "AND p.risk <= u.risk_tolerance AND u.country IN p.countries RETURN p.id AS id"
        )
        return timed(users, lambda user: set(session.run(statement, user=user).value()), rounds)


def bench_all(graph: Graph, file: Path, users: int) -> None:
    """Measure the lists of all users, and one query per user."""
    started = time.perf_counter()
    count = recommend_all(graph, file, 10)
    seconds = time.perf_counter() - started
    some = [f"u{i}" for i in range(0, users, max(1, users // 100))]
    one, _ = timed(some, lambda user: recommend(graph, user, 10), 1)
    print(
        f"all lists   {count:,} users: {seconds:.1f} s, {count / seconds:,.0f} users/s, "
        f"{np.mean(one) * count / seconds:.1f} x one query per user; load {os.getloadavg()[0]:.1f}"
    )


def _ids(found: Any) -> set[str]:
    return {line.product for line in found.products}


def main() -> None:
    """Measure one size and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, default=Path("bench-home"))
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--links", type=int, default=0, help="links from each product")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--writes", type=int, default=2)
    parser.add_argument("--steps", default="write,recommend,all")
    options = parser.parse_args()
    steps = options.steps.split(",")
    connection = Server(options.home.absolute()).start(print)
    embeddings = make_embeddings(options.users, options.products, options.width, options.links)
    if "write" in steps:
        make_graph(connection, embeddings)
    with Graph(connection) as graph:
        if "write" in steps:
            bench_write_back(graph, embeddings, options.writes)
        if "recommend" in steps:
            bench_recommend(graph, options.rounds)
        if "all" in steps:
            bench_all(graph, options.home / "lists.tsv", options.users)


if __name__ == "__main__":
    main()
