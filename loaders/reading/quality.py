"""A report of the rows that a load would accept and reject, without writing to the graph."""

from __future__ import annotations

import time
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.files.tables import TABLES
from kinfolio.loaders.reading.events.check import KnownIds
from kinfolio.loaders.reading.events.decision import HOLDINGS
from kinfolio.loaders.reading.meaning import AS_IT_IS, Meaning
from kinfolio.loaders.reading.staged import Staged, StagedTable
from kinfolio.loaders.reading.staging import stage
from kinfolio.loaders.reading.understood import time_range, understood
from kinfolio.loaders.reports import Degrees, FolderReport, TableQuality
from kinfolio.os_errors import scratch_folder
from kinfolio.records import SPLITS, Progress, no_progress


def check_quality(
    folder: Path,
    *,
    known_users: KnownIds = lambda ids: (),
    known_products: KnownIds = lambda ids: (),
    progress: Progress = no_progress,
    meaning: Meaning = AS_IT_IS,
) -> FolderReport:
    """Report on the content of a folder.

    `known_users` and `known_products` return the ids that are in the graph; they are called with
    those of ties and events that are not in the folder.

    Raises:
        BadInput: a file cannot be used, or no interaction is valid.
    """
    started = time.monotonic()
    with scratch_folder("check") as scratch:
        staged = stage(
            folder,
            scratch,
            known_users=known_users,
            known_products=known_products,
            progress=progress,
            meaning=meaning,
        )
        users, products = _degrees(staged)
        reasons: dict[str, dict[str, int]] = {file: {} for file, _ in staged.rejects.kinds}
        for (file, kind), count in staged.rejects.kinds.most_common():
            reasons[file][kind] = count
        return FolderReport(
            tables=tuple(
                _quality(table, staged) for name, table in staged.tables.items() if name in TABLES
            ),
            users=len(staged.users) - len(staged.outside_users),
            products=len(staged.products) - len(staged.outside_products),
            outside_users=len(staged.outside_users),
            outside_products=len(staged.outside_products),
            holdings_of_users=users,
            holdings_of_products=products,
            reasons=reasons,
            rejected=staged.rejects.all(),
            notes=staged.notes,
            seconds=round(time.monotonic() - started, 2),
        )


def _quality(table: StagedTable, staged: Staged) -> TableQuality:
    file = table.file
    splits = Counter[str]()
    standard = [column.stored for column in file.columns]
    missing = dict.fromkeys(standard, len(table))
    for batch in table.batches():
        for name in missing.keys() & set(batch.schema.names):
            missing[name] -= len(batch) - batch.column(name).null_count
        if "split" in batch.schema.names and "split" in standard:
            for found in pc.value_counts(batch.column("split")).to_pylist():
                splits[found["values"] or ""] += found["counts"]
    kinds = {kind: count for (of, kind), count in staged.rejects.kinds.items() if of == file.name}
    first, last = time_range(table) or (None, None)
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
        first=first,
        last=last,
        understood=understood(table),
        splits={name: splits[name] for name in (*SPLITS, "") if splits[name]} if has_splits else {},
        missing={
            column.name: missing[column.stored]
            for column in file.columns
            if not column.required and missing[column.stored]
        },
    )


def _degrees(staged: Staged) -> tuple[Degrees, Degrees]:
    users = np.zeros(len(staged.users), np.int64)
    products = np.zeros(len(staged.products), np.int64)
    for batch in chain(staged.batches("interactions"), staged.batches(HOLDINGS)):
        for name, counts in (("user", users), ("product", products)):
            counts += np.bincount(batch.column(name).to_numpy(), minlength=len(counts))
    return (
        _distribution(users, len(staged.users) - len(staged.outside_users)),
        _distribution(products, len(staged.products) - len(staged.outside_products)),
    )


def _distribution(counts: NDArray[np.int64], total: int) -> Degrees:
    some = counts[counts > 0]
    return Degrees(
        count=len(some),
        none=total - len(some),
        one=int((some == 1).sum()),
        median=float(np.median(some)) if len(some) else 0.0,
        p95=float(np.percentile(some, 95)) if len(some) else 0.0,
        largest=int(some.max(initial=0)),
    )
