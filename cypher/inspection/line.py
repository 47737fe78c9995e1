"""The matches of one line of a mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

_EXAMPLE_CHARACTERS = 40
Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The matches of one line of a mapping."""

    section: str
    line: str
    name: str
    """The value in the mapping."""
    found: str
    example: str
    level: Level
    note: str
    """The problem and its remedy; empty without one."""


def line_of(
    section: str,
    line: str,
    name: str,
    found: str,
    example: Any = None,
    *,
    note: str = "",
    is_problem: bool = False,
) -> Line:
    """Return a line; with a note it is a warning, or a problem."""
    return Line(
        section=section,
        line=line,
        name=name,
        found=found,
        example="" if example is None else short(example),
        level="problem" if is_problem else "warning" if note else "ok",
        note=note,
    )


def short(value: Any) -> str:
    """Return a value as an example: on one line and cut. Any: the value of a property."""
    text = " ".join(str(value).split())
    return text if len(text) <= _EXAMPLE_CHARACTERS else text[: _EXAMPLE_CHARACTERS - 3] + "..."
