"""Columns of ids in their normal form; the same for every table and file format."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kinfolio.ids import OUTER_CHARACTERS, normalized_id
from kinfolio.loaders.columns.arrays import (
    Converted,
    is_valid,
    mask_of,
    matches,
    null_if_empty,
    null_where,
)
from kinfolio.loaders.columns.interpretation import Interpretation
from kinfolio.loaders.files.rejects import quoted

MAX_KEY_CHARACTERS = 1_000
"""Maximum length of an id or an indexed name; the server's index accepts about 8,000 bytes."""
_FLOAT = r"^-?(0|[1-9][0-9]*)\.0*$"
_INTEGER = r"^-?(0|[1-9][0-9]*)$"
_EXACT_BITS = {64: 53, 32: 24}
"""Up to this power of 2 every integer is a float of this width."""


def normalized(texts: Any) -> Any:
    """Return the normal form of texts, as `kinfolio.ids.normalized_id`; an empty one is null."""
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pc.utf8_normalize(texts, form="NFC")
    return null_if_empty(pc.utf8_trim(texts, characters=OUTER_CHARACTERS))


def as_texts(values: Any) -> Converted:
    """Convert a raw column of ids to texts; floats that may have lost digits are invalid."""
    if not pa.types.is_floating(values.type):
        return values.cast(pa.string()), np.zeros(len(values), np.bool_)
    limit = 2.0 ** _EXACT_BITS[values.type.bit_width]
    values = values.cast(pa.float64())
    values = null_where(values, mask_of(pc.is_nan(values)))
    is_inexact = mask_of(pc.greater(pc.abs(values), limit))
    values = null_where(values, is_inexact)
    is_whole = mask_of(pc.equal(values, pc.trunc(values)))
    whole = null_where(values, ~is_whole).cast(pa.int64()).cast(pa.string())
    return pc.if_else(pa.array(is_whole), whole, values.cast(pa.string())), is_inexact


class IdSurvey:
    """Decides whether all ids of a column are integers or integral floats, `1.0`.

    pandas writes a column of integers so when a value is missing; they are read as `1`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._has_float = self._has_other = False

    def add(self, values: Any) -> None:
        """Count the values of a pyarrow array."""
        if not self._has_other:
            ids = normalized(as_texts(values)[0])
            is_float = matches(ids, _FLOAT)
            self._has_float |= bool(is_float.any())
            self._has_other = bool((is_valid(ids) & ~is_float & ~matches(ids, _INTEGER)).any())

    def interpretation(self) -> Interpretation:
        """Return the interpretation of all values added."""
        is_integral = self._has_float and not self._has_other
        return Interpretation(
            convert=lambda values: _convert(values, is_integral=is_integral),
            why_invalid=self._why_invalid,
            name="integers written as decimals" if is_integral else "",
        )

    def _why_invalid(self, value: Any) -> tuple[str, str]:
        text = "" if value is None else normalized_id(str(value))
        if not text or value != value:
            return f"no {self._name}", f"no {self._name}"
        why = f"has more than {MAX_KEY_CHARACTERS} characters"
        if len(text) <= MAX_KEY_CHARACTERS:
            why = "is a float that may have lost digits; write ids as texts or integers"
        return f"{self._name} {quoted(value)} {why}", f"{self._name} {why}"


def _convert(values: Any, *, is_integral: bool) -> Converted:
    texts, is_inexact = as_texts(values)
    ids = normalized(texts)
    if is_integral:
        ids = pc.replace_substring_regex(ids, pattern=r"\.0*$", replacement="")
    too_long = mask_of(pc.greater(pc.utf8_length(ids), MAX_KEY_CHARACTERS))
    return ids, is_inexact | too_long | ~is_valid(ids)
