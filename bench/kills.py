"""kill -9 at random moments of load, export and write-back, of the command or of the server.

    python bench/kills.py --kills 20

After each kill the lists must be those of the old or of the new version, and running the command
again must give the graph, snapshot and lists of an undisturbed run, compared by hash. Works in a
temporary home.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from graph_data import Size, make_folder, store_embeddings
from measure import Bench

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.versions import list_versions
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.snapshot import read_snapshot

USERS, PRODUCTS, HOLDINGS, WIDTH = 2_000, 1_000, 30_000, 32
COMPARED_USERS = 5
"""Users whose lists are compared."""


@dataclass
class Kill:
    """One kill and its outcome."""

    step: str
    victim: str
    after: float
    """Seconds after the start of the command."""
    hit: bool
    """False: the command had ended already."""
    served: bool
    same: bool


class Trial:
    """One home in which a step is killed and repeated."""

    def __init__(self, work: Path) -> None:
        self.bench = Bench(work, HOLDINGS, USERS, PRODUCTS, WIDTH)
        make_folder(self.bench.folder, Size(USERS, PRODUCTS, HOLDINGS))
        self.seconds: dict[str, float] = {}
        self.expected: dict[str, str] = {}
        self.lists: dict[int, str] = {}
        """Hash of the lists of each seed's embeddings."""
        self.seed = 1
        """Of the embeddings that serve."""
        self.words = {
            "load": ("load", str(self.bench.folder)),
            "export": ("export", "--run", str(self.bench.run.folder)),
            "writeback": ("writeback", "--run", str(self.bench.run.folder)),
        }
        self.outcome: dict[str, Callable[[], str]] = {
            "load": lambda: str(self.bench.kinfolio("db", "hash")[0]["hash"]),
            "export": lambda: read_snapshot(self.bench.run.snapshot).hash,
            "writeback": self._lists,
        }

    def undisturbed(self) -> None:
        """Run each step undisturbed; record its duration and outcome."""
        self.bench.connection()
        for step in ("load", "export", "export"):  # the second one on a warm server
            _, self.seconds[step], _ = self.bench.kinfolio(*self.words[step])
            self.expected[step] = self.outcome[step]()
        for seed in (0, 1):
            store_embeddings(self.bench.run, WIDTH, seed)
            _, self.seconds["writeback"], _ = self.bench.kinfolio(*self.words["writeback"])
            self.lists[seed] = self._lists()

    def kill(self, step: str, victim: str, after: float) -> Kill:
        """Kill the command or the server, compare the lists, run the command again."""
        allowed = {self.lists[self.seed]}
        expected = self.expected.get(step, "")
        if step == "load":
            self.bench.server().wipe()
            allowed = {""}
        elif step == "writeback":
            self.seed = 1 - self.seed
            store_embeddings(self.bench.run, WIDTH, self.seed)
            expected = self.lists[self.seed]
            allowed.add(expected)
        self.bench.connection()
        env = {**os.environ, "KINFOLIO_HOME": str(self.bench.work / "home")}
        env.pop("NEO4J_URI", None)
        child = subprocess.Popen(
            [sys.executable, "-m", "kinfolio.cli", *self.words[step]],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(after)
        hit = child.poll() is None
        if victim == "server":
            server = psutil.Process(self._server_pid())
            server.kill()
            # A dying server counts as running.
            server.wait()
        else:
            child.kill()
        child.wait()
        served = self._lists() in allowed
        self.bench.kinfolio(*self.words[step])
        return Kill(step, victim, after, hit, served, self.outcome[step]() == expected)

    def _server_pid(self) -> int:
        file = next((self.bench.work / "home").rglob("process.json"))
        return int(json.loads(file.read_text())["pid"])

    def _lists(self) -> str:
        """Return the hash of some lists; empty while no version serves."""
        with Graph(self.bench.connection()) as graph:
            if not any(one.state == "active" for one in list_versions(graph)):
                return ""
            users = read_snapshot(self.bench.run.snapshot).user_ids[:COMPARED_USERS]
            lists = [
                [
                    (line.product, round(line.score, 5))
                    for line in recommend(graph, user, 10).products
                ]
                for user in users
            ]
        return hashlib.sha256(json.dumps(lists).encode()).hexdigest()


def main() -> None:
    """Print a line per kill; fail if one changed a result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    work = Path(tempfile.mkdtemp(prefix="kinfolio-kills-"))
    trial = Trial(work)
    wrong = 0
    try:
        trial.undisturbed()
        for number in range(chosen.kills):
            # Loads last, since each begins with an empty graph.
            step = ("export", "writeback", "load")[number * 3 // chosen.kills]
            victim = rng.choice(("command", "server"))
            found = trial.kill(step, victim, rng.uniform(0.1, 0.9) * trial.seconds[step])
            wrong += not (found.served and found.same)
            print(
                f"{found.step:9} {found.victim:7} after {found.after:5.2f} s: "
                f"{'in the middle' if found.hit else 'too late'}; "
                f"{'served old or new' if found.served else 'SERVED SOMETHING ELSE'}; "
                f"{'same in the end' if found.same else 'NOT THE SAME IN THE END'}",
                flush=True,
            )
    finally:
        trial.bench.server().stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{chosen.kills} kills, {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
