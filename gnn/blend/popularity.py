"""The popularity term: delta log(1 + degree_i), beside the one that each head learns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinfolio.gnn.blend.bias_term import BiasTerm
from kinfolio.gnn.blend.selection import smallest_within_error
from kinfolio.gnn.blend.shortlist import Shortlist, validation_users
from kinfolio.gnn.blend.term import Pool
from kinfolio.gnn.data import TrainingData

DELTAS = (0.0, -0.05, 0.05, -0.1, 0.1, -0.2, 0.2, -0.4, 0.4)
"""Weights tried, smallest first."""


class Popularity(BiasTerm):
    """Log of the product's training interactions, times a weight."""

    name = "delta"

    def fit(self, pool: Pool) -> Shortlist | None:
        """Choose delta on the candidates of the validation users."""
        self.refit(pool)
        if not len(validation_users(pool.data)):
            return None
        shortlist = pool.shortlist()
        shortlist = shortlist.with_extra(shortlist.log_degree)
        self.weight = smallest_within_error(DELTAS, shortlist.metrics)
        return shortlist.plus(self.weight)

    def product_values(self, data: TrainingData) -> NDArray[np.float32]:
        """Return log(1 + degree)."""
        log_degree: NDArray[np.float32] = np.log1p(data.product_degree)
        return log_degree
