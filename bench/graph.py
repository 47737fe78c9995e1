"""The graph at full size: load, export, write-back and serving, compared with alternatives.

    python bench/graph.py --holdings 1000000 --users 70000 --products 30000

Generates a community and works in a home of its own (`--work`, an empty folder) with its own
server. Every kinfolio step is a command in its own process. Load, bulk load and `recommend --all`
are timed from outside, including a start of about a second; export and write-back report their own
seconds. Memory is the peak of the process. The alternatives run on the same data in the same call:
one statement per row with the driver, one record per edge into a DataFrame, `queryNodes` with k,
one query per user.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from graph_data import Size, damage, make_folder, store_embeddings
from measure import Bench, Row, measured, percentile, print_rows, report, row_wise_export, timed

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server.server import Server
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot

ROW_BY_ROW = 3_000
"""Rows that the alternative writes one by one."""
CHANGED = 0.01
QUERIES = 200


def bench_load(bench: Bench) -> None:
    """Measure load, and one statement per row."""
    bench.connection()
    answer, seconds, memory = bench.kinfolio("load", str(bench.folder))
    size = answer["interactions"]
    with open_driver(bench.connection()) as driver, driver.session() as session:
        pairs = session.run(
            "MATCH (u:User)-[:HOLDS]->(p:Product) RETURN u.id AS user, p.id AS product LIMIT $rows",
            rows=ROW_BY_ROW,
        ).data()
        started = time.monotonic()
        for pair in pairs:
            session.run(
                "MATCH (u:User {id: $user}) MATCH (p:Product {id: $product}) "
                "MERGE (u)-[:HOLDS]->(p)",
                pair,
            ).consume()
        usual = len(pairs) / (time.monotonic() - started)
    bench.add(
        Row(
            "load",
            size,
            "holdings",
            seconds,
            memory,
            "one statement per row",
            size / seconds / usual,
        )
    )


def bench_export(bench: Bench) -> None:
    """Measure a full export, and one record per edge."""
    bench.kinfolio("export", "--run", str(bench.run.folder))  # warm-up
    answer, whole, memory = bench.kinfolio("export", "--run", str(bench.run.folder))
    seconds = answer["seconds"]
    size = answer["interactions"]
    _, usual, usual_memory = measured(
        [sys.executable, __file__, "--row-wise", str(bench.work)], dict(os.environ)
    )
    bench.add(
        Row(
            *("export", size, "holdings", seconds, memory, "one record per edge", usual / seconds),
            note=f"the whole command: {whole:.1f} s; "
            f"one record per edge: {usual:.1f} s, {usual_memory:,.0f} MB",
        )
    )


def bench_since(bench: Bench) -> None:
    """Measure an export after 1 % of the users changed, and a full one; both must be equal."""
    changed = bench.work / "changed"
    number = max(1, int(bench.holdings * CHANGED))
    snapshot = read_snapshot(bench.run.snapshot)
    # Few users change much, as in a day's trade.
    users = np.unique(snapshot.holdings.source)
    some = np.random.default_rng(1).permutation(users)[: max(1, int(len(users) * CHANGED))]
    rows = np.flatnonzero(np.isin(snapshot.holdings.source, some))[:number]
    changed.mkdir(exist_ok=True)
    with (changed / "interactions.csv").open("w") as file:
        file.write("user,product,rating\n")
        for row in rows:
            user = snapshot.user_ids[snapshot.holdings.source[row]]
            product = snapshot.product_ids[snapshot.holdings.target[row]]
            file.write(f"{user},{product},1.5\n")
    bench.kinfolio("load", str(changed))
    full = bench.work / "full"
    full_seconds = bench.kinfolio("export", "--run", str(full))[0]["seconds"]
    answer, whole, memory = bench.kinfolio("export", "--run", str(bench.run.folder), "--since")
    seconds = answer["seconds"]
    is_equal = answer["hash"] == read_snapshot(Run(full).snapshot).hash
    note = f"{'equal' if is_equal else 'NOT EQUAL'}; the whole command: {whole:.1f} s"
    bench.add(
        Row(
            *("export --since", len(rows), "changed holdings", seconds, memory),
            *("a full export", full_seconds / seconds),
            note=note,
        )
    )


def bench_write_back(bench: Bench) -> None:
    """Measure write-back with messages, index and checks, and one statement per row."""
    embeddings = store_embeddings(bench.run, bench.width)
    answer, _, memory = bench.kinfolio("writeback", "--run", str(bench.run.folder))
    size = answer["users"] + answer["products"]
    seconds = answer["seconds"]
    with open_driver(bench.connection()) as driver, driver.session() as session:
        number = min(ROW_BY_ROW, len(embeddings.user_ids)) // 3
        started = time.monotonic()
        for row in range(number):
            session.run(
                "MATCH (u:User {id: $id}) "
                "SET u.bench_embedding = $vector, u.bench_message = $message",
                id=embeddings.user_ids[row],
                vector=embeddings.user_vectors[row].tolist(),
                message=embeddings.user_messages[row].tolist(),
            ).consume()
        usual = number / (time.monotonic() - started)
        session.run(
            "MATCH (u:User) WHERE u.bench_embedding IS NOT NULL "
            "REMOVE u.bench_embedding, u.bench_message"
        ).consume()
    bench.add(
        Row(
            *(f"writeback ({bench.width} wide)", size, "nodes", seconds, memory),
            *("one statement per row", size / seconds / usual),
            note=f"recall@10 of the index {answer['index_recall@10']}",
        )
    )


def bench_recommend(bench: Bench) -> None:
    """Measure lists on an open connection, and `queryNodes` with k and a filter."""
    with Graph(bench.connection()) as graph, open_driver(bench.connection()) as driver:
        session = driver.session()
        users = session.run(
            "MATCH (u:User) WHERE 40 <= COUNT { (u)-[:HOLDS]->() } <= 60 "
            "RETURN u.id AS id LIMIT $n",
            n=QUERIES,
        ).value()
        users = users or session.run("MATCH (u:User) RETURN u.id LIMIT $n", n=QUERIES).value()
        slot = session.run(
            "MATCH (v:EmbeddingVersion {state: 'active'}) RETURN v.slot AS slot"
        ).single(strict=True)["slot"]
        seconds, lists = timed(users, lambda user: recommend(graph, user, 10).products)
        usual, others = timed(
            users,
            lambda user: session.run(
                "MATCH (u:User {id: $user}) "
                f"CALL db.index.vector.queryNodes('product_embedding_{slot}', 10, "
                f"u.embedding_{slot}) YIELD node AS p "
                "WHERE NOT EXISTS { (u)-[:HOLDS|DISMISSED]->(p) } RETURN p.id AS product",
                user=user,
            ).value(),
        )
        session.close()
    short = statistics.mean(
        len({line.product for line in one} & set(other)) / max(len(one), 1)
        for one, other in zip(lists, others, strict=True)
    )
    bench.add(
        Row(
            *(f"recommend ({bench.products:,} products)", len(users), "lists", sum(seconds)),
            *(None, "queryNodes with k", sum(usual) / sum(seconds)),
            note=f"p50 {percentile(seconds, 50)} ms, p95 {percentile(seconds, 95)} ms; "
            f"queryNodes with k finds {short:.2f} of the list",
        )
    )


def bench_all(bench: Bench) -> None:
    """Measure the lists of all users, and one query per user."""
    out = bench.work / "lists.tsv"
    answer, seconds, memory = bench.kinfolio("recommend", "--all", "--out", str(out))
    with Graph(bench.connection()) as graph:
        snapshot = read_snapshot(bench.run.snapshot)
        some = [str(user) for user in snapshot.user_ids[:: max(1, snapshot.num_users // QUERIES)]]
        one, _ = timed(some, lambda user: recommend(graph, user, 10))
    size = answer["users"]
    usual = statistics.mean(one) * size
    bench.add(
        Row(
            *(f"recommend --all ({bench.products:,} products)", size, "users", seconds, memory),
            *("one query per user", usual / seconds),
        )
    )


def bench_bulk(bench: Bench) -> None:
    """Measure the offline importer on an empty server, and load of the same files."""
    ordinary = next((row for row in bench.rows if row.step == "load"), None)
    _, seconds, memory = bench.kinfolio("load", str(bench.folder), "--bulk", home="bulk-home")
    bulk, _, _ = bench.kinfolio("db", "hash", home="bulk-home")
    note = ""
    if ordinary is not None:
        bench.kinfolio("load", str(bench.folder))
        same = bench.kinfolio("db", "hash")[0]["hash"] == bulk["hash"]
        note = "equal" if same else "NOT EQUAL to the ordinary load"
    bench.add(
        Row(
            *("load --bulk", bench.holdings, "holdings", seconds, memory),
            *("load", ordinary.seconds / seconds if ordinary else None),
            note=note,
        )
    )
    bench.server("bulk-home").stop()


def bench_damaged(bench: Bench) -> None:
    """Measure load with 1 % damaged lines, and without damage, twice by turns."""
    folder = bench.work / "damaged"
    shutil.copytree(bench.folder, folder, dirs_exist_ok=True)
    lines = damage(folder)
    bench.connection("damaged-home")
    seconds: dict[Path, list[float]] = {bench.folder: [], folder: []}
    for path in (bench.folder, folder, bench.folder, folder):
        with open_driver(bench.connection("damaged-home")) as driver, driver.session() as session:
            session.run(
                "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"
            ).consume()
        answer, took, memory = bench.kinfolio("load", str(path), home="damaged-home")
        seconds[path].append(took)
    good, bad = min(seconds[bench.folder]), min(seconds[folder])
    size = answer["interactions"]
    bench.add(
        Row(
            *("load, damaged", size, "holdings", bad, memory, "load of good files", good / bad),
            note=f"{lines:,} lines damaged, {len(answer['rejected']):,} rows reported",
        )
    )
    bench.server("damaged-home").stop()


STEPS = {
    "load": bench_load,
    "export": bench_export,
    "since": bench_since,
    "writeback": bench_write_back,
    "recommend": bench_recommend,
    "all": bench_all,
    "bulk": bench_bulk,
    "damaged": bench_damaged,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--holdings", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=70_000)
    parser.add_argument("--products", type=int, default=30_000)
    parser.add_argument("--width", type=int, default=64, help="numbers in a vector")
    parser.add_argument("--work", type=Path, help="an empty folder to work in")
    parser.add_argument("--steps", default=",".join(STEPS), help="some of: " + ", ".join(STEPS))
    parser.add_argument("--row-wise", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.row_wise:
        row_wise_export(Server(chosen.row_wise / "home").start(report))
        return
    steps = chosen.steps.split(",")
    if unknown := set(steps) - STEPS.keys():
        parser.error(f"no step {sorted(unknown)[0]}; there are {', '.join(STEPS)}")
    work = chosen.work or Path(tempfile.mkdtemp(prefix="kinfolio-bench-"))
    bench = Bench(work, chosen.holdings, chosen.users, chosen.products, chosen.width)
    try:
        if not bench.folder.is_dir():
            make_folder(bench.folder, Size(chosen.users, chosen.products, chosen.holdings))
        for step, measure in STEPS.items():
            if step in steps:
                measure(bench)
    finally:
        bench.server().stop()
        if chosen.work is None:
            shutil.rmtree(work, ignore_errors=True)
    print_rows(bench.rows)


if __name__ == "__main__":
    main()
