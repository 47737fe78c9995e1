"""Properties of rows in columns, compared with those in the graph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pyarrow as pa

from kinfolio.loaders.files.source import MORE

ABSENT: Any = object()  # Any: occurs among values of every type
"""Value of a property that the input does not have: the graph's value stays unchanged."""


@dataclass(frozen=True, slots=True)
class Values:
    """Columns of properties."""

    names: list[str]
    columns: list[list[Any]]
    """Any: texts, numbers, flags, times, lists; None removes a property."""

    def row(self, number: int) -> dict[str, Any]:
        """Return the properties of one row, without `ABSENT` ones."""
        return {
            name: value
            for name, column in zip(self.names, self.columns, strict=True)
            if (value := column[number]) is not ABSENT
        }

    def present(self, number: int) -> dict[str, Any]:
        """Return the properties of one row that are not null."""
        return {name: value for name, value in self.row(number).items() if value is not None}

    def differ(self, number: int, stored: Sequence[Any]) -> bool:
        """Return whether one row differs from stored values in the order of `names`."""
        return any(
            column[number] is not ABSENT and not _is_same(column[number], value)
            for column, value in zip(self.columns, stored, strict=True)
        )

    def column(self, name: str, length: int) -> list[Any]:
        """Return one column; all None if there is no such column."""
        if name in self.names:
            return self.columns[self.names.index(name)]
        return [None] * length

    def without(self, names: Sequence[str]) -> Values:
        """Return the columns with other names."""
        others = [number for number, name in enumerate(self.names) if name not in names]
        return Values([self.names[n] for n in others], [self.columns[n] for n in others])


def values_of(rows: Any, without: Sequence[str]) -> Values:
    """Return the columns of a pyarrow table or batch, with one for each field in `MORE`."""
    names = [name for name in rows.schema.names if name != MORE and name not in without]
    columns = [_python(rows.column(name)) for name in names]
    if MORE in rows.schema.names:
        more = [json.loads(text) if text else {} for text in rows.column(MORE).to_pylist()]
        for name in sorted({name for row in more for name in row}):
            names.append(name)
            columns.append([row.get(name, ABSENT) for row in more])
    return Values(names, columns)


def _python(column: Any) -> list[Any]:
    """Return the values of a column as the driver takes them.

    Times are given in `datetime.UTC`: the driver passes its own class to a `ZoneInfo`, whose C code
    crashes on it.
    """
    if not (pa.types.is_timestamp(column.type) and column.type.tz):
        return list(column.to_pylist())
    moments = column.cast(pa.timestamp("us")).to_pylist()
    return [moment and moment.replace(tzinfo=UTC) for moment in moments]


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        if any(type(part) is float for part in one):  # the graph stores such a list as floats
            one = list(map(float, one))
        return len(one) == len(other) and all(map(_is_same, one, other))
    # 1, 1.0 and True are equal in Python and three values in the graph.
    return bool(one == other) and (
        type(one) is type(other) or not isinstance(one, bool | int | float)
    )
