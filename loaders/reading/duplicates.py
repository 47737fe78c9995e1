"""Which of several rows with one key is kept: it is said by their content, never by their order.

The one with the latest timestamp; of several with one time, the one whose values come last when
written out. So the same rows in another order, or another format, give the same graph.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.reading.readers import MORE


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row that is not kept."""

    row: int
    kept: int
    """The row that is kept in its place."""
    kind: str
    """`same`, `earlier`, or `order` where times do not tell."""


def duplicates(
    content: Any, keys: tuple[str, ...], names: dict[str, Callable[[], list[str]]]
) -> list[Duplicate]:
    """The rows of a table that are not kept.

    Args:
        content: a pyarrow table of what the graph stores; users and products are numbers.
        keys: columns of which no two rows kept have the same values.
        names: ids of the numbers in columns that name users or products.
    """
    order, starts = _groups(content, [key for key in keys if key in content.schema.names])
    sizes = np.diff(starts)
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return []
    rows = np.concatenate([order[starts[g] : starts[g + 1]] for g in several])
    values = _written(content.take(pa.array(rows)), names)
    found: list[Duplicate] = []
    first = 0
    for size in sizes[several].tolist():
        group = range(first, first + size)
        first += size
        # Of equal rows the first in the file stands for all.
        best = max(group, key=lambda place: (*values[place], -int(rows[place])))
        for place in group:
            if place == best:
                continue
            same = values[place] == values[best]
            kind = "same" if same else "order"
            if values[place][0] != values[best][0]:
                kind = "earlier"
            found.append(Duplicate(int(rows[place]), int(rows[best]), kind))
    return sorted(found, key=lambda duplicate: duplicate.row)


def _groups(content: Any, keys: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows with those of one key side by side, and where each key starts."""
    codes = [_codes(content.column(key)) for key in keys]
    code = codes[0]
    for more in codes[1:]:
        span = int(more.max()) + 1
        if int(code.max()) > 2**62 // span:
            _, code = np.unique(code, return_inverse=True)
        code = code * span + more
    order = np.argsort(code, kind="stable")
    ordered = code[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return order, np.append(starts, len(order))


def _codes(column: Any) -> NDArray[np.int64]:
    """A number from 0 for each value of a column; what is absent counts as a value."""
    if not pa.types.is_string(column.type):
        return np.asarray(column.to_numpy(), np.int64)
    coded = column.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    return np.asarray(pc.fill_null(coded.indices, -1).to_numpy(), np.int64) + 1


def _written(rows: Any, names: dict[str, Callable[[], list[str]]]) -> list[tuple[int, str]]:
    """Time and content of each row, the same whatever format it came in."""
    of = {name: ids() for name, ids in names.items()}
    written = []
    for row in rows.to_pylist():
        values = {**row, **json.loads(row.get(MORE) or "{}")}
        values.pop(MORE, None)
        values.update({name: ids[values[name]] for name, ids in of.items()})
        present = {name: value for name, value in values.items() if value is not None}
        time = present.get("at")
        text = json.dumps(present, sort_keys=True, default=str)
        written.append((-(2**63) if time is None else time, text))
    return written
