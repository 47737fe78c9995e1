"""Times of every zone into the graph: the instant stays, and a second load changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection
from tests.conftest import environment_of

MOMENTS = [
    datetime(year, month, 15, 12, 30, 59, 123_000, tzinfo=UTC)
    for year in (1883, 1945, 2011, 2024, 2037)
    for month in (1, 3, 7, 10)
]
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "+05:30")


def test_times_with_zones_are_loaded_twice_in_another_process(
    graph: Graph,
    server: Connection,
    run_cypher: Callable[..., list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "interactions.tsv").write_text("user\tproduct\nu0\tA\n")
    columns = {
        f"{zone} {unit}": pa.array(MOMENTS, pa.timestamp(unit, tz=zone))
        for zone in ZONES
        for unit in ("ms", "us", "ns")
    }
    users = [f"u{row}" for row in range(len(MOMENTS))]
    pq.write_table(pa.table({"user": users, **columns}), folder / "users.parquet")
    environment = os.environ | environment_of(server, tmp_path / "home")
    changed = []
    for _ in range(2):
        # The driver's class crashed the C code of zoneinfo: the whole process died.
        done = subprocess.run(
            [sys.executable, "-m", "kinfolio.cli", "load", str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        changed.append(run_cypher("MATCH (u:User) RETURN u.id AS id, u.changed AS at ORDER BY id"))
    assert changed[0] == changed[1]
    for row in run_cypher("MATCH (u:User) RETURN properties(u) AS stored"):
        stored = row["stored"]
        for name in columns:
            assert stored[name].to_native() == MOMENTS[int(stored["id"][1:])]
