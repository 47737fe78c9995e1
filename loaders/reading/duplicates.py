"""Removal of duplicates: one row of each key is retained, chosen by content.

It is the row with the latest timestamp and, among equal timestamps, the row whose values, as text,
are last in order. The result does not depend on the order of rows or the file format.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import MORE
from kinfolio.loaders.reading.ids import Ids
from kinfolio.loaders.reading.staged import ENDS, KEYS, LINE, StagedTable


def reject_duplicates(staged: StagedTable, ids: dict[str, Ids], rejects: Rejects) -> None:
    """Reject all rows of a key except one."""
    table = staged.table()
    if table.num_rows == 0:
        return
    keys = [key for key in KEYS[staged.file.table] if key in table.schema.names]
    order, starts = _group(table, keys)
    sizes = np.diff(starts)
    repeated = np.flatnonzero(sizes > 1)
    if not len(repeated):
        return
    rows = np.concatenate([order[starts[group] : starts[group + 1]] for group in repeated])
    content = table.drop_columns([LINE]).take(pa.array(rows))
    values = _serialized(content, {name: ids[of] for name, of in ENDS[staged.file.table].items()})
    lines = table.column(LINE).to_numpy()[rows]
    key = " and ".join(KEYS[staged.file.table])
    ends = np.cumsum(sizes[repeated])
    for group in map(range, ends - sizes[repeated], ends):
        # Of equal rows the first in the file is retained.
        best = max(group, key=lambda place: (*values[place], -int(rows[place])))
        for place in group:
            if place != best:
                staged.keep[rows[place]] = False
                text, kind = _reason(key, values[place], values[best], int(lines[best]))
                rejects.add(staged.file.name, int(lines[place]), text, kind=kind)


def _reason(
    key: str, row: tuple[int, str], best: tuple[int, str], best_line: int
) -> tuple[str, str]:
    """Return why a row is rejected, and the kind of that reason."""
    if row == best:
        return f"duplicate of line {best_line}", "duplicate"
    if row[0] != best[0]:
        return (
            f"same {key} as line {best_line}, which is later and is kept",
            f"same {key}, earlier",
        )
    return (
        f"same {key} as line {best_line} but other values; of such rows the one whose values come "
        "last in order is kept",
        f"same {key}, other values",
    )


def _group(content: Any, keys: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows sorted by key, and the start of each key's rows, with the end appended."""
    code, *others = (_codes(content.column(key)) for key in keys)
    for other in others:
        span = int(other.max()) + 1
        if int(code.max()) > 2**62 // span:
            _, code = np.unique(code, return_inverse=True)
        code = code * span + other
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(code[order]) != 0))
    return order, np.append(starts, len(order))


def _codes(column: Any) -> NDArray[np.int64]:
    """Return a number from 0 for each value of a column; null has a separate number."""
    if not pa.types.is_string(column.type):
        return np.asarray(column.to_numpy(), np.int64)
    coded = column.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    return np.asarray(pc.fill_null(coded.indices, -1).to_numpy(), np.int64) + 1


def _serialized(rows: Any, ids: dict[str, Ids]) -> list[tuple[int, str]]:
    """Return time and content of each row, the same for every file format."""
    names = {column: found.names() for column, found in ids.items()}
    written = []
    for row in rows.to_pylist():
        values = {**row, **json.loads(row.get(MORE) or "{}")}
        values.pop(MORE, None)
        values.update({column: found[values[column]] for column, found in names.items()})
        present = {name: value for name, value in values.items() if value is not None}
        time = present.get("at", -(2**63))
        written.append((time, json.dumps(present, sort_keys=True, default=str)))
    return written
