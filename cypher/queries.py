"""Cypher statements by name: one statement a `.cypher` file, read once.

A file begins with comment lines: a sentence, `// parameters: ...`, `// columns: ...`. A line
`// include: NAME` is replaced by the text of `parts/NAME.cypher`, which is not a statement.
Statements about embeddings are written for slot `a`; the text for slot `b` is derived from it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import LiteralString

from kinfolio.cypher.mapping.names import Mapping
from kinfolio.cypher.mapping.rewrite import rewrite
from kinfolio.errors import BadConfig, QueryNotFound
from kinfolio.records import Slot

PARTS = "parts"
_STANDARD_ONLY = ("load_", "demo_", "change_")
_OWN_RULES = "// own rules"
_INCLUDE = re.compile(r"^( *)// include: (\w+)$", re.MULTILINE)
_LOWER_SLOT = re.compile(r"(?<![\w$])(\w+)_a\b")
_UPPER_SLOT = re.compile(r"(?<![\w$])(\w+)_A\b")


@cache
def statements() -> dict[str, Traversable]:
    """Return the file of each statement by name; names are unique across the folders."""
    folders = files("kinfolio.cypher").joinpath("statements").iterdir()
    return {
        file.name.removesuffix(".cypher"): file
        for folder in folders
        if folder.is_dir() and folder.name != PARTS
        for file in folder.iterdir()
        if file.name.endswith(".cypher")
    }


@cache
def query(name: str, slot: Slot = "a", mapping: Mapping | None = None) -> LiteralString:
    """Return the text of one statement, without its header.

    In the text for slot `b`, words that end in `_a` or `_A` (`embedding_a`, `SIMILAR_A`) end in
    `_b` or `_B`; parameters (`$name_a`) are unchanged. With a mapping, labels, types and
    properties have the names of that graph.

    Raises:
        QueryNotFound: there is no `<name>.cypher`.
        BadConfig: the statement applies to the standard model only.
    """
    if mapping is not None:
        if name.startswith(_STANDARD_ONLY):
            raise BadConfig(
                f"{name} writes the names of the standard model and does not support a mapping; "
                "omit --mapping and unset KINFOLIO_MAPPING"
            )
        return rewrite(query(name, slot), mapping)
    file = statements().get(name)
    if file is None:
        raise QueryNotFound(
            f"there is no statement {name!r}; check the spelling or install kinfolio again"
        )
    text = splice_parts(file.read_text("utf-8"))
    return in_slot_b(text) if slot == "b" else text


def splice_parts(text: LiteralString) -> LiteralString:
    """Return the text of a file without its header, with its includes replaced."""
    lines = text.splitlines()
    while lines and (not lines[0].strip() or lines[0].startswith("//")):
        if _INCLUDE.match(lines[0]):
            break
        lines.pop(0)

    def part(found: re.Match[str]) -> str:
        indent, name = found.groups()
        file = files("kinfolio.cypher").joinpath("statements", PARTS, f"{name}.cypher")
        return indent + splice_parts(file.read_text("utf-8")).replace("\n", f"\n{indent}")

    return _INCLUDE.sub(part, "\n".join(lines).strip())


def in_slot_b(text: LiteralString) -> LiteralString:
    """Convert a statement for slot `a` to slot `b`."""
    return _UPPER_SLOT.sub(r"\1_B", _LOWER_SLOT.sub(r"\1_b", text))


@cache
def with_conditions(text: LiteralString, conditions: tuple[str, ...]) -> LiteralString:
    """Return the statement with custom rules as conditions at the line `// own rules`.

    Only the deployment provides them, in the names of its graph; null counts as false.
    """
    added = "".join(f"AND coalesce((\n{condition}\n) = true, false)\n" for condition in conditions)
    return text.replace(_OWN_RULES, added)
