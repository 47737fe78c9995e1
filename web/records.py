"""Records of the server, besides those of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kinfolio.gnn.serving.caps.caps import LeftOut, Moved, Per
from kinfolio.llm_explain.wording.clauses import Clauses
from kinfolio.llm_explain.wording.writers import Writer
from kinfolio.records import Recommended, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedList:
    """Recommendations for a user, best first, as they were displayed."""

    request: str
    """Id of this list, for events."""
    user: str
    version: str | None
    search: Literal["exact", "index"] | None
    source: Source
    split: int | None = None
    """Percentage of users served by the other version while users are split."""
    products: tuple[Recommended, ...]
    notes: tuple[str, ...]
    """Such as why the list is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CappedList(ServedList):
    """The same under a cap, and what it changed."""

    at_most: int
    per: Per
    left_out: tuple[LeftOut, ...]
    """Better products that the cap left out."""
    moved: tuple[Moved, ...]
    """Products that have another rank without the cap."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How explanations are written."""

    writers: tuple[Writer, ...]
    clauses: dict[str, Clauses]
    """By language."""
    is_shared: bool
    """Whether a language model of this process writes, one text at a time."""
    contact: str = ""
    """How a user reaches a person, for conversations."""
