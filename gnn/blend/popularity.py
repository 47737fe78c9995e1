"""The popularity term: delta log(1 + degree_i), beside the one that each head learns."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinfolio.gnn.blend.selection import smallest_within_error
from kinfolio.gnn.blend.shortlist import Shortlist, validation_users
from kinfolio.gnn.blend.term import Parts, Pool, Term
from kinfolio.gnn.ranking import ScoreBlock

DELTAS = (0.0, -0.05, 0.05, -0.1, 0.1, -0.2, 0.2, -0.4, 0.4)
"""Weights tried, smallest first."""


class Popularity(Term):
    """Log of the product's training interactions, times a weight."""

    delta = 0.0

    def fit(self, pool: Pool) -> Shortlist | None:
        """Choose delta on the candidates of the validation users."""
        self.refit(pool)
        if not len(validation_users(pool.data)):
            return None
        shortlist = pool.shortlist()
        shortlist = shortlist.with_extra(shortlist.log_degree)
        self.delta = smallest_within_error(DELTAS, shortlist.metrics)
        return shortlist.plus(self.delta)

    def refit(self, pool: Pool) -> None:
        """Count the interactions of other data."""
        self._log_degree = np.log1p(pool.data.product_degree)

    def add(self, score: ScoreBlock) -> ScoreBlock:
        """Return the score with the weighted log degree."""
        return add_bias(score, self.bias()) if self.delta else score

    def bias(self) -> Tensor:
        """Return what is added to each product: float32, shape (num_products,)."""
        return torch.from_numpy(np.float32(self.delta) * self._log_degree)

    def contribute(self, parts: Parts) -> None:
        """Add to the bias."""
        parts.bias += self.bias().to(parts.bias.device)

    def report(self) -> dict[str, object]:
        """Return delta."""
        return {"delta": self.delta}


def add_bias(score: ScoreBlock, bias: Tensor) -> ScoreBlock:
    """Return the score plus one number per product: float32, shape (num_products,)."""

    def add(users: NDArray[np.int64]) -> Tensor:
        scores = score(users)
        scores += bias.to(scores)
        return scores

    return add
