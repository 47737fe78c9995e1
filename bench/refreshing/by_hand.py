"""A refresh after a change of one percent, against load, export, train and write back by hand.

    python bench/refreshing/by_hand.py ../shared/data/lastfm --home /tmp/refresh --seeds 0 1

Holds back one percent of the training interactions, trains and serves the rest as a user would
(`kinfolio train` without options but the seed), then loads the held-back ones and measures from
there: `kinfolio refresh`, and by hand `export --since`, `train`, `writeback`. Prints the seconds of
both, their test metrics, and the seconds of a refresh with nothing new. Every step is a command in
a process of its own. Works in a home of its own, whose graph is deleted.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHARE = 0.01


@dataclass
class Commands:
    """Commands in one home, timed."""

    home: Path
    options: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """Of the commands, without the server: on a busy machine they vary less."""

    def __call__(self, name: str, *words: str) -> dict[str, Any]:  # a JSON document
        """Run a command and return its document; its seconds are added to those of the name."""
        env = {**os.environ, "KINFOLIO_HOME": str(self.home)}
        env.pop("NEO4J_URI", None)
        started, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "kinfolio.cli", *words, "--json"],
            env=env,
            stdout=subprocess.PIPE,
            check=False,
        )
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + cpu
        answer: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
        return answer


def split_files(folder: Path, out: Path, seed: int) -> None:
    """Copy a folder twice: without a part of the training interactions, and whole."""
    shutil.rmtree(out, ignore_errors=True)
    for name in ("before", "after"):
        shutil.copytree(folder, out / name)
    file = "interactions.tsv.gz"
    with gzip.open(folder / file, "rt", encoding="utf-8") as lines:
        header, *rows = lines.read().splitlines()
    place = header.split("\t").index("split")
    training = [row for row in rows if row.split("\t")[place] in ("train", "")]
    late = set(random.Random(seed).sample(training, int(SHARE * len(training))))
    with gzip.open(out / "before" / file, "wt", encoding="utf-8") as lines:
        lines.write("\n".join([header, *(row for row in rows if row not in late)]) + "\n")


def quality(commands: Commands, run: str) -> dict[str, float]:
    """Return recall and NDCG of a run on the test part, all users."""
    found = commands("evaluate", "evaluate", "--run", run)["models"]["kinfolio"]["all"]
    return {name: round(found[name], 4) for name in ("recall@20", "ndcg@20")}


def measure(commands: Commands, folder: Path, work: Path, seed: int) -> dict[str, Any]:
    """Return the figures of one seed."""
    split_files(folder, work / "files", seed)
    train = ("--seed", str(seed), *commands.options)
    serving, by_hand = str(work / "serving"), str(work / "by_hand")
    commands("wipe", "db", "wipe", "--yes")
    commands("load first", "load", str(work / "files" / "before"))
    commands("export first", "export", "--run", serving)
    commands("train first", "train", "--run", serving, *train)
    commands("write back first", "writeback", "--run", serving, "--name", f"first-{seed}")
    commands("load", "load", str(work / "files" / "after"))
    commands("by hand export", "export", "--since", serving, "--run", by_hand)
    commands("by hand train", "train", "--run", by_hand, *train)
    done = commands("refresh", "refresh", "--run", serving)
    assert done["published"], done
    commands("nothing new", "refresh")
    # After the refresh: it must not be the version that the refresh compares with.
    commands("by hand write back", "writeback", "--run", by_hand, "--name", f"by-hand-{seed}")
    ratios = {}
    for kind, taken in (("seconds", commands.seconds), ("CPU seconds", commands.cpu_seconds)):
        by_hand_sum = sum(taken[f"by hand {step}"] for step in ("export", "train", "write back"))
        ratios[kind] = round(taken["refresh"] / by_hand_sum, 3)
    return {
        "seed": seed,
        "seconds": {name: round(value, 1) for name, value in commands.seconds.items()},
        "CPU seconds": {name: round(value, 1) for name, value in commands.cpu_seconds.items()},
        "refresh / by hand": ratios,
        "quality by hand": quality(commands, by_hand),
        "quality of refresh": quality(commands, done["run"]),
        "gate": [done["before"]["all"], done["after"]["all"]],
    }


def main() -> None:
    """Print a line of JSON for each seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--budget", default="auto")
    options = parser.parse_args()
    for seed in options.seeds:
        commands = Commands(options.home, ("--budget", options.budget, "--device", "cpu"))
        work = options.home / "work"
        shutil.rmtree(work, ignore_errors=True)
        print(json.dumps(measure(commands, options.folder, work, seed)), flush=True)


if __name__ == "__main__":
    main()
