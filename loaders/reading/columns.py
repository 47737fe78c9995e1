"""From what a file says to what the graph stores, one column at a time.

Every conversion gives the typed array and a mask of the rows whose value is not what the column
means. pyarrow does the work for whole columns; the few odd values are looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.reading.rejects import shown
from kinfolio.loaders.reading.tables import Column, Meaning
from kinfolio.records import SPLITS

LONGEST_KEY = 1_000
"""Characters of an id or a name that is looked up; the server's index takes about 8,000 bytes."""

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$"
_INTEGER = r"^[+-]?[0-9]{1,18}(\.0*)?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_ZONE = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_YEAR_9999 = 253_402_300_799_999
_MILLISECONDS_FROM = 100_000_000_000
"""A number of this size or more counts milliseconds: as seconds it would be the year 5138."""
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_KEPT_PLAIN = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_KEPT_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")

Converted = tuple[Any, NDArray[np.bool_]]
"""Any: pyarrow has no types. The typed array and a mask of the rows that are wrong."""


def convert(column: Column, values: Any) -> Converted:
    """The column as the graph stores it, and a mask of the rows that are wrong."""
    return _CONVERSIONS[column.meaning](_plain(values))


def reason(column: Column, value: object) -> tuple[str, str]:
    """Why a value is wrong for a column, for the user; and the same without the value."""
    if column.meaning in ("id", "name"):
        if value is None or not str(value).strip():
            return f"no {column.name}", f"no {column.name}"
        why = f"has more than {LONGEST_KEY} characters"
    else:
        why = _EXPECTED[column.meaning]
    return f"{column.name} {shown(value)} {why}", f"{column.name} {why}"


_EXPECTED = {
    "number": "is not a number",
    "integer": "is not a whole number",
    "flag": "is neither true nor false",
    "time": "is not a time: an ISO date, or seconds or milliseconds since 1970, was expected",
    "split": f"is none of {', '.join(SPLITS)}",
    "list": "is not a list of texts",
    "text": "is not a text",
}


def _plain(values: Any) -> Any:
    """The array without dictionaries and with one kind of text."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


def _mask(values: Any) -> NDArray[np.bool_]:
    """A boolean array as numpy's, null as false."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _null_where(values: Any, wrong: NDArray[np.bool_]) -> Any:
    if not wrong.any():
        return values
    return pc.if_else(pa.array(wrong), pa.scalar(None, values.type), values)


def _text(values: Any) -> Converted:
    """Texts, an empty one as null; numbers are written out."""
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    return _null_where(values, _mask(pc.equal(values, ""))), np.zeros(len(values), np.bool_)


def _id(values: Any) -> Converted:
    texts, _ = _text(values)
    blank = _mask(pc.equal(pc.utf8_trim_whitespace(texts), "")) | _mask(pc.is_null(texts))
    return texts, blank | _too_long(texts)


def _name(values: Any) -> Converted:
    texts, _ = _text(values)
    return texts, _too_long(texts)


def _too_long(texts: Any) -> NDArray[np.bool_]:
    return _mask(pc.greater(pc.utf8_length(texts), LONGEST_KEY))


def _number(values: Any) -> Converted:
    if pa.types.is_string(values.type):
        texts = _trimmed(values)
        fits = _mask(pc.match_substring_regex(texts, _NUMBER))
        wrong = _mask(pc.is_valid(texts)) & ~fits
        # Arrow's cast knows no leading plus.
        numbers = pc.ascii_ltrim(_null_where(texts, wrong), "+").cast(pa.float64())
    elif pa.types.is_boolean(values.type) or pa.types.is_temporal(values.type):
        return pa.nulls(len(values), pa.float64()), _mask(pc.is_valid(values))
    else:
        numbers = values.cast(pa.float64())
        wrong = np.zeros(len(values), np.bool_)
    wrong = wrong | (_mask(pc.is_valid(numbers)) & ~_mask(pc.is_finite(numbers)))
    return _null_where(numbers, wrong), wrong


def _integer(values: Any) -> Converted:
    numbers, wrong = _number(values)
    if pa.types.is_string(values.type):
        texts = _trimmed(values)
        wrong = wrong | (
            _mask(pc.is_valid(texts)) & ~_mask(pc.match_substring_regex(texts, _INTEGER))
        )
    else:
        wrong = wrong | _mask(pc.not_equal(numbers, pc.floor(numbers)))
        wrong = wrong | _mask(pc.greater(pc.abs(numbers), 1e15))
    return _null_where(numbers, wrong).cast(pa.int64(), safe=False), wrong


def _flag(values: Any) -> Converted:
    if pa.types.is_boolean(values.type):
        return values, np.zeros(len(values), np.bool_)
    texts = pc.utf8_lower(_trimmed(_text(values)[0]))
    found = [None if text is None else _FLAGS.get(text) for text in texts.to_pylist()]
    flags = pa.array(found, pa.bool_())
    return flags, _mask(pc.is_valid(texts)) & ~_mask(pc.is_valid(flags))


def _split(values: Any) -> Converted:
    texts = _trimmed(_text(values)[0])
    wrong = _mask(pc.is_valid(texts)) & ~_mask(pc.is_in(texts, value_set=pa.array(SPLITS)))
    return _null_where(texts, wrong), wrong


def _list(values: Any) -> Converted:
    """Lists of texts; a text is cut at `|` or `,`."""
    nothing = np.zeros(len(values), np.bool_)
    kind = values.type
    if pa.types.is_null(kind):
        return values.cast(pa.list_(pa.string())), nothing
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        parts = [
            None if value is None else [str(part) for part in value if part not in (None, "")]
            for value in values.to_pylist()
        ]
    else:
        parts = [
            None
            if text is None
            else [part for piece in re.split(r"[|,]", text) if (part := piece.strip())]
            for text in _text(values)[0].to_pylist()
        ]
    return pa.array([part or None for part in parts], pa.list_(pa.string())), nothing


