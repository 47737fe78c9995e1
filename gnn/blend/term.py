"""What every term of the blend is: an addend of the score with weights chosen on validation data.

A new term is a new file with one subclass, and its name in `blend.TERMS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.blend.shortlist import Shortlist, large_shortlist
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.head import FusionHead
from kinfolio.gnn.ranking import ScoreBlock


@dataclass(kw_only=True)
class Pool:
    """The score so far, and what a term may be made of."""

    data: TrainingData
    """With the validation set."""
    heads: Sequence[FusionHead]
    heads_score: ScoreBlock
    text: Tensor | None = None
    """Float32, shape (num_nodes, dim), unit or zero rows; None without texts."""
    has_links: bool = True
    """Whether links between products may be added."""
    selected_on: TrainingData | None = None
    """With the validation set the weights were chosen on, if not `data`."""
    on_step: Callable[[str], None] = lambda name: None
    terms: list[Term] = field(default_factory=list)
    """Those added so far."""
    candidates: Shortlist | None = None
    """Candidates of the validation users with all terms so far; None: not computed yet."""

    @property
    def score(self) -> ScoreBlock:
        """Scores of the heads with all terms so far."""
        return add_terms(self.heads_score, self.terms)

    def shortlist(self) -> Shortlist:
        """Return the candidates of the validation users with all terms so far."""
        return self.candidates or large_shortlist(self.score, self.data, None)


@dataclass(kw_only=True)
class Parts:
    """Vectors, messages, bias and links of the embeddings, to which terms contribute.

    Each list holds one float32 block of columns per head, on the device.
    """

    users: list[Tensor] = field(default_factory=list)
    products: list[Tensor] = field(default_factory=list)
    own: list[Tensor] = field(default_factory=list)
    """What a user's own text adds."""
    messages: list[Tensor] = field(default_factory=list)
    """Shape (num_users + num_products, dim) each."""
    global_user: list[Tensor] = field(default_factory=list)
    """Shape (1, dim) each."""
    bias: Tensor
    links: csr_array
    """Shape (num_products, num_products)."""


@dataclass(kw_only=True)
class NewProduct:
    """What a product without interactions gets, to which terms contribute: see `gnn/recipe.py`."""

    bias: float
    reviewers: float = 0.0
    block: float | None = None


class Term(ABC):
    """One addend of the score."""

    is_sparse = False
    """Added after all dense terms, in place."""

    @abstractmethod
    def fit(self, pool: Pool) -> Shortlist | None:
        """Choose the weights; return the candidates with the term, where it computes them."""

    @abstractmethod
    def refit(self, pool: Pool) -> None:
        """Rebuild the term from other data, with the weights chosen before."""

    @abstractmethod
    def add(self, score: ScoreBlock) -> ScoreBlock:
        """Return the score with this term."""

    @abstractmethod
    def contribute(self, parts: Parts) -> None:
        """Add this term to what is stored, so that the stored score equals `add`'s."""

    @abstractmethod
    def describe_new(self, new: NewProduct) -> None:
        """Add what this term gives a product without interactions."""

    @abstractmethod
    def report(self) -> dict[str, object]:
        """Return the weights for `run.json`."""


def add_terms(score: ScoreBlock, terms: Sequence[Term]) -> ScoreBlock:
    """Return the score with all terms, sparse ones last."""
    for term in sorted(terms, key=lambda term: term.is_sparse):
        score = term.add(score)
    return score
