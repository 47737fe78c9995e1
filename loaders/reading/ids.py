"""Ids of users or products, numbered while files are read and sorted once all are there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


class Ids:
    """Ids numbered from 0 in the order in which they first appear.

    That order depends on the files, so it stays inside staging: see `sort`.
    """

    def __init__(self) -> None:
        self._ids: Any = pa.array([], pa.string())  # Any: pyarrow has no types
        self._is_used = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return len(self._ids)

    def id(self, number: int) -> str:
        """Return the id of a number."""
        return str(self._ids[number].as_py())

    def take(self, numbers: NDArray[np.int64]) -> Any:
        """Return the ids of numbers as a pyarrow array."""
        return self._ids.take(pa.array(numbers))

    def names(self) -> list[str]:
        """Return the id of each number."""
        return list(self._ids.to_pylist())

    def numbers(self, ids: Any) -> NDArray[np.int32]:
        """Return the number of each id of a pyarrow array; new ids get the next ones."""
        coded = pc.dictionary_encode(ids)
        found = self._lookup(coded.dictionary)
        is_new = found < 0
        found[is_new] = np.arange(len(self), len(self) + int(is_new.sum()))
        if is_new.any():
            self._ids = pa.concat_arrays([self._ids, coded.dictionary.filter(pa.array(is_new))])
            self._is_used = np.append(self._is_used, np.zeros(int(is_new.sum()), np.bool_))
        numbers: NDArray[np.int32] = found[coded.indices.to_numpy()]
        return numbers

    def _lookup(self, ids: Any) -> NDArray[np.int32]:
        """Return the numbers of distinct ids, -1 if not found."""
        found = pc.fill_null(pc.index_in(ids, value_set=self._ids), -1)
        return np.array(found.to_numpy(zero_copy_only=False), np.int32)

    def mark_used(self, numbers: NDArray[np.int32]) -> None:
        """Record that accepted rows refer to these numbers."""
        self._is_used[numbers] = True

    def is_used(self, ids: Any) -> NDArray[np.bool_]:
        """Return whether an accepted row refers to each id of a pyarrow array."""
        coded = pc.dictionary_encode(ids)
        numbers = self._lookup(coded.dictionary)
        used = np.append(self._is_used, False)[numbers]  # number -1: not found
        found: NDArray[np.bool_] = used[coded.indices.to_numpy()]
        return found

    def sort(self) -> tuple[Any, NDArray[np.int32]]:
        """Return the used ids sorted by code point, and the position of each number (-1: none)."""
        numbers = np.flatnonzero(self._is_used)
        ids = self._ids.take(pa.array(numbers))
        # Arrow compares UTF-8 bytes, whose order is that of the code points.
        order = pc.sort_indices(ids).to_numpy()
        places = np.full(len(self), -1, np.int32)
        places[numbers[order]] = np.arange(len(order), dtype=np.int32)
        return ids.take(pa.array(order)), places
