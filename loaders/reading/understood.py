"""Sentences on how the columns of a table were read, and on times that are implausible."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow.compute as pc

from kinfolio.loaders.reading.staged import StagedTable

_YEAR_1990_MS = 631_152_000_000
_YEAR_2000_MS = 946_684_800_000


def understood(table: StagedTable) -> dict[str, str]:
    """Return how each column was read whose values have several readings, with the range of times.

    For example `{"timestamp": "seconds since 1970, 2021-03-01 to 2024-05-02"}`.
    """
    found = {
        column.name: interpretation.name
        for column in table.file.columns
        if (interpretation := table.interpretations.get(column.name)) and interpretation.name
    }
    times = time_range(table)
    if times and "timestamp" in found:
        found["timestamp"] += f", {times[0]} to {times[1]}"
    return found


def readings(table: StagedTable) -> Iterator[str]:
    """Yield `understood` as one sentence for each column."""
    for column, meaning in understood(table).items():
        yield f"{table.file.name}: {column}: {meaning}"


def time_range(table: StagedTable) -> tuple[str, str] | None:
    """Return the first and last date of the valid rows, in ISO format and UTC."""
    ends: list[int] = []
    for batch in table.batches():
        if "at" in batch.schema.names and batch.column("at").null_count < len(batch):
            ends += pc.min_max(batch.column("at")).as_py().values()
    return (_day(min(ends)), _day(max(ends))) if ends else None


def implausible_times(table: StagedTable) -> Iterator[str]:
    """Yield one sentence for each sign that the times of a table mean something else."""
    zeros = count = 0
    ends: list[int] = []
    for batch in table.batches():
        if "at" not in batch.schema.names:
            return
        at = batch.column("at").drop_null()
        later = at.filter(pc.not_equal(at, 0))
        count += len(at)
        zeros += len(at) - len(later)
        ends += pc.min_max(later).as_py().values() if len(later) else []
    name = table.file.name
    if zeros:
        yield (
            f"{name}: {zeros:,} of {count:,} timestamps are 1970-01-01, which usually stands for "
            "no date; leave them empty"
        )
    interpretation = table.interpretations.get("timestamp")
    is_decided = interpretation is not None and bool(interpretation.name)
    if ends and is_decided and (min(ends) < _YEAR_1990_MS or max(ends) < _YEAR_2000_MS):
        yield (
            f"{name}: the timestamps are of {_day(min(ends))} to {_day(max(ends))}; if that is "
            "wrong, write them as 2024-01-31"
        )


def _day(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1_000, UTC).date().isoformat()
