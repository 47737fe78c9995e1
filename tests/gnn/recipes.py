"""Statements of docs/cypher.md, to compare with kinfolio's answers."""

from __future__ import annotations

import re
from pathlib import Path

from kinfolio.environment import HARMLESS_KINDS

HARMLESS = list(HARMLESS_KINDS)


def recipe(heading: str) -> str:
    """The statement below a heading of `docs/cypher.md`."""
    text = (Path(__file__).parents[2] / "docs" / "cypher.md").read_text("utf-8")
    found = re.search(rf"^## {heading}\n.*?```cypher\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]
