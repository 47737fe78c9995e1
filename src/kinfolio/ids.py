"""The normal form of ids, so that an id written in two ways is one user or product."""

from __future__ import annotations

import unicodedata

_INVISIBLE = (0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0xFEFF)
"""Such as a zero-width space, a mark of direction and a byte order mark."""
OUTER_CHARACTERS = "".join(
    chr(code)
    for code in (*range(0x3001), 0xFEFF)
    if chr(code).isspace() or code in _INVISIBLE or 0x2060 <= code < 0x2070
)
"""Characters that are no part of an id at its start or end."""


def normalized_id(text: str) -> str:
    """Return an id in Unicode's form NFC, without white space and invisible characters around it.

    Case, zeros and blanks inside stay as they are. `loaders/columns/ids.py` does the same with
    columns.
    """
    return unicodedata.normalize("NFC", text).strip(OUTER_CHARACTERS)
