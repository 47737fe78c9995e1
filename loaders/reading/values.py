"""Properties of some rows in columns, and which of them differ from what the graph has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from kinfolio.loaders.reading.readers import MORE

ABSENT: Any = object()  # Any: it stands among values of every kind
"""In place of a value of which the input says nothing, so that it stays as it is."""

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Values:
    """Columns of properties."""

    names: list[str]
    columns: list[list[Any]]
    """Any: texts, numbers, flags, times, lists; None removes, `ABSENT` leaves alone."""

    def row(self, number: int) -> dict[str, Any]:
        """What the input says of one row."""
        return {
            name: value
            for name, column in zip(self.names, self.columns, strict=True)
            if (value := column[number]) is not ABSENT
        }

    def present(self, number: int) -> dict[str, Any]:
        """The properties that one row has."""
        return {name: value for name, value in self.row(number).items() if value is not None}

    def differ(self, number: int, there: Sequence[Any]) -> bool:
        """Whether the graph has other values, in the order of `names`, than one row says."""
        return any(
            column[number] is not ABSENT and not _same(column[number], value)
            for column, value in zip(self.columns, there, strict=True)
        )

    def column(self, name: str, length: int) -> list[Any]:
        """One column, or nothing but None."""
        if name in self.names:
            return self.columns[self.names.index(name)]
        return [None] * length

    def others(self, known: Sequence[str]) -> Values:
        """The columns of other names."""
        kept = [number for number, name in enumerate(self.names) if name not in known]
        return Values([self.names[n] for n in kept], [self.columns[n] for n in kept])


def values_of(rows: Any, without: Sequence[str]) -> Values:
    """The columns of a pyarrow table or batch but some, unknown fields of `.jsonl` taken apart."""
    names: list[str] = []
    columns: list[list[Any]] = []
    for name in rows.schema.names:
        if name != MORE and name not in without:
            names.append(name)
            columns.append(rows.column(name).to_pylist())
    if MORE in rows.schema.names:
        found = [json.loads(text) if text else {} for text in rows.column(MORE).to_pylist()]
        for name in sorted({name for row in found for name in row}):
            names.append(name)
            columns.append([row.get(name, ABSENT) for row in found])
    return Values(names, columns)


def _same(one: Any, other: Any) -> bool:
    # 1, 1.0 and True are equal in Python and three values in the graph.
    return bool(one == other) and (
        type(one) is type(other) or not isinstance(one, bool | int | float)
    )


def ahead(make: Callable[[_T], _R], items: Iterator[_T]) -> Iterator[_R]:
    """What is made of each item, the next one being made while the last is in use."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = None
        for item in items:
            following = pool.submit(make, item)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
