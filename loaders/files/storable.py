"""Columns of any Arrow type as the few types that a graph stores.

They are text, whole number, number, flag, date, time, and lists of the first four. Times of every
zone become UTC: the instant stays.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types

_LISTS = (
    types.is_list,
    types.is_large_list,
    types.is_fixed_size_list,
    types.is_list_view,
    types.is_large_list_view,
)
_TEXTS = (types.is_string, types.is_large_string, types.is_string_view, types.is_null)
_BYTES = (
    types.is_binary,
    types.is_large_binary,
    types.is_binary_view,
    types.is_fixed_size_binary,
)
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""First and last date that Python and the driver have, 0001-01-01 and 9999-12-31."""
_DAY_US = 86_400_000_000

Storable = tuple[Any, NDArray[np.bool_], str]
"""The column, a mask of the values that cannot be stored, and why they cannot."""


def storable_type(kind: Any) -> Any | None:
    """Return the type that a column of another type is stored as; None if it cannot be."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.string() if isinstance(kind, pa.UuidType) else storable_type(kind.storage_type)
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return storable_type(kind.value_type)
    if any(test(kind) for test in (*_TEXTS, *_BYTES)):
        return pa.string()
    if types.is_boolean(kind):
        return pa.bool_()
    if types.is_integer(kind):
        return pa.int64()
    if types.is_decimal(kind):
        return pa.int64() if kind.scale <= 0 else pa.float64()
    if types.is_floating(kind):
        return pa.float32() if types.is_float32(kind) else pa.float64()
    if types.is_date(kind):
        return pa.date32()
    if types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if any(test(kind) for test in _LISTS):
        inner = storable_type(kind.value_type)
        is_plain = inner is not None and not types.is_nested(inner) and not types.is_temporal(inner)
        return pa.list_(inner) if is_plain else None
    return None


def storable(values: Any, target: Any) -> Storable:
    """Convert a column to the type that `storable_type` returned, or to text."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        if isinstance(kind, pa.UuidType):
            texts = [value and str(UUID(bytes=value)) for value in values.storage.to_pylist()]
            return _all_valid(pa.array(texts, pa.string()))
        return storable(values.storage, target)
    if types.is_dictionary(kind):
        return storable(values.dictionary_decode(), target)
    if types.is_run_end_encoded(kind):
        return storable(pc.run_end_decode(values), target)
    if any(test(kind) for test in (*_BYTES, *_TEXTS)):
        return _decoded(values)
    if types.is_nested(target):
        return _list(values, target)
    if types.is_integer(target):
        return _where_it_fits(values, target, "is too large")
    if types.is_temporal(target):
        return _moment(values, target)
    values = values.cast(target)
    if types.is_floating(target):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, target), values)
    return _all_valid(values)


def _all_valid(values: Any) -> Storable:
    return values, np.zeros(len(values), np.bool_), ""


def _without(values: Any, invalid: NDArray[np.bool_]) -> Any:
    if not invalid.any():
        return values
    return pc.if_else(pa.array(invalid), pa.scalar(None, values.type), values)


def _where_it_fits(values: Any, target: Any, why: str) -> Storable:
    """Cast; values for which the cast fails are invalid."""
    try:
        return _all_valid(values.cast(target))
    except pa.ArrowInvalid:
        invalid = np.zeros(len(values), np.bool_)
        for row in range(len(values)):
            try:
                values[row : row + 1].cast(target)
            except pa.ArrowInvalid:
                invalid[row] = True
        return _without(values, invalid).cast(target), invalid, why


def _decoded(values: Any) -> Storable:
    """Decode bytes, as which some Parquet files hold texts, and check texts, which may be none."""
    return _where_it_fits(values.cast(pa.binary()), pa.string(), "is not UTF-8")


def _moment(values: Any, target: Any) -> Storable:
    """Convert dates and times; those that no calendar of the driver has are invalid."""
    per_day = {"s": 86_400, "ms": 86_400_000, "us": _DAY_US, "ns": _DAY_US * 1_000}
    raw = values.cast(pa.int32() if types.is_date32(values.type) else pa.int64()).cast(pa.int64())
    unit = 1 if types.is_date32(values.type) else per_day[getattr(values.type, "unit", "ms")]
    days = pc.fill_null(raw, 0).to_numpy() // unit
    invalid: NDArray[np.bool_] = (days < _FIRST_DAY) | (days > _LAST_DAY)
    values = _without(values, invalid)
    if types.is_date64(values.type):  # one that is no whole day is not cast
        values = values.cast(pa.timestamp("ms"))
    return values.cast(target, safe=False), invalid, "is not between the years 1 and 9999"


def _list(values: Any, target: Any) -> Storable:
    """Convert lists; one with an empty entry, or with one that cannot be stored, is invalid."""
    lengths = pc.fill_null(pc.list_value_length(values), 0).cast(pa.int64()).to_numpy()
    parts, wrong, why = storable(pc.list_flatten(values), target.value_type)
    wrong = wrong | pc.is_null(parts).to_numpy(zero_copy_only=False)
    invalid = np.zeros(len(values), np.bool_)
    invalid[np.repeat(np.arange(len(values)), lengths)[wrong]] = True
    offsets = pa.array(np.append(0, np.cumsum(lengths)), pa.int32())
    is_null = pc.is_null(values) if values.null_count else None
    lists = pa.ListArray.from_arrays(offsets, parts, type=target, mask=is_null)
    why = f"has an entry that {why}" if why else "has an empty entry"
    return _without(lists, invalid), invalid, why
