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
        self._ids: Any = pa.array([], pa.string())  # Any: pyarrow has no types
        self._used = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return len(self._ids)

    def names(self) -> list[str]:
        """The id of each number."""
        return list(self._ids.to_pylist())

    def numbers(self, ids: Any) -> NDArray[np.int32]:
        """The number of each id of a pyarrow array; new ids get the next ones."""
        coded = pc.dictionary_encode(ids)
        found = self._places(coded.dictionary)
        new = found < 0
        found[new] = np.arange(len(self), len(self) + int(new.sum()))
        if new.any():
            self._ids = pa.concat_arrays([self._ids, coded.dictionary.filter(pa.array(new))])
        numbers: NDArray[np.int32] = found[coded.indices.to_numpy()]
        return numbers

    def _places(self, ids: Any) -> NDArray[np.int32]:
        """The number of each of some different ids, -1 for those that have none."""
        found = pc.fill_null(pc.index_in(ids, value_set=self._ids), -1)
        return np.array(found.to_numpy(zero_copy_only=False), np.int32)

    def use(self, numbers: NDArray[np.int32]) -> None:
        """Note that rows which are kept name these."""
        if len(self._used) < len(self):
            self._used = np.append(self._used, np.zeros(len(self) - len(self._used), np.bool_))
        self._used[numbers] = True

    def known(self, ids: Any) -> NDArray[np.bool_]:
        """Whether a row that is kept names each id of a pyarrow array."""
        coded = pc.dictionary_encode(ids)
        places = self._places(coded.dictionary)
        used = (places >= 0) & (places < len(self._used))
        used[used] = self._used[places[used]]
        known: NDArray[np.bool_] = used[coded.indices.to_numpy()]
        return known

    def sort(self) -> tuple[Any, NDArray[np.int32]]:
        """The ids in use, sorted by code points, and the place there of each number (-1: none)."""
        used = np.zeros(len(self), np.bool_)
        used[: len(self._used)] = self._used
        numbers = np.flatnonzero(used)
        ids = self._ids.take(pa.array(numbers))
        # Arrow compares UTF-8 bytes, whose order is that of the code points.
        order = pc.sort_indices(ids).to_numpy()
        places = np.full(len(self), -1, np.int32)
        places[numbers[order]] = np.arange(len(order), dtype=np.int32)
        return ids.take(pa.array(order)), places
