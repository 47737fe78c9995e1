"""An explanation: its evidence, its sentences, what a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kinfolio.records import Kind, Step
from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece of why a product has its score."""

    id: int
    """Counted from 1, strongest first."""
    kind: Kind
    share: float
    """Contribution over the sum of the sizes of all contributions; negative speaks against."""
    contribution: float
    """What this piece adds to the score."""
    path: tuple[Step, ...]
    facts: tuple[tuple[str, str | int | float], ...]
    """Names and numbers that may be said of it, e.g. (("name", "..."), ("holders", 31))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of an explanation and the evidence it rests on."""

    text: str
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A piece of a text that no evidence carries."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Tabular):
    """Why a product has its score for a user."""

    _rows: ClassVar[str] = "evidence"

    user: str
    product: str
    name: str
    score: float
    version: str | None
    writer: str
    text: str
    sentences: tuple[Sentence, ...]
    evidence: tuple[Evidence, ...]
    remainder: float
    """Score less the contributions shown."""
    grounded: bool
    language: str = "en"
    """Code of the language of the text."""
