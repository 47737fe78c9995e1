"""Cypher statements by name: one statement a `.cypher` file, read once.

A file begins with comment lines: a sentence, `// parameters: ...`, `// columns: ...`. Statements
about embeddings are written for slot `a`; the text for slot `b` is made from it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import LiteralString

from kinfolio.cypher.mapping.names import Mapping
from kinfolio.cypher.mapping.rewrite import rewritten
from kinfolio.errors import BadConfig, QueryNotFound
from kinfolio.records import Slot

_LOWER_SLOT = re.compile(r"(?<![\w$])(\w+)_a\b")
_STANDARD_ONLY = ("load_", "demo_", "change_")
_OWN_RULES = "// own rules"
_UPPER_SLOT = re.compile(r"(?<![\w$])(\w+)_A\b")


@cache
def statements() -> dict[str, Traversable]:
    """Return the file of each statement by name; names are unique across the folders."""
    folders = files("kinfolio.cypher").joinpath("statements").iterdir()
    found = [file for folder in folders if folder.is_dir() for file in folder.iterdir()]
    return {
        file.name.removesuffix(".cypher"): file for file in found if file.name.endswith(".cypher")
    }


@cache
def query(name: str, slot: Slot = "a", mapping: Mapping | None = None) -> LiteralString:
    """The text of one statement, without its header.

    In the text for slot `b`, words that end in `_a` or `_A` (`embedding_a`, `SIMILAR_A`) end in
    `_b` or `_B`; parameters (`$name_a`) stay as they are. With a mapping, it is told in the names
    of that graph.

    Raises:
        QueryNotFound: there is no `<name>.cypher`.
        BadConfig: the statement has no place in a graph with other names.
    """
    if mapping is not None:
        return _mapped(name, slot, mapping)
    file = statements().get(name)
    if file is None:
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


def _mapped(name: str, slot: Slot, mapping: Mapping) -> LiteralString:
    if name.startswith(_STANDARD_ONLY):
        raise BadConfig(
            f"{name} writes the names of kinfolio's own model, so it cannot go with a mapping; "
            "leave --mapping out and unset KINFOLIO_MAPPING"
        )
    return rewritten(query(name, slot), mapping)


@cache
def with_conditions(text: LiteralString, conditions: tuple[str, ...]) -> LiteralString:
    """The statement with more conditions at the place that `// own rules` marks.

    Whoever runs kinfolio writes them, in the names of the graph; null counts as false. They are
    never made from anything else.
    """
    added = "".join(f"AND coalesce((\n{condition}\n) = true, false)\n" for condition in conditions)
    return text.replace(_OWN_RULES, added)
