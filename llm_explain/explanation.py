"""Records of an explanation: evidence, attribution, sentences, problems found by the check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from kinfolio.gnn.serving.caps.effect import CapEffect
from kinfolio.records import Kind, Step
from kinfolio.tabular import Tabular

if TYPE_CHECKING:
    from kinfolio.gnn.serving.rules import Rule

Facts = tuple[tuple[str, str | int | float], ...]
Basis = Literal["holdings", "ties", "text", "popularity"]
"""The strongest source of a score: holdings, else ties, else text, else popularity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One contribution to a score, with the path in the graph that carries it."""

    id: int
    """Counted from 1, largest contribution first."""
    kind: Kind
    share: float
    """Contribution over the sum of absolute contributions; negative lowers the score."""
    contribution: float
    path: tuple[Step, ...]
    facts: Facts
    """Names and numbers that a text may state, e.g. (("name", "..."), ("holders", 31)); `claim`
    is the key of the clause that the evidence supports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A score attributed to evidence, and which evidence the text states."""

    user: str
    product: str
    name: str
    kind: str | None
    """The product's kind in the graph, like "bond"."""
    score: float
    version: str
    basis: Basis
    evidence: tuple[Evidence, ...]
    remainder: float
    """Score less the contributions of `evidence`."""
    num_stated: int
    """The first so many pieces of evidence are stated in the text."""
    num_unstated: int
    """Contributions other than zero that the text does not state."""
    refused_by: tuple[tuple[str, str], ...]
    """Built-in rules that exclude the product, each with its key among the `fixed` clauses."""
    risk: int | None
    tolerance: int | None
    most_risk: int | None = None
    """Highest risk level of the graph."""
    also_stated: frozenset[int] = frozenset()
    """Ids of weaker evidence that the text states too."""
    label: str = ""
    """The product's name in the text: with its id where the evidence has another of that name."""
    known_by: tuple[str, ...] = ()
    """Of text, category, name and reviews, what a product that came after the training is known by;
    empty for one of the training."""
    about: tuple[str, ...] = ()
    """Facts of the product in words: its categories, and those that the deployment tells."""
    own_rules: tuple[Rule, ...] = ()
    """Own rules that exclude the product for the user."""

    @property
    def is_refused(self) -> bool:
        """Whether a rule excludes the product for the user."""
        return bool(self.refused_by or self.own_rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A rule that excludes a product, with its stable code and what the user is told."""

    rule: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of an explanation and the evidence that it cites."""

    text: str
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A statement of a text that no evidence supports."""

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
    """Score less the contributions of `evidence`."""
    grounded: bool
    """Whether `text` states all of its planned evidence, and the check finds no problem in it."""
    language: str = "en"
    """Code of the language of the text."""
    label: str = ""
    """As `Attribution.label`."""
    known_by: tuple[str, ...] = ()
    """As `Attribution.known_by`."""
    cap: CapEffect | None = None
    """What a cap does to the product's place in lists; None: no cap was given, or it is on none."""
    replaced: tuple[tuple[str, str], ...] = ()
    """Words of the deployment in the text, longest first, each with that which the check knows."""
    refused_by: tuple[Refusal, ...] = ()
    """Rules that exclude the product for the user."""
    untold: tuple[int, ...] = ()
    """Evidence that the text should state and does not."""
    plain_sentences: int = 0
    """Sentences in a plain clause, because the check refused all others."""
