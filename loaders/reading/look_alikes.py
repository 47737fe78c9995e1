"""Notes on ids that may be the same in fact: tables that do not meet, ids that look alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.columns.arrays import mask_of
from kinfolio.loaders.files.rejects import quoted
from kinfolio.loaders.reading.ids import Ids
from kinfolio.loaders.reading.staged import ENDS, StagedTable

_FEWEST_IDS = 3
"""Tables with fewer ids are not compared."""
_FEW_SHARED = 0.05
"""Tables that share at most this fraction of their ids do not meet."""


def _without(pattern: str, replacement: str = "") -> Callable[[Any], Any]:
    return lambda texts: pc.replace_substring_regex(texts, pattern=pattern, replacement=replacement)


_DIFFERENCES: dict[str, Callable[[Any], Any]] = {
    "the width or form of letters": lambda texts: pc.utf8_normalize(texts, form="NFKC"),
    "case": pc.utf8_lower,
    "invisible characters": _without(r"\p{Cf}+"),
    "blanks": _without(r"[\s\p{Z}]+"),
    "a decimal point": _without(r"\.0*$"),
    "leading zeros": _without(r"(^|[^0-9])0+([0-9])", r"\1\2"),
}
"""What may be the only difference of two ids, and the texts without it, in this order."""


def look_alikes(tables: dict[str, StagedTable], ids: dict[str, Ids]) -> Iterator[str]:
    """Yield one sentence for each two tables that do not meet, and each kind of look-alike ids."""
    for kind, known in ids.items():
        used: dict[str, NDArray[np.bool_]] = {}
        for staged in tables.values():
            is_used = np.zeros(len(known), np.bool_)
            for name, of in ENDS[staged.file.table].items():
                if of == kind and len(staged):
                    is_used[staged.table().column(name).to_numpy()[staged.keep]] = True
            if is_used.any():
                used[staged.file.name] = is_used
        yield from _strangers(kind, known, used)
        yield from _pairs(kind, known, used)


def _strangers(kind: str, known: Ids, used: dict[str, NDArray[np.bool_]]) -> Iterator[str]:
    """Yield the pairs of tables that share almost no ids."""
    for (one, of_one), (other, of_other) in combinations(used.items(), 2):
        fewer = min(int(of_one.sum()), int(of_other.sum()))
        shared = int((of_one & of_other).sum())
        if fewer >= _FEWEST_IDS and shared <= fewer * _FEW_SHARED:
            examples = [
                quoted(known.id(int(np.flatnonzero(mask)[0])))
                for mask in (of_one & ~of_other, of_other & ~of_one)
                if mask.any()
            ]
            yield (
                f"{one} and {other} share {shared:,} of {fewer:,} {kind}s, e.g. "
                f"{' and '.join(examples)}; if they are the same {kind}s, write their ids alike"
            )


def _pairs(kind: str, known: Ids, used: dict[str, NDArray[np.bool_]]) -> Iterator[str]:
    """Yield the kinds of difference between ids that are otherwise the same, with an example."""
    numbers = np.flatnonzero(np.logical_or.reduce([*used.values(), np.zeros(len(known), bool)]))
    ids = known.take(numbers)
    codes = _folded(ids).dictionary_encode().indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    after = np.flatnonzero(np.diff(codes[order]) == 0) + 1
    one, other = (ids.take(pa.array(order[places])) for places in (after - 1, after))
    left = np.ones(len(after), np.bool_)
    for name in _DIFFERENCES:
        differs = left & mask_of(pc.not_equal(_folded(one, name), _folded(other, name)))
        if not differs.any():
            continue
        left &= ~differs
        first = int(np.flatnonzero(differs)[0])
        places = [
            f"{quoted(ids[row].as_py())} in {_file(used, int(numbers[row]))}"
            for row in order[after[first] - 1 : after[first] + 1].tolist()
        ]
        others = int(differs.sum()) - 1
        more = f", and {others:,} more like these" if others else ""
        yield f"the {kind}s {' and '.join(places)} differ only in {name}{more}"


def _folded(ids: Any, without: str = "") -> Any:
    """Return ids without all differences except one."""
    for name, remove in _DIFFERENCES.items():
        ids = ids if name == without else remove(ids)
    return ids


def _file(used: dict[str, NDArray[np.bool_]], number: int) -> str:
    return next(file for file, is_used in used.items() if is_used[number])
