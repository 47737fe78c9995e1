"""The cold-start offset: one number added to all products without training interactions."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from kinfolio.gnn.blend.bias_term import BiasTerm
from kinfolio.gnn.blend.selection import smallest_within_error
from kinfolio.gnn.blend.shortlist import K, blocks, validation_users
from kinfolio.gnn.blend.term import Pool
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.ranking import ScoreBlock

OFFSETS = (0.0, -0.5, 0.5, -1.0, 1.0, -2.0, 2.0, -4.0, 4.0)
"""Offsets tried, smallest first."""
_MARGIN = 0.001
_MAX_USERS = 1000


class ColdStart(BiasTerm):
    """An offset of cold products: chosen with a temporal split, else just below the lists."""

    name = "offset"
    new_value = 1.0

    def fit(self, pool: Pool) -> None:
        """Choose the offset on a temporal split, or place cold products below all lists.

        A random split does not show where cold products belong: see `TrainingData.cold_products`.
        """
        self.refit(pool)
        if not pool.data.is_temporal_split:
            self.weight = offset_below_lists(pool.score, pool.data)
        elif len(validation_users(pool.data)):
            shortlist = pool.shortlist()
            shortlist = shortlist.with_extra(shortlist.is_cold)
            if (shortlist.is_target & (shortlist.is_cold > 0)).any():
                self.weight = smallest_within_error(OFFSETS, shortlist.metrics)

    def product_values(self, data: TrainingData) -> NDArray[np.float32]:
        """Return 1 for cold products."""
        is_cold: NDArray[np.float32] = (data.product_degree == 0).astype(np.float32)
        return is_cold


def offset_below_lists(score: ScoreBlock, data: TrainingData) -> float:
    """Return the offset that places every cold product below the lists of validation users."""
    is_cold = data.product_degree == 0
    users = validation_users(data)[:_MAX_USERS]
    if not (len(users) and is_cold.any()):
        return 0.0
    least = 0.0
    for rows in blocks(len(users), data.num_products, _MAX_USERS):
        scores = score(users[rows]).cpu().numpy().copy()
        scores[data.interactions[users[rows]].nonzero()] = -np.inf
        warm = torch.from_numpy(scores[:, ~is_cold])
        # In a small catalogue a list of K would hold nearly all products.
        last = warm.topk(min(K, max(1, warm.shape[1] // 10)), dim=1).values[:, -1].numpy()
        gap = (last - scores[:, is_cold].max(axis=1))[np.isfinite(last)]
        least = float(gap.min(initial=least))
    return least - _MARGIN
