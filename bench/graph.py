"""The graph at full size: load, export, publication and serving beside the usual way.

    python bench/graph.py --holdings 1000000 --users 70000 --products 30000

Makes files of a made-up community, and works in a home of its own (`--work`, an empty folder),
with a server of its own, so nothing of yours is touched. Every kinfolio step is a command in a
process of its own. Load, bulk load and `recommend --all` are timed from outside, with a start-up
of about a second; of export and write-back it is the seconds that the command itself tells.
Memory is the peak of the process. Beside them run, in the same call and on the same data, the
usual ways: a statement a row with the driver, a record an edge into a DataFrame, `queryNodes` for
k, one query a user.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from graph_data import damage, make_folder

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server.server import Server
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.fingerprints import fingerprints
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.training.embeddings import save_embeddings
from kinfolio.records import Connection
from kinfolio.run import Run, write_json
from kinfolio.snapshot import read_snapshot

STEPS = ("load", "export", "since", "writeback", "recommend", "all", "bulk", "damaged")
ROWS_OF_THE_USUAL_WAY = 3_000
"""Rows written one by one; more would only take longer."""
CHANGED = 0.01
QUERIES = 200
TAU = 0.15
_LOOK_SECONDS = 0.02


@dataclass
class Row:
    """One line of the table."""

    step: str
    size: int
    unit: str
    seconds: float
    memory_mb: float | None = None
    beside: str = ""
    """What it stands beside."""
    ratio: float | None = None
    note: str = ""

    @property
    def rate(self) -> float:
        """Units a second."""
        return self.size / self.seconds


@dataclass
class Bench:
    """One home, one folder of files, one run folder."""

    work: Path
    holdings: int
    users: int
    products: int
    width: int
    rows: list[Row] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.work / "files"

    @property
    def run(self) -> Run:
        return Run(self.work / "run")

    def server(self, name: str = "home") -> Server:
        return Server(self.work / name)

    def connection(self, name: str = "home") -> Connection:
        return self.server(name).start(_tell)

    def kinfolio(self, *words: str, home: str = "home") -> tuple[dict[str, Any], float, float]:
        """What a command answers with --json, its seconds, and its peak memory in MB."""
        env = {**os.environ, "KINFOLIO_HOME": str(self.work / home)}
        env.pop("NEO4J_URI", None)
        return _measured([sys.executable, "-m", "kinfolio.cli", *words, "--json"], env)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        _tell(
            f"{row.step}: {row.size:,} {row.unit} in {row.seconds:.2f} s, {row.rate:,.0f}/s"
            + (f", {row.ratio:.1f} x {row.beside}" if row.ratio else "")
            + (f"; {row.note}" if row.note else "")
        )


def _measured(words: Sequence[str], env: dict[str, str]) -> tuple[dict[str, Any], float, float]:
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        child = subprocess.Popen(words, env=env, stdout=out, stderr=subprocess.DEVNULL)
        peak = 0.0
        # Not `ru_maxrss`: it counts this process too, whose memory a child has until it is itself.
        while child.poll() is None:
            peak = max(peak, _high_water_mb(child.pid))
            time.sleep(_LOOK_SECONDS)
        seconds = time.monotonic() - started
        out.seek(0)
        text = out.read().decode()
    if child.returncode:
        raise SystemExit(f"{' '.join(words[2:])} failed: type it with KINFOLIO_HOME set to see why")
    return json.loads(text or "{}"), seconds, peak


def _high_water_mb(pid: int) -> float:
    """The most memory a process had so far, as Linux keeps it; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def bench_load(bench: Bench) -> None:
    """The ordinary load, beside one statement a row."""
    bench.connection()
    answer, seconds, memory = bench.kinfolio("load", str(bench.folder))
    size = answer["interactions"]
    with open_driver(bench.connection()) as driver, driver.session() as session:
        pairs = session.run(
            "MATCH (u:User)-[:HOLDS]->(p:Product) RETURN u.id AS user, p.id AS product LIMIT $rows",
            rows=ROWS_OF_THE_USUAL_WAY,
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
        Row("load", size, "holdings", seconds, memory, "a statement a row", size / seconds / usual)
    )


