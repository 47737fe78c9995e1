"""Cold products by their reviewers, who stand for the holders they do not have yet.

In each head, a cold product's vector is that of its texts plus w times the sum of the unit vectors
of the users who reviewed it, so it ranks higher for similar users. Vectors of users stay as they
are, so every contribution to a score is that of a held product or a tie, as without this term.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.blend.shortlist import cold_weight
from kinfolio.gnn.blend.term import NewProduct, Parts, Pool, Term
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.head import FusionHead
from kinfolio.gnn.ranking import ScoreBlock


class Reviewers(Term):
    """Sum of the reviewers' vectors, times a weight."""

    weight = 0.0

    def fit(self, pool: Pool) -> None:
        """Choose the weight that ranks cold products best among themselves."""
        self.refit(pool)
        if pool.data.reviewers.nnz:
            is_cold = pool.data.product_degree == 0
            self.weight = cold_weight(pool.score, self.values, pool.data, is_cold) or 0.0

    def refit(self, pool: Pool) -> None:
        """Sum the reviewers' vectors of each head."""
        self._users = _unit_users(pool.heads, pool.data)
        self.rows = [
            torch.from_numpy((pool.data.reviewers @ users.cpu().numpy()).astype(np.float32)).to(
                users
            )
            for users in self._users
        ]
        """One per head: float32, shape (num_products, dim); zeros without reviewers."""

    def values(self, users: NDArray[np.int64]) -> Tensor:
        """Return what weight 1 adds: float32, shape (len(users), num_products)."""
        blocks = zip(self._users, self.rows, strict=True)
        zero = torch.zeros((), device=self.rows[0].device)
        return sum((vectors[users] @ rows.T for vectors, rows in blocks), start=zero)

    def add(self, score: ScoreBlock) -> ScoreBlock:
        """Return the score with the weighted reviewers."""
        if not self.weight:
            return score
        return lambda users: score(users) + self.weight * self.values(users)

    def contribute(self, parts: Parts) -> None:
        """Add to the product vectors of each head."""
        for number, rows in enumerate(self.rows):
            parts.products[number] += self.weight * rows

    def describe_new(self, new: NewProduct) -> None:
        """Set the weight of the reviewers."""
        new.reviewers = self.weight

    def report(self) -> dict[str, object]:
        """Return the weight."""
        return {"reviewers": self.weight}


def _unit_users(heads: Sequence[FusionHead], data: TrainingData) -> list[Tensor]:
    with torch.no_grad():
        return [functional.normalize(head(data.matrix)[: data.num_users], dim=1) for head in heads]
