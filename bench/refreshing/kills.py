"""kill -9 at random moments of `kinfolio refresh`: the old version serves, the next one repairs.

    python bench/refreshing/kills.py --kills 20

Before each refresh a few holdings change. After the kill the lists must be those of the old version
or of a new one that is whole; then a refresh without a kill must leave a version of the graph as it
is now, all of whose checks pass. Works in a temporary home.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server.server import Server
from kinfolio.gnn.publishing.version_check import check_versions
from kinfolio.gnn.publishing.versions import list_versions
from kinfolio.gnn.serving.recommend import recommend

USERS, PRODUCTS, HOLDINGS = 600, 300, 12
TRAINING = (
    *("--dim", "16", "--heads", "1", "--steps", "200", "--tau", "0.2", "--text", "off"),
    *("--cold", "0", "--edge-dropout", "0", "--device", "cpu"),
)
ALWAYS = ("--at-least", "0%")


class World:
    """Users with tastes, some of whose holdings change from one refresh to the next."""

    def __init__(self, work: Path) -> None:
        self.home, self._folder, self._rng = work / "home", work / "files", random.Random(0)
        self._env = {**os.environ, "KINFOLIO_HOME": str(self.home)}
        self._env.pop("NEO4J_URI", None)
        self._held = [self._first_choice(user) for user in range(USERS)]
        self._folder.mkdir(parents=True)

    def change(self, share: float) -> None:
        """Replace a holding of a part of the users, and load."""
        for user in self._rng.sample(range(USERS), int(share * USERS * HOLDINGS)):
            others = [one for one in self._taste(user) if one not in self._held[user]]
            self._held[user][self._rng.randrange(HOLDINGS)] = self._rng.choice(others)
        rows = [
            f"u{user}\tp{product}\t{'valid' if place == 0 else 'train'}"
            for user, held in enumerate(self._held)
            for place, product in enumerate(held)
        ]
        file = self._folder / "interactions.tsv"
        file.write_text("\n".join(["user\tproduct\tsplit", *rows]) + "\n", "utf-8")
        self.run("load", str(self._folder), "--replace")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "kinfolio.cli", *words],
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> str:
        """Run a command to its end; return its output."""
        out, errors = (child := self.start(*words)).communicate()
        assert child.returncode == 0, errors
        return out

    def answers(self, graph: Graph) -> tuple[str, list[list[str]]]:
        """Return the version that serves, and lists of some users."""
        found = [recommend(graph, f"u{user}", 10) for user in range(5)]
        assert len({one.version for one in found}) == 1
        return str(found[0].version), [[line.product for line in one.products] for one in found]

    def _first_choice(self, user: int) -> list[int]:
        """Return holdings of a user; the first products of a taste are held more often."""
        order = sorted(self._taste(user), key=lambda product: product * self._rng.random())
        return self._rng.sample(order[:HOLDINGS], HOLDINGS)

    @staticmethod
    def _taste(user: int) -> list[int]:
        return list(range(user % 6, PRODUCTS, 6))


def kill_once(world: World, graph: Graph, after: float) -> str:
    """Kill one refresh, repair it, and return a line about it; begins with WRONG if it is."""
    world.change(0.003)
    before = world.answers(graph)
    child = world.start("refresh", *ALWAYS)
    time.sleep(after)
    hit = child.poll() is None
    child.kill()
    child.communicate()
    now = world.answers(graph)
    served = now == before or now[0] != before[0]
    whole = [one.ok for one in check_versions(graph) if one.version == now[0]] == [True]
    repaired = json.loads(world.run("refresh", *ALWAYS, "--json"))
    again = json.loads(world.run("refresh", *ALWAYS, "--json"))
    active = [one.name for one in list_versions(graph) if one.state == "active"]
    done = active == [again["version"]] and active != [before[0]]
    sound = all(one.ok for one in check_versions(graph)) and "nothing new" in again["reason"]
    fine = served and whole and done and sound
    when = "in the middle" if hit else "too late"
    return f"{'fine' if fine else 'WRONG'}: after {after:5.2f} s, {when}; {repaired['reason']}"


def main() -> None:
    """Print a line per kill; fail if one changed a result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    chosen = parser.parse_args()
    work, rng = Path(tempfile.mkdtemp(prefix="kinfolio-kills-")), random.Random(1)
    world, wrong = World(work), 0
    server = Server(world.home)
    try:
        world.change(0.0)
        run = str(work / "run")
        world.run("export", "--run", run)
        world.run("train", "--run", run, *TRAINING)
        world.run("writeback", "--run", run)
        world.change(0.003)
        started = time.perf_counter()
        world.run("refresh", *ALWAYS, "--run", run)
        seconds = time.perf_counter() - started
        with Graph(server.start(print)) as graph:
            for _ in range(chosen.kills):
                line = kill_once(world, graph, rng.uniform(0.1, 0.95) * seconds)
                wrong += line.startswith("WRONG")
                print(line, flush=True)
    finally:
        server.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{chosen.kills} kills, {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
