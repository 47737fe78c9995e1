"""Concurrent callers of recommend and explain during loads, write-backs and rollbacks.

    python bench/soak.py --callers 200 --seconds 900

Two models are trained on a generated community and written back in turns, while the folder is
loaded with more users each time. Every answer is compared with the list and the scores of the
version that it names, recorded before. Prints one table; fails if an answer is an error or mixes
two versions. Works in a temporary home.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from measure import Bench, report

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.publishing.versions import rollback
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.llm_explain.explain import explain
from kinfolio.loaders import export, load, write_community
from kinfolio.records import Connection
from kinfolio.run import Run, read_json

PROCESSES = 4
"""Of callers; each has one driver, as a web server would."""
USERS = 60
"""Users who are asked for; the loads leave them and their products unchanged."""
K = 10
TOLERANCE = 1e-4  # recommend and explain add a score in different orders
NEW_USERS = 20
"""Added by each load."""
PERCENTILES = (50, 95, 99, 100)

Lists = dict[tuple[int, str], dict[str, float]]
"""Scores of the listed products by number of the model and user, best first."""


@dataclass
class Calls:
    """What one process of callers saw."""

    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {"recommend": [], "explain": []}
    )
    errors: Counter[str] = field(default_factory=Counter)
    mixed: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    memory_mb: tuple[float, float] = (0.0, 0.0)
    """Before the first and after the last call."""

    def add(self, other: Calls) -> None:
        for kind, seconds in other.seconds.items():
            self.seconds[kind] += seconds
        self.errors += other.errors
        self.mixed += other.mixed
        self.versions |= other.versions
        start, end = self.memory_mb
        self.memory_mb = (start + other.memory_mb[0], end + other.memory_mb[1])


class Callers:
    """Threads of one process that ask until the time is over."""

    def __init__(self, connection: Connection, lists: Lists, seconds: float) -> None:
        self.graph = Graph(connection)
        self.lists = lists
        self.calls = Calls()
        self._users = sorted({user for _, user in lists})
        self._lock = threading.Lock()
        self._seconds = seconds

    def run(self, callers: int, seed: int) -> Calls:
        for user in self._users[:3]:
            self._recommend(user)
        before = _memory_mb(os.getpid())
        self._end = time.monotonic() + self._seconds
        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(self._ask, range(seed * 1_000, seed * 1_000 + callers)))
        self.calls.memory_mb = (before, _memory_mb(os.getpid()))
        self.graph.close()
        return self.calls

    def _ask(self, seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < self._end:
            user = rng.choice(self._users)
            if rng.random() < 0.75:
                self._timed("recommend", self._recommend, user)
            else:
                self._timed("explain", self._explain, user)

    def _timed(self, kind: str, call: Callable[[str], str], user: str) -> None:
        started = time.perf_counter()
        try:
            fault = call(user)
        except KinfolioError as error:
            with self._lock:
                self.calls.errors[f"{kind}: {error}"] += 1
            return
        with self._lock:
            self.calls.seconds[kind].append(time.perf_counter() - started)
            if fault:
                self.calls.mixed.append(fault)

    def _recommend(self, user: str) -> str:
        answer = recommend(self.graph, user, K)
        found = {line.product: line.score for line in answer.products}
        expected = self._of(answer.version, user)
        if list(found) == list(expected) and _close(found, expected):
            return ""
        return f"recommend {user}, {answer.version}: {found}, expected {expected}"

    def _explain(self, user: str) -> str:
        product = next(iter(self.lists[0, user]))
        answer = explain(self.graph, user, product, (), all_evidence=True)
        expected = self._of(answer.version, user).get(product)
        total = sum(piece.contribution for piece in answer.evidence) + (answer.remainder or 0.0)
        if abs(total - (answer.score or 0.0)) > TOLERANCE or (
            expected is not None and abs(expected - (answer.score or 0.0)) > TOLERANCE
        ):
            return f"explain {user} {product}, {answer.version}: {answer.score}, sum {total}"
        return ""

    def _of(self, version: str | None, user: str) -> dict[str, float]:
        assert version is not None
        self.calls.versions.add(version)
        return self.lists[int(version.split("-")[1]), user]


def _close(found: dict[str, float], expected: dict[str, float]) -> bool:
    return all(abs(found[product] - expected[product]) <= TOLERANCE for product in found)


def call(arguments: tuple[Connection, Lists, float, int, int]) -> Calls:
    """Run the callers of one process."""
    connection, lists, seconds, callers, seed = arguments
    return Callers(connection, lists, seconds).run(callers, seed)


class Soak:
    """One home with a community and two models."""

    def __init__(self, work: Path) -> None:
        self.bench = Bench(work, 0, 0, 0, 0)
        self.runs = tuple(Run(work / f"run-{number}") for number in range(2))
        self.embeddings: list[Embeddings] = []
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []

    def prepare(self) -> Lists:
        """Load, train two models, and record the lists of each."""
        # Not at the top: the processes of callers import this module and need no torch.
        from kinfolio.gnn.training.config import TrainConfig
        from kinfolio.gnn.training.train import read_servable, train

        self.bench.folder.mkdir()
        write_community(self.bench.folder)
        lists: Lists = {}
        with Graph(self.bench.connection()) as graph:
            load(graph, self.bench.folder)
            for number, run in enumerate(self.runs):
                report(f"training model {number}")
                export(graph, run.snapshot)
                config = TrainConfig(
                    dim=32, steps=60, tau=0.2, text="on", seed=number, device="cpu"
                )
                train(run, config, cache=self.bench.work / "texts.sqlite")
                embeddings = read_servable(run)
                self.embeddings.append(embeddings)
                write_back(graph, embeddings, name=f"soak-{number}-0")
                for user in embeddings.user_ids[:USERS]:
                    lists[number, user] = {
                        line.product: line.score for line in recommend(graph, user, K).products
                    }
        return lists

    def disturb(self, is_over: threading.Event) -> None:
        """Load, write back and roll back in turns until the callers have ended."""
        with Graph(self.bench.connection()) as graph:
            for turn in range(1, 1_000_000):
                if is_over.is_set():
                    return
                self._try("load", partial(self._load, graph, turn))
                name = f"soak-{turn % 2}-{turn}"
                self._try(
                    "write-back", partial(write_back, graph, self.embeddings[turn % 2], name=name)
                )
                if turn % 3 == 0:
                    self._try("rollback", partial(rollback, graph))

    def server_mb(self) -> float:
        """Return the memory of the server."""
        file = next((self.bench.work / "home").rglob("process.json"))
        return _memory_mb(int(read_json(file)["pid"]))

    def _load(self, graph: Graph, turn: int) -> None:
        """Load the folder with new users; the lists of the others do not depend on them."""
        path = self.bench.folder / "interactions.tsv"
        lines = path.read_text("utf-8").splitlines()
        products = [line.split("\t")[1] for line in lines[1 : NEW_USERS + 1]]
        added = [
            f"soak-{turn}-{number}\t{product}\t\t2024-01-01\ttrain\t"
            for number, product in enumerate(products)
        ]
        path.write_text("\n".join([*lines, *added]) + "\n", "utf-8")
        load(graph, self.bench.folder)

    def _try(self, step: str, work: Callable[[], object]) -> None:
        try:
            work()
            self.done[step] += 1
        except KinfolioError as error:
            self.failures.append(f"{step}: {error}")


def _memory_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def _print(soak: Soak, calls: Calls, server_mb: tuple[float, float], callers: int) -> None:
    print("| | calls | errors | mixed versions | p50 ms | p95 ms | p99 ms | longest ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind, seconds in calls.seconds.items():
        errors = sum(n for text, n in calls.errors.items() if text.startswith(kind))
        mixed = sum(text.startswith(kind) for text in calls.mixed)
        times = " | ".join(f"{value * 1000:,.0f}" for value in np.percentile(seconds, PERCENTILES))
        print(f"| {kind} | {len(seconds) + errors:,} | {errors} | {mixed} | {times} |")
    print()
    print(f"{callers} callers; {len(calls.versions)} versions named; meanwhile ", end="")
    print(", ".join(f"{count} x {step}" for step, count in soak.done.items()), end="; ")
    print(f"{len(soak.failures)} of these failed")
    print(
        f"memory of the server {server_mb[0]:,.0f} MB at the start, {server_mb[1]:,.0f} MB at ",
        end="",
    )
    print("the end; of the callers {:,.0f} and {:,.0f} MB".format(*calls.memory_mb))
    for text in [*soak.failures, *calls.errors, *calls.mixed][:20]:
        print(text)


def main() -> None:
    """Print the table; fail if an answer was an error or mixed two versions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=900)
    chosen = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="kinfolio-soak-"))
    soak = Soak(work)
    calls = Calls()
    try:
        lists = soak.prepare()
        start_mb = soak.server_mb()
        is_over = threading.Event()
        disturber = threading.Thread(target=soak.disturb, args=(is_over,))
        disturber.start()
        connection = soak.bench.connection()
        tasks = [
            (
                connection,
                lists,
                chosen.seconds,
                len(range(number, chosen.callers, PROCESSES)),
                number,
            )
            for number in range(min(PROCESSES, chosen.callers))
        ]
        with get_context("spawn").Pool(len(tasks)) as pool:
            for found in pool.map(call, tasks, chunksize=1):
                calls.add(found)
        is_over.set()
        disturber.join()
        _print(soak, calls, (start_mb, soak.server_mb()), chosen.callers)
    finally:
        soak.bench.server().stop()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(bool(soak.failures or calls.errors or calls.mixed))


if __name__ == "__main__":
    main()
