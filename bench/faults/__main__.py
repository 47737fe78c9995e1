"""A table of faults: what the user sees of each, and what holds afterwards.

    python bench/faults                                  one line each; exit code 1 if one fails
    python bench/faults --write docs/operation/reliability.md   also write the rows into that page
    python bench/faults --only killed --json FILE

A module per kind adds its faults with `runner.fault`. Works in temporary folders; faults of a full
or read-only disk need the rights to mount one, and are skipped without them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch starts threads, which a fork loses

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[2]))  # tests.proxy

from faults import damaged, disks, kills, network, servers
from faults.commands import preload
from faults.data import make_run
from faults.page import write_page
from faults.runner import FAULTS, Fault, Result, World, as_json, run_faults

MODULES = (disks, damaged, kills, network, servers)
"""Modules whose faults are run."""


def main() -> None:
    """Print a line per fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", default="", help="part of the kind, name or command")
    parser.add_argument("--short", action="store_true", help="the faults that the tests cause")
    parser.add_argument("--write", type=Path, help="page with the marks of the table")
    parser.add_argument("--json", type=Path, help="file for all results")
    chosen = parser.parse_args()
    results = run_table([one for one in FAULTS if is_chosen(one, chosen.only, chosen.short)])
    if chosen.write:
        write_page(chosen.write, results)
    if chosen.json:
        chosen.json.write_text(as_json(results), "utf-8")
    good = sum(one.is_ok is True for one in results)
    skipped = sum(one.is_ok is None for one in results)
    print(f"{good} of {len(results)} faults clear and whole, {skipped} skipped")
    sys.exit(good + skipped != len(results))


def is_chosen(one: Fault, word: str, is_short: bool) -> bool:
    """Return whether a fault was asked for."""
    found = word.lower() in f"{one.kind} {one.name} {one.command}".lower()
    return found and (one.is_short or not is_short)


def run_table(faults: list[Fault]) -> list[Result]:
    """Cause faults, print a line each."""
    preload()
    world = World(Path(tempfile.mkdtemp(prefix="kinfolio-faults-")), make_run)
    results = []
    try:
        for one in run_faults(faults, world):
            mark = {True: "ok", False: "FAIL", None: "skip"}[one.is_ok]
            print(
                f"{mark:4} {one.seconds:5.1f} s  {one.fault.kind}: {one.fault.name} "
                f"[{one.fault.command}] | {one.seen} | {one.holds}",
                flush=True,
            )
            results.append(one)
    finally:
        world.stop()
    return results


if __name__ == "__main__":
    main()
