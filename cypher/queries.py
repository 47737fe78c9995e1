"""Cypher statements by name: one statement a `.cypher` file, read once.

A file begins with comment lines: a sentence, `// parameters: ...`, `// columns: ...`. Statements
about embeddings are written for slot `a`; the text for slot `b` is made from it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString

from kinfolio.errors import QueryNotFound
from kinfolio.records import Slot

_LOWER_SLOT = re.compile(r"(?<![\w$])(\w+)_a\b")
_UPPER_SLOT = re.compile(r"(?<![\w$])(\w+)_A\b")


@cache
def query(name: str, slot: Slot = "a") -> LiteralString:
    """The text of one statement, without its header.

    In the text for slot `b`, words that end in `_a` or `_A` (`embedding_a`, `SIMILAR_A`) end in
    `_b` or `_B`; parameters (`$name_a`) stay as they are.

    Raises:
        QueryNotFound: there is no `<name>.cypher`.
    """
    file = files("kinfolio.cypher").joinpath(f"{name}.cypher")
    if not name.isidentifier() or not file.is_file():
        raise QueryNotFound(
            f"there is no statement {name!r} in kinfolio's cypher folder; "
            "check the spelling or install kinfolio again"
        )
    lines = file.read_text("utf-8").splitlines()
    while lines and (not lines[0].strip() or lines[0].startswith("//")):
        lines.pop(0)
    text = "\n".join(lines).strip()
    if slot == "b":
        text = _UPPER_SLOT.sub(r"\1_B", _LOWER_SLOT.sub(r"\1_b", text))
    return text
