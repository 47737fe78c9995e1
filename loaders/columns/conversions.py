"""Conversion of raw columns to the types of the graph, with a mask of the invalid values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kinfolio.loaders.columns.arrays import (
    Converted,
    all_false,
    is_valid,
    mask_of,
    matches,
    null_where,
    number,
    trimmed,
)
from kinfolio.loaders.columns.interpretation import Fixed, Interpretation, Survey
from kinfolio.loaders.columns.times import time
from kinfolio.loaders.files.rejects import quoted
from kinfolio.loaders.files.tables import Column, Meaning
from kinfolio.records import SPLITS

MAX_KEY_CHARACTERS = 1_000
"""Maximum length of an id or an indexed name; the server's index accepts about 8,000 bytes."""

_INTEGER = r"^[+-]?[0-9]{1,18}(\.0*)?$"
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_EXPECTED = {
    "number": "is not a number",
    "integer": "is not a whole number",
    "flag": "is neither true nor false",
    "time": "is not a time: an ISO date, or seconds or milliseconds since 1970, was expected",
    "split": f"is none of {', '.join(SPLITS)}",
    "list": "is not a list of texts",
    "text": "is not a text",
}


def survey(column: Column) -> Survey:
    """Return the survey that decides how a column is read."""
    return Fixed(
        Interpretation(
            convert=_CONVERSIONS[column.meaning],
            why_invalid=lambda value: _why_invalid(column, value),
        )
    )


def _why_invalid(column: Column, value: object) -> tuple[str, str]:
    if column.meaning in ("id", "name"):
        if value is None or not str(value).strip():
            return f"no {column.name}", f"no {column.name}"
        why = f"has more than {MAX_KEY_CHARACTERS} characters"
    else:
        why = _EXPECTED[column.meaning]
    return f"{column.name} {quoted(value)} {why}", f"{column.name} {why}"


def _text(values: Any) -> Converted:
    """Convert numbers to texts; an empty text becomes null."""
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    return null_where(values, mask_of(pc.equal(values, ""))), all_false(values)


def _id(values: Any) -> Converted:
    texts, too_long = _name(values)
    return texts, too_long | ~is_valid(trimmed(texts))


def _name(values: Any) -> Converted:
    texts, _ = _text(values)
    return texts, mask_of(pc.greater(pc.utf8_length(texts), MAX_KEY_CHARACTERS))


def _integer(values: Any) -> Converted:
    numbers, invalid = number(values)
    if pa.types.is_string(values.type):
        texts = trimmed(values)
        invalid = invalid | (is_valid(texts) & ~matches(texts, _INTEGER))
    else:
        invalid = invalid | mask_of(pc.not_equal(numbers, pc.floor(numbers)))
        invalid = invalid | mask_of(pc.greater(pc.abs(numbers), 1e15))
    return null_where(numbers, invalid).cast(pa.int64(), safe=False), invalid


def _flag(values: Any) -> Converted:
    if pa.types.is_boolean(values.type):
        return values, all_false(values)
    texts = pc.utf8_lower(trimmed(_text(values)[0]))
    found = [None if text is None else _FLAGS.get(text) for text in texts.to_pylist()]
    flags = pa.array(found, pa.bool_())
    return flags, is_valid(texts) & ~is_valid(flags)


def _split(values: Any) -> Converted:
    texts = trimmed(_text(values)[0])
    invalid = is_valid(texts) & ~mask_of(pc.is_in(texts, value_set=pa.array(SPLITS)))
    return null_where(texts, invalid), invalid


def _list(values: Any) -> Converted:
    """Convert to lists of texts; a text is split at `|` and `,`."""
    kind = values.type
    parts: list[list[str] | None]
    if pa.types.is_null(kind):
        parts = [None] * len(values)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        parts = [
            [str(part) for part in value or () if part not in (None, "")]
            for value in values.to_pylist()
        ]
    else:
        parts = [
            [part for piece in re.split(r"[|,]", text or "") if (part := piece.strip())]
            for text in _text(values)[0].to_pylist()
        ]
    return pa.array([part or None for part in parts], pa.list_(pa.string())), all_false(values)


_CONVERSIONS: dict[Meaning, Callable[[Any], Converted]] = {
    "id": _id,
    "name": _name,
    "text": _text,
    "number": number,
    "integer": _integer,
    "flag": _flag,
    "time": time,
    "split": _split,
    "list": _list,
}
