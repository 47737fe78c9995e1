"""Texts as one more head that nobody trains: what is held reads like this, and so does the product.

A user's vector is the sum of the texts of what they hold, a product's is its own text times a
weight, one for products that somebody holds in training and one for those that nobody does. Both
are chosen on the validation part, 0 allowed: the trained heads say more of the first, texts of the
second. It is a block like a head's, so that lists, new users and shares need nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.blend.candidates import (
    STRENGTHS,
    added_for_more,
    adds_nothing,
    quality_of,
    smallest,
    validation_users,
    weight_for_unseen,
)
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.ranking import ScoreBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWeights:
    """How much the cosine of texts adds to a score."""

    seen: float = 0.0
    """For products that somebody holds in training."""
    unseen: float = 0.0
    """For the others."""

    def __bool__(self) -> bool:
        """Whether it adds anything."""
        return bool(self.seen or self.unseen)


class TextBlock:
    """Unit vectors of users and products by texts alone."""

    def __init__(self, text: Tensor, data: TrainingData) -> None:
        """Add up.

        Args:
            text: float32, shape (num_nodes, dim), unit or zero rows.
            data: whose holdings count.
        """
        self.products = text[data.num_users :]
        """Float32, shape (num_products, dim); also what holding a product adds to a user."""
        sums = torch.from_numpy((data.held @ self.products.cpu().numpy()).astype(np.float32))
        self.users = functional.normalize(sums.to(text.device), dim=1)
        self._is_unseen = torch.from_numpy(data.product_degree == 0).to(text.device)

    def rows(self, weights: TextWeights) -> Tensor:
        """The products' vectors as they enter a score: float32, shape (num_products, dim)."""
        weight = torch.where(self._is_unseen, weights.unseen, weights.seen)
        return self.products * weight[:, None].to(self.products.dtype)

    def cosines(self, users: NDArray[np.int64]) -> Tensor:
        """Of some users with all products: float32, shape (len(users), num_products)."""
        return self.users[users] @ self.products.T

    def add(self, score: ScoreBlock, weights: TextWeights) -> ScoreBlock:
        """Scores of the heads and this."""
        rows = self.rows(weights).T
        return lambda users: score(users) + self.users[users] @ rows


def choose_text(score: ScoreBlock, data: TrainingData, block: TextBlock) -> TextWeights:
    """How much texts add, by the validation part: see `blend.py` for how.

    Args:
        score: of the heads.
        data: with a validation part in `wanted`.
        block: of that data.
    """
    seen = 0.0

    def cosines(users: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(block.cosines(users).cpu().numpy(), np.float32)

    if len(validation_users(data)) and not adds_nothing(score, data, cosines):
        added = added_for_more(score, data, cosines)
        seen = added.unit * smallest(STRENGTHS, lambda strength: quality_of(added, strength))
    unseen = weight_for_unseen(score, block.cosines, data, data.product_degree > 0)
    return TextWeights(seen=seen, unseen=seen if unseen is None else unseen)
