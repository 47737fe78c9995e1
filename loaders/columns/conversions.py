"""Surveys and conversions of the standard columns, by meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kinfolio.loaders.columns.arrays import (
    Converted,
    all_false,
    each_distinct,
    is_valid,
    mask_of,
    null_if_empty,
    null_where,
    trimmed,
)
from kinfolio.loaders.columns.countries import (
    convert_countries,
    convert_country,
    why_no_country,
)
from kinfolio.loaders.columns.ids import MAX_KEY_CHARACTERS, IdSurvey, normalized
from kinfolio.loaders.columns.interpretation import Fixed, Interpretation, Survey
from kinfolio.loaders.columns.numbers import NumberSurvey
from kinfolio.loaders.columns.times import TimeSurvey
from kinfolio.loaders.files.rejects import quoted
from kinfolio.loaders.files.tables import Column
from kinfolio.records import SPLITS

_FLAGS = {
    **dict.fromkeys("true t 1 1.0 yes y on ja j wahr oui vrai si sí".split(), True),
    **dict.fromkeys("false f 0 0.0 no n off nein falsch non faux".split(), False),
}
_EXPECTED = {
    "flag": "is neither true nor false",
    "split": f"is none of {', '.join(SPLITS)}",
    "text": "is not a text",
    "name": f"has more than {MAX_KEY_CHARACTERS} characters",
}


def survey(column: Column) -> Survey:
    """Return the survey that decides how a column is read."""
    if column.meaning == "id":
        return IdSurvey(column.name)
    if column.meaning == "time":
        return TimeSurvey(column.name)
    if column.meaning in ("number", "integer"):
        return NumberSurvey(column.name, is_whole=column.meaning == "integer")
    return Fixed(
        Interpretation(
            convert=_CONVERSIONS[column.meaning],
            why_invalid=lambda value: _why_invalid(column, value),
        )
    )


def _why_invalid(column: Column, value: object) -> tuple[str, str]:
    if column.meaning in ("country", "countries"):
        return why_no_country(column.name, value)
    why = _EXPECTED[column.meaning]
    return f"{column.name} {quoted(value)} {why}", f"{column.name} {why}"


def _text(values: Any) -> Converted:
    """Convert numbers to texts; an empty text becomes null."""
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    return null_if_empty(values), all_false(values)


def _name(values: Any) -> Converted:
    texts = normalized(_text(values)[0])
    return texts, mask_of(pc.greater(pc.utf8_length(texts), MAX_KEY_CHARACTERS))


def _flag(values: Any) -> Converted:
    if pa.types.is_boolean(values.type):
        return values, all_false(values)
    texts = pc.utf8_lower(trimmed(_text(values)[0]))
    flags = each_distinct(texts, _FLAGS.get, pa.bool_())
    return flags, is_valid(texts) & ~is_valid(flags)


def _split(values: Any) -> Converted:
    texts = trimmed(_text(values)[0])
    invalid = is_valid(texts) & ~mask_of(pc.is_in(texts, value_set=pa.array(SPLITS)))
    return null_where(texts, invalid), invalid


_CONVERSIONS: dict[str, Callable[[Any], Converted]] = {
    "name": _name,
    "text": _text,
    "flag": _flag,
    "split": _split,
    "country": convert_country,
    "countries": convert_countries,
}
