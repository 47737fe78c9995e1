"""JSON for other programs: any value of the graph, and nothing that JSON does not have."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that a terminal obeys or does not show: control characters, bidirectional and
invisible marks, separators of lines and paragraphs, halves of surrogate pairs."""


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON; `UNSAFE` characters are escaped, other letters are not.

    NaN and infinity, which JSON does not have, become null; dates, times and durations ISO 8601
    texts; points objects; bytes hexadecimal texts; dataclasses objects.
    """
    text = json.dumps(plain_value(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    # Line breaks are those between the lines of a document: in strings they are escaped already.
    return "\n" if found[0] == "\n" else json.dumps(found[0])[1:-1]


def plain_value(value: Any) -> Any:
    """Return a value with the types of JSON only. Any: a value of any type."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain_value(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain_value(one) for key, one in value.items()}
    # A duration and a point of the driver are tuples as well.
    for name in ("iso_format", "isoformat", "hex"):
        if hasattr(value, name):
            return str(getattr(value, name)())
    if hasattr(value, "srid"):
        return {"srid": value.srid, "coordinates": [plain_value(one) for one in value]}
    if hasattr(value, "tolist"):
        return plain_value(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_value(one) for one in value]
    return str(value)
