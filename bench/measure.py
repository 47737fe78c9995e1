"""Shared by the measurements: a home with its server, timed commands, the table."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.server.server import Server
from kinfolio.records import Connection
from kinfolio.run import Run

_POLL_SECONDS = 0.02


@dataclass
class Row:
    """One line of the table."""

    step: str
    size: int
    unit: str
    seconds: float
    memory_mb: float | None = None
    compared_with: str = ""
    """The alternative that it is compared with."""
    ratio: float | None = None
    note: str = ""

    @property
    def rate(self) -> float:
        """Units per second."""
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
        return self.server(name).start(report)

    def kinfolio(self, *words: str, home: str = "home") -> tuple[dict[str, Any], float, float]:
        """Run a command with --json; its document, its seconds and its peak memory in MB."""
        env = {**os.environ, "KINFOLIO_HOME": str(self.work / home)}
        env.pop("NEO4J_URI", None)
        return measured([sys.executable, "-m", "kinfolio.cli", *words, "--json"], env)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        report(
            f"{row.step}: {row.size:,} {row.unit} in {row.seconds:.2f} s, {row.rate:,.0f}/s"
            + (f", {row.ratio:.1f} x {row.compared_with}" if row.ratio else "")
            + (f"; {row.note}" if row.note else "")
        )


def measured(words: Sequence[str], env: dict[str, str]) -> tuple[dict[str, Any], float, float]:
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        child = subprocess.Popen(words, env=env, stdout=out, stderr=subprocess.DEVNULL)
        peak = 0.0
        # Not `ru_maxrss`: until its exec a child counts the memory of this process.
        while child.poll() is None:
            peak = max(peak, _high_water_mb(child.pid))
            time.sleep(_POLL_SECONDS)
        seconds = time.monotonic() - started
        out.seek(0)
        text = out.read().decode()
    if child.returncode:
        raise SystemExit(
            f"{' '.join(words[2:])} failed; run it with KINFOLIO_HOME set to see the error"
        )
    return json.loads(text or "{}"), seconds, peak


def _high_water_mb(pid: int) -> float:
    """Peak memory of a process so far, from Linux; 0 after its end."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def timed(
    users: Sequence[str], query: Callable[[str], Any], rounds: int = 1
) -> tuple[list[float], list[Any]]:
    """Return the seconds of each query, and the answers of the last round."""
    seconds: list[float] = []
    for number in range(rounds + 1):  # round 0 is the warm-up: plans and caches
        answers = []
        for user in users:
            started = time.perf_counter()
            answers.append(query(user))
            if number:
                seconds.append(time.perf_counter() - started)
    return seconds, answers


def percentile(seconds: list[float], percent: int) -> str:
    return f"{np.percentile(seconds, percent) * 1000:.1f}"


def row_wise_export(connection: Connection) -> None:
    """The alternative to export: records into a DataFrame, ids through a dict."""
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


def report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def print_rows(rows: list[Row]) -> None:
    print("| step | size | seconds | rate | peak memory | compared with | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        memory = "" if row.memory_mb is None else f"{row.memory_mb:,.0f} MB"
        ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
        print(
            f"| {row.step} | {row.size:,} {row.unit} | {row.seconds:.2f} | {row.rate:,.0f}/s "
            f"| {memory} | {row.compared_with} | {ratio} |"
        )
        if row.note:
            print(f"| | {row.note} | | | | | |")
