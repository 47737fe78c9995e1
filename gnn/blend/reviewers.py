"""People who wrote about a product that nobody holds yet: they stand for those who will.

In each head, an unseen product's vector is that of its texts plus w times the sum of the unit
vectors of those who wrote about it. So it is ranked higher for people who are like them, and the
more of them there are. Users' vectors stay as they are, so each part of a score is that of a held
product or a tie, as without. Products that somebody holds gain nothing by it and are left alone.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.blend.candidates import weight_for_unseen
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.head import FusionHead
from kinfolio.gnn.ranking import ScoreBlock


class Reviewers:
    """Vectors of unseen products by who wrote about them."""

    def __init__(self, heads: list[FusionHead], data: TrainingData) -> None:
        """Add up.

        Args:
            heads: trained.
            data: whose reviews count.
        """
        with torch.no_grad():
            self._users = [
                functional.normalize(head(data.matrix)[: data.num_users], dim=1) for head in heads
            ]
        self.rows = [
            torch.from_numpy((data.reviewed @ users.cpu().numpy()).astype(np.float32)).to(users)
            for users in self._users
        ]
        """Of each head: float32, shape (num_products, dim); zeros where nobody wrote."""

    def scores(self, users: NDArray[np.int64]) -> Tensor:
        """What weight 1 adds: float32, shape (len(users), num_products)."""
        return sum(
            (ahead[users] @ rows.T for ahead, rows in zip(self._users, self.rows, strict=True)),
            start=torch.zeros((), device=self.rows[0].device),
        )

    def add(self, score: ScoreBlock, weight: float) -> ScoreBlock:
        """Scores of the heads and this."""
        return lambda users: score(users) + weight * self.scores(users)


def choose_reviewers(score: ScoreBlock, data: TrainingData, reviewers: Reviewers) -> float:
    """The weight that ranks unseen products best among themselves, by the validation part.

    Args:
        score: of the heads.
        data: with a validation part in `wanted`.
        reviewers: of that data.
    """
    if not data.reviewed.nnz:
        return 0.0
    return weight_for_unseen(score, reviewers.scores, data, data.product_degree == 0) or 0.0