def bench_export(bench: Bench) -> None:
    """The full export, beside a record an edge."""
    bench.kinfolio("export", "--run", str(bench.run.folder))  # warm: the usual way comes after it
    answer, whole, memory = bench.kinfolio("export", "--run", str(bench.run.folder))
    seconds = answer["seconds"]
    size = answer["interactions"]
    _, usual, usual_memory = _measured(
        [sys.executable, __file__, "--row-wise", str(bench.work)], dict(os.environ)
    )
    bench.add(
        Row(
            *("export", size, "holdings", seconds, memory, "a record an edge", usual / seconds),
            note=f"the whole command: {whole:.1f} s; "
            f"a record an edge: {usual:.1f} s, {usual_memory:,.0f} MB",
        )
    )


def row_wise_export(connection: Connection) -> None:
    """What one would write: records into a DataFrame, ids through a dict."""
    import pandas

    with open_driver(connection) as driver, driver.session() as session:
        answer = session.run(
            "MATCH (u:User)-[h:HOLDS]->(p:Product) "
            "RETURN u.id AS user, p.id AS product, h.rating AS rating, h.at AS at, h.split AS split"
        )
        frame = pandas.DataFrame([record.data() for record in answer])
    users: dict[str, int] = {}
    products: dict[str, int] = {}
    np.stack(
        [
            np.array([users.setdefault(user, len(users)) for user in frame["user"]]),
            np.array([products.setdefault(product, len(products)) for product in frame["product"]]),
        ]
    )


def bench_since(bench: Bench) -> None:
    """Export after a change of 1 % of the holdings, beside a full one; both must be equal."""
    changed = bench.work / "changed"
    number = max(1, int(bench.holdings * CHANGED))
    snapshot = read_snapshot(bench.run.snapshot)
    # The change falls on few people, as a day's trade does: new ratings of what they hold.
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


def make_embeddings(bench: Bench, width: int, seed: int = 0) -> Embeddings:
    """Vectors nobody trained, but clustered as trained ones are; also in the run folder."""
    snapshot = read_snapshot(bench.run.need_snapshot())
    rng = np.random.default_rng(seed)
    tastes = rng.normal(size=(50, width)).astype(np.float32)

    def draw(rows: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        vectors = tastes[rng.integers(0, len(tastes), rows)]
        vectors = vectors + 0.7 * rng.normal(size=(rows, width)).astype(np.float32)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    holders = np.bincount(snapshot.holdings.target, minlength=snapshot.num_products)
    bias = 0.3 * np.log1p(holders)
    embeddings = Embeddings(
        heads=1,
        dim=width,
        user_gids=snapshot.user_gids,
        product_gids=snapshot.product_gids,
        user_ids=snapshot.user_ids,
        product_ids=snapshot.product_ids,
        user_counted=fingerprints(snapshot),
        user_vectors=draw(snapshot.num_users),
        product_vectors=(draw(snapshot.num_products) / TAU).astype(np.float32),
        bias=(bias - bias.mean()).astype(np.float32),
        general=np.zeros(width, np.float32),
        tie_weight=0.3,
        user_own=np.zeros((snapshot.num_users, width), np.float32),
        user_messages=draw(snapshot.num_users),
        product_messages=draw(snapshot.num_products),
        link_offsets=np.zeros(snapshot.num_products + 1, np.int64),
        link_products=np.zeros(0, np.int32),
        link_weights=np.zeros(0, np.float32),
        model="made up for a measurement",
        metrics="{}",
        snapshot=snapshot.hash,
    )
    save_embeddings(embeddings, [], bench.run.model)
    write_json(bench.run.info, {"config": {}, "metrics": {}})
    return embeddings


def bench_write_back(bench: Bench) -> None:
    """The write-back with messages, index and checks, beside one statement a row."""
    embeddings = make_embeddings(bench, bench.width)
    answer, _, memory = bench.kinfolio("writeback", "--run", str(bench.run.folder))
    size = answer["users"] + answer["products"]
    seconds = answer["seconds"]
    with open_driver(bench.connection()) as driver, driver.session() as session:
        number = min(ROWS_OF_THE_USUAL_WAY, len(embeddings.user_ids)) // 3
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
            *("a statement a row", size / seconds / usual),
            note=f"recall@10 of the index {answer['index_recall@10']}",
        )
    )


