"""Times as milliseconds since 1970 in UTC; a time without a zone is in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.columns.arrays import (
    Converted,
    all_false,
    integers,
    is_valid,
    mask_of,
    matches,
    null_where,
    number,
    trimmed,
)

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_ZONE = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_LAST_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_END_OF_9999_MS = 253_402_300_799_999
_MIN_MILLISECONDS = 100_000_000_000
"""Larger numbers are milliseconds: as seconds they would be after the year 5138."""


def time(values: Any) -> Converted:
    """Convert dates, timestamps, ISO texts and Unix times."""
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        unit = pa.timestamp("ms", tz=kind.tz if pa.types.is_timestamp(kind) else None)
        return values.cast(unit, safe=False).cast(pa.int64()), all_false(values)
    if not pa.types.is_string(kind):
        return _from_unix(*number(values))
    texts = trimmed(values)
    pending = is_valid(texts)
    times = np.zeros(len(texts), np.int64)
    # Common formats are converted as columns, other values (usually invalid) one by one.
    formats: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        (f"{_DATE}({_TIME})?$", lambda part: _from_iso(part, None)),
        (f"{_DATE}{_TIME}{_ZONE}$", lambda part: _from_iso(part, "UTC")),
        (r"^[0-9]{9,14}$", lambda part: _from_unix(*number(part))[0]),
    )
    for pattern, convert in formats:
        fits = pending & matches(texts, pattern) if pending.any() else pending
        if fits.any():
            found = convert(null_where(texts, ~fits))
            done = is_valid(found)
            times[done] = integers(found)[done]
            pending &= ~done
    invalid = all_false(texts)
    for row in np.flatnonzero(pending).tolist():
        parsed = _parse(texts[row].as_py())
        invalid[row] = parsed is None
        times[row] = parsed or 0
    return null_where(pa.array(times), invalid | ~is_valid(texts)), invalid


def _from_iso(texts: Any, zone: str | None) -> Any:
    """Convert texts of the form 2024-02-29...; null if the day does not exist."""
    times = null_where(texts, ~_is_day(texts)).cast(pa.timestamp("us", tz=zone))
    return null_where(pa.array(integers(times) // 1_000), ~is_valid(times))


def _is_day(texts: Any) -> NDArray[np.bool_]:
    """Return whether the first ten characters, such as 2024-02-30, are a valid date."""
    year, month, day = (
        integers(pc.utf8_slice_codeunits(texts, *place)) for place in ((0, 4), (5, 7), (8, 10))
    )
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _LAST_DAYS[np.clip(month, 0, 12)] + (is_leap & (month == 2))
    is_day: NDArray[np.bool_] = (
        (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)
    )
    return is_day


def _from_unix(numbers: Any, invalid: NDArray[np.bool_]) -> Converted:
    is_seconds = pc.less(pc.abs(numbers), float(_MIN_MILLISECONDS))
    scaled = pc.round(pc.if_else(is_seconds, pc.multiply(numbers, 1_000.0), numbers))
    invalid = invalid | mask_of(pc.greater(pc.abs(scaled), float(_END_OF_9999_MS)))
    return null_where(scaled, invalid).cast(pa.int64(), safe=False), invalid


def _parse(text: str) -> int | None:
    """Parse one time; None if it is invalid."""
    try:
        if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text) and not _is_compact_date(text):
            value = float(text)
            scaled = round(value * 1_000 if abs(value) < _MIN_MILLISECONDS else value)
            return scaled if abs(scaled) <= _END_OF_9999_MS else None
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def _is_compact_date(text: str) -> bool:
    """Return whether a text is a date of eight digits, e.g. 20240131."""
    if len(text) != 8 or not text.isdigit():
        return False
    try:
        return date(1900, 1, 1) <= datetime.strptime(text, "%Y%m%d").date() < date(2101, 1, 1)
    except ValueError:
        return False
