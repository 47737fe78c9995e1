"""Ids of one kind, numbered while files are read and sorted once all are there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


class Ids:
    """Ids numbered from 0 in the order in which they first appear.

    That order depends on the files, so it never leaves staging: see `sort`.
    """

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._used = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return len(self._index)

    def names(self) -> list[str]:
        """The id of each number."""
        return list(self._index)

    def numbers(self, ids: Any) -> NDArray[np.int32]:
        """The number of each id of a pyarrow array; new ids get the next ones."""
        coded = pc.dictionary_encode(ids)
        index = self._index
        found = [index.setdefault(id, len(index)) for id in coded.dictionary.to_pylist()]
        numbers: NDArray[np.int32] = np.array(found, np.int32)[coded.indices.to_numpy()]
        return numbers

    def use(self, numbers: NDArray[np.int32]) -> None:
        """Note that rows which are kept name these."""
        if len(self._used) < len(self):
            self._used = np.append(self._used, np.zeros(len(self) - len(self._used), np.bool_))
        self._used[numbers] = True

    def known(self, ids: Any) -> NDArray[np.bool_]:
        """Whether a row that is kept names each id of a pyarrow array."""
        coded = pc.dictionary_encode(ids)
        found = [self._index.get(id, -1) for id in coded.dictionary.to_pylist()]
        if not found:
            return np.zeros(len(ids), np.bool_)
        places = np.array(found, np.int64)
        used = (places >= 0) & (places < len(self._used))
        used[used] = self._used[places[used]]
        known: NDArray[np.bool_] = used[coded.indices.to_numpy()]
        return known

    def sort(self) -> tuple[Any, NDArray[np.int32]]:
        """The ids in use, sorted by code points, and the place there of each number (-1: none)."""
        used = np.zeros(len(self), np.bool_)
        used[: len(self._used)] = self._used
        numbers = np.flatnonzero(used)
        ids = pa.array(self.names(), pa.string()).take(pa.array(numbers))
        # Arrow compares UTF-8 bytes, whose order is that of the code points.
        order = pc.sort_indices(ids).to_numpy()
        places = np.full(len(self), -1, np.int32)
        places[numbers[order]] = np.arange(len(order), dtype=np.int32)
        return ids.take(pa.array(order)), places
