"""Kinds of the additional columns of a text file, inferred from their values."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_PLAIN_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")


def infer_kind(texts: Any) -> str:
    """Infer the narrowest kind of an additional column: integer, number, flag, text, or any.

    A column with a leading zero is text: "00734" is a code, not 734.
    """
    values = [text for text in pc.unique(texts).to_pylist() if text is not None]
    if all(_PLAIN_INTEGER.fullmatch(value) for value in values):
        return "integer" if values else "any"
    if all(_PLAIN_NUMBER.fullmatch(value) for value in values):
        return "number"
    return "flag" if all(value.lower() in ("true", "false") for value in values) else "text"


def common_kind(one: str, other: str) -> str:
    """Return the narrowest kind that includes both."""
    kinds = {one, other} - {"any"}
    if len(kinds) < 2:
        return kinds.pop() if kinds else "any"
    return "number" if kinds == {"integer", "number"} else "text"


def cast_to_kind(texts: Any, kind: str) -> Any:
    """Cast an additional column of texts to its inferred kind."""
    if kind in ("any", "text"):
        return texts
    if kind == "flag":
        return pc.equal(pc.utf8_lower(texts), "true")
    return texts.cast(pa.int64() if kind == "integer" else pa.float64())
