"""What a folder holds, and what of it a load would refuse: a look that writes nothing."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.reading.staging import Staged, StagedTable, stage
from kinfolio.loaders.reports import Degrees, FolderReport, TableQuality
from kinfolio.records import SPLITS, Progress, no_progress


def look_at(
    folder: Path,
    *,
    known_users: Callable[[list[str]], Iterable[str]] = lambda ids: (),
    progress: Progress = no_progress,
) -> FolderReport:
    """What a load of a folder would find.

    Args:
        folder: as for `load`.
        known_users: which of some ids the graph has; asked only for ends of ties that the folder
            itself does not name.
        progress: told of the rows read.

    Raises:
        BadInput: a file cannot be used, or no interaction can.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kinfolio-check-") as scratch:
        staged = stage(folder, Path(scratch), known_users=known_users, progress=progress)
        users, products = _degrees(staged)
        return FolderReport(
            tables=tuple(_quality(table, staged) for table in staged.tables.values()),
            users=len(staged.users) - len(staged.outside_users),
            products=len(staged.products),
            outside_users=len(staged.outside_users),
            holdings_of_users=users,
            holdings_of_products=products,
            reasons={
                file: {
                    kind: count
                    for (of, kind), count in staged.rejects.kinds.most_common()
                    if of == file
                }
                for file in dict.fromkeys(of for of, _ in staged.rejects.kinds)
            },
            rejected=staged.rejects.all(),
            seconds=round(time.monotonic() - started, 2),
        )


def _quality(table: StagedTable, staged: Staged) -> TableQuality:
    file = table.file
    splits = dict.fromkeys((*SPLITS, ""), 0)
    first = last = None
    present = {column.stored: 0 for column in file.columns}
    for batch in table.batches():
        for name in batch.schema.names:
            if name in present:
                present[name] += len(batch) - batch.column(name).null_count
        if "split" in batch.schema.names:
            for found in pc.value_counts(batch.column("split")).to_pylist():
                splits[found["values"] or ""] += found["counts"]
        if "at" in batch.schema.names and batch.column("at").null_count < len(batch):
            ends = pc.min_max(batch.column("at")).as_py()
            first = ends["min"] if first is None else min(first, ends["min"])
            last = ends["max"] if last is None else max(last, ends["max"])
    kinds = {kind: count for (of, kind), count in staged.rejects.kinds.items() if of == file.name}
    has_splits = any(splits[name] for name in SPLITS)
    return TableQuality(
        table=file.table,
        file=file.name,
        rows=len(table),
        rejected=sum(kinds.values()),
        duplicates=sum(
            count for kind, count in kinds.items() if kind.startswith(("duplicate", "same "))
        ),
        dangling=kinds.get("dangling tie", 0),
        first=_day(first),
        last=_day(last),
        splits={name: count for name, count in splits.items() if count} if has_splits else {},
        missing={
            column.name: len(table) - present[column.stored]
            for column in file.columns
            if not column.required and present[column.stored] < len(table)
        },
    )


def _day(time: int | None) -> str | None:
    return None if time is None else datetime.fromtimestamp(time / 1_000, UTC).date().isoformat()


def _degrees(staged: Staged) -> tuple[Degrees, Degrees]:
    users = np.zeros(len(staged.users), np.int64)
    products = np.zeros(len(staged.products), np.int64)
    for batch in staged.tables["interactions"].batches():
        for name, counts in (("user", users), ("product", products)):
            counts += np.bincount(batch.column(name).to_numpy(), minlength=len(counts))
    return (
        _distribution(users, len(staged.users) - len(staged.outside_users)),
        _distribution(products, len(staged.products)),
    )


def _distribution(counts: NDArray[np.int64], total: int) -> Degrees:
    some = counts[counts > 0]
    return Degrees(
        count=len(some),
        none=total - len(some),
        one=int((some == 1).sum()),
        median=float(np.median(some)),
        p95=float(np.percentile(some, 95)),
        largest=int(some.max()),
    )