def _time(values: Any) -> Converted:
    """Milliseconds since 1970 in UTC; a time without a zone is taken for UTC."""
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        unit = pa.timestamp("ms", tz=kind.tz if pa.types.is_timestamp(kind) else None)
        return values.cast(unit, safe=False).cast(pa.int64()), np.zeros(len(values), np.bool_)
    if not pa.types.is_string(kind):
        numbers, wrong = _number(values)
        return _from_unix(numbers, wrong)
    texts = _trimmed(values)
    waiting = _mask(pc.is_valid(texts))
    times = np.zeros(len(texts), np.int64)
    # Whole columns at once; what is left over, damaged rows as a rule, one by one.
    ways: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        (f"{_DATE}({_TIME})?$", lambda part: _iso(part, None)),
        (f"{_DATE}{_TIME}{_ZONE}$", lambda part: _iso(part, "UTC")),
        (r"^[0-9]{9,14}$", lambda part: _from_unix(*_number(part))[0]),
    )
    for pattern, read in ways:
        if not waiting.any():
            break
        fits = waiting & _mask(pc.match_substring_regex(texts, pattern))
        if fits.any():
            found = read(_null_where(texts, ~fits))
            done = _mask(pc.is_valid(found))
            times[done] = pc.fill_null(found, 0).to_numpy(zero_copy_only=False)[done]
            waiting &= ~done
    wrong = np.zeros(len(texts), np.bool_)
    for row in np.flatnonzero(waiting).tolist():
        time = _one_time(texts[row].as_py())
        wrong[row] = time is None
        times[row] = time or 0
    return _null_where(pa.array(times), wrong | _mask(pc.is_null(texts))), wrong


def _iso(texts: Any, zone: str | None) -> Any:
    """Milliseconds of texts of ISO's form; null where there is no such day."""
    texts = _null_where(texts, ~_is_day(texts))
    return _whole_milliseconds(texts.cast(pa.timestamp("us", tz=zone)))


def _is_day(texts: Any) -> NDArray[np.bool_]:
    """Whether texts that begin like 2024-02-30 name a day of the calendar; null does not."""
    year, month, day = (
        pc.fill_null(pc.utf8_slice_codeunits(texts, *place).cast(pa.int64()), 0).to_numpy(
            zero_copy_only=False
        )
        for place in ((0, 4), (5, 7), (8, 10))
    )
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _DAYS[np.clip(month, 0, 12)] + (leap & (month == 2))
    found: NDArray[np.bool_] = (
        (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)
    )
    return found


def _whole_milliseconds(times: Any) -> Any:
    micros = pc.fill_null(times.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    return _null_where(pa.array(micros // 1_000), _mask(pc.is_null(times)))


def _from_unix(numbers: Any, wrong: NDArray[np.bool_]) -> Converted:
    seconds = pc.less(pc.abs(numbers), float(_MILLISECONDS_FROM))
    scaled = pc.round(pc.if_else(seconds, pc.multiply(numbers, 1_000.0), numbers))
    wrong = wrong | _mask(pc.greater(pc.abs(scaled), float(_YEAR_9999)))
    return _null_where(scaled, wrong).cast(pa.int64(), safe=False), wrong


def _one_time(text: str) -> int | None:
    """One time in milliseconds, or None when it is none."""
    try:
        if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text) and not _is_compact_date(text):
            number = float(text)
            scaled = round(number * 1_000 if abs(number) < _MILLISECONDS_FROM else number)
            return scaled if abs(scaled) <= _YEAR_9999 else None
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def _is_compact_date(text: str) -> bool:
    """Whether eight digits are a day, as 20240131; as seconds they would lie before 1973."""
    if len(text) != 8 or not text.isdigit():
        return False
    try:
        return date(1900, 1, 1) <= datetime.strptime(text, "%Y%m%d").date() < date(2101, 1, 1)
    except ValueError:
        return False


def _trimmed(values: Any) -> Any:
    texts = pc.utf8_trim_whitespace(values)
    return _null_where(texts, _mask(pc.equal(texts, "")))


_CONVERSIONS: dict[Meaning, Callable[[Any], Converted]] = {
    "id": _id,
    "name": _name,
    "text": _text,
    "number": _number,
    "integer": _integer,
    "flag": _flag,
    "time": _time,
    "split": _split,
    "list": _list,
}


def kept_kind(texts: Any) -> str:
    """Narrowest kind that a column of texts of an unknown column fits: integer, number, flag, text.

    A leading zero keeps a column text: "00734" is a code, not 734.
    """
    values = [text for text in pc.unique(texts).to_pylist() if text is not None]
    if all(_KEPT_PLAIN.fullmatch(value) for value in values):
        return "integer" if values else "any"
    if all(_KEPT_DECIMAL.fullmatch(value) for value in values):
        return "number"
    return "flag" if all(value.lower() in ("true", "false") for value in values) else "text"


def wider(one: str, other: str) -> str:
    """The narrowest kind that holds both."""
    if one == other or other == "any":
        return one
    if one == "any":
        return other
    return "number" if {one, other} == {"integer", "number"} else "text"


def kept(texts: Any, kind: str) -> Any:
    """An unknown column of texts as the kind it was found to be."""
    if kind in ("any", "text"):
        return texts
    if kind == "flag":
        return pc.equal(pc.utf8_lower(texts), "true")
    return texts.cast(pa.int64() if kind == "integer" else pa.float64())