def bench_recommend(bench: Bench) -> None:
    """A user's list on an open connection, beside `queryNodes` for k and a filter."""
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
        ours, lists = _timed(users, lambda user: recommend(graph, user, 10).products)
        usual, others = _timed(
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
            *(f"recommend ({bench.products:,} products)", len(users), "lists", sum(ours)),
            *(None, "queryNodes with k", sum(usual) / sum(ours)),
            note=f"p50 {_percentile(ours, 50)} ms, p95 {_percentile(ours, 95)} ms; "
            f"queryNodes with k gives {short:.2f} of the list",
        )
    )


def _timed(users: list[str], ask: Callable[[str], Any]) -> tuple[list[float], list[Any]]:
    for user in users:  # warm: plans are made, caches are filled
        ask(user)
    seconds, answers = [], []
    for user in users:
        started = time.perf_counter()
        answers.append(ask(user))
        seconds.append(time.perf_counter() - started)
    return seconds, answers


def _percentile(seconds: list[float], percent: int) -> str:
    return f"{np.percentile(seconds, percent) * 1000:.1f}"


def bench_all(bench: Bench) -> None:
    """Everybody's lists, beside one query a user."""
    out = bench.work / "lists.tsv"
    answer, seconds, memory = bench.kinfolio("recommend", "--all", "--out", str(out))
    with Graph(bench.connection()) as graph:
        snapshot = read_snapshot(bench.run.snapshot)
        some = [str(user) for user in snapshot.user_ids[:: max(1, snapshot.num_users // QUERIES)]]
        one, _ = _timed(some, lambda user: recommend(graph, user, 10))
    size = answer["users"]
    usual = statistics.mean(one) * size
    bench.add(
        Row(
            *(f"recommend --all ({bench.products:,} products)", size, "users", seconds, memory),
            *("one query a user", usual / seconds),
        )
    )


def bench_bulk(bench: Bench) -> None:
    """The offline importer on an empty server, beside the ordinary load of the same files."""
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
    """Files with 1 % of the lines damaged in eight ways, beside the good ones, twice by turns."""
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
            note=f"{lines:,} lines damaged, {len(answer['rejected']):,} rows named",
        )
    )
    bench.server("damaged-home").stop()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print(rows: list[Row]) -> None:
    print("| step | size | seconds | rate | peak memory | beside | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        memory = "" if row.memory_mb is None else f"{row.memory_mb:,.0f} MB"
        ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
        print(
            f"| {row.step} | {row.size:,} {row.unit} | {row.seconds:.2f} | {row.rate:,.0f}/s "
            f"| {memory} | {row.beside} | {ratio} |"
        )
        if row.note:
            print(f"| | {row.note} | | | | | |")


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
        row_wise_export(Server(chosen.row_wise / "home").start(_tell))
        return
    steps = chosen.steps.split(",")
    if odd := set(steps) - set(STEPS):
        parser.error(f"no step {sorted(odd)[0]}; there are {', '.join(STEPS)}")
    work = chosen.work or Path(tempfile.mkdtemp(prefix="kinfolio-bench-"))
    bench = Bench(work, chosen.holdings, chosen.users, chosen.products, chosen.width)
    todo = {
        "load": bench_load,
        "export": bench_export,
        "since": bench_since,
        "writeback": bench_write_back,
        "recommend": bench_recommend,
        "all": bench_all,
        "bulk": bench_bulk,
        "damaged": bench_damaged,
    }
    try:
        if not bench.folder.is_dir():
            make_folder(bench.folder, chosen.users, chosen.products, chosen.holdings, seed=0)
        for step in STEPS:
            if step in steps:
                todo[step](bench)
    finally:
        bench.server().stop()
        if chosen.work is None:
            shutil.rmtree(work, ignore_errors=True)
    _print(bench.rows)


if __name__ == "__main__":
    main()
