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

from kinfolio.gnn.candidates import (
    STRENGTHS,
    K,
    added_by,
    candidates_of,
    quality_of,
    smallest,
)
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.ranking import ScoreBlock, recall_and_ndcg

FOR_UNSEEN = (*STRENGTHS, 4.0)
_MOST_USERS = 4000


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

    The weight of unseen products is that which ranks them best among themselves, which no split
    can tell the answer to.

    Args:
        score: of the heads.
        data: with a validation part in `wanted`.
        block: of that data.
    """
    if not data.wanted.nnz:
        return TextWeights()
    lists = candidates_of(score, data)

    def cosines(part: slice) -> NDArray[np.float32]:
        found: NDArray[np.float32] = block.cosines(lists.users[part]).cpu().numpy()
        return found

    added = added_by(lists, cosines)
    unit = lists.spread / added.spread
    seen = smallest(STRENGTHS, lambda strength: quality_of(lists, added, strength))
    unseen = np.flatnonzero(data.product_degree == 0)
    wanted = data.wanted[:, unseen]
    users = np.flatnonzero(np.diff(wanted.indptr))[:_MOST_USERS]
    best = seen
    if len(users):
        is_wanted = wanted[users].toarray() > 0
        heads = score(users)[:, torch.from_numpy(unseen)].cpu().numpy()
        texts = block.cosines(users)[:, torch.from_numpy(unseen)].cpu().numpy()
        number = is_wanted.sum(axis=1).astype(np.int64)

        def quality(strength: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            scores = torch.from_numpy(heads + np.float32(strength * unit) * texts)
            places = scores.topk(min(K, len(unseen)), dim=1).indices.numpy()
            return recall_and_ndcg(np.take_along_axis(is_wanted, places, axis=1), number)

        best = smallest(FOR_UNSEEN, quality)
    return TextWeights(seen=seen * unit, unseen=best * unit)
