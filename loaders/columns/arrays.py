"""Operations on pyarrow arrays for the conversions (Any: pyarrow has no types)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Converted = tuple[Any, NDArray[np.bool_]]
"""The typed array, and a mask of the rows whose value is invalid."""


def mask_of(values: Any) -> NDArray[np.bool_]:
    """Return a boolean array as a NumPy mask, null as false."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def all_false(values: Any) -> NDArray[np.bool_]:
    """Return a mask that is false in every row."""
    return np.zeros(len(values), np.bool_)


def is_valid(values: Any) -> NDArray[np.bool_]:
    """Return a mask of the rows that are not null."""
    return mask_of(pc.is_valid(values))


def null_where(values: Any, mask: NDArray[np.bool_]) -> Any:
    """Return the array with null where the mask is true."""
    return (
        pc.if_else(pa.array(mask), pa.scalar(None, values.type), values) if mask.any() else values
    )


def integers(values: Any) -> NDArray[np.int64]:
    """Return int64 values as a NumPy array, null as 0."""
    return np.asarray(pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False))


def matches(texts: Any, pattern: str) -> NDArray[np.bool_]:
    """Return a mask of the texts that match a regular expression."""
    return mask_of(pc.match_substring_regex(texts, pattern))


def null_if_empty(texts: Any) -> Any:
    """Return texts with null for an empty one."""
    return null_where(texts, mask_of(pc.equal(texts, "")))


def trimmed(texts: Any) -> Any:
    """Strip white space from texts; an empty text becomes null."""
    return null_if_empty(pc.utf8_trim_whitespace(texts))


def each_distinct(texts: Any, convert: Callable[[str], object], kind: Any) -> Any:
    """Return what a function returns for each text, called once for each distinct one."""
    coded = texts.dictionary_encode()
    found = [convert(text) for text in coded.dictionary.to_pylist()]
    return pa.array(found, kind).take(coded.indices)
