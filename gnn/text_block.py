"""Texts as one more head that nobody trains: what is held reads like this, and so does the product.

A user's vector is the sum of the texts of what they hold, a product's is its own text times a
weight, one for products that somebody holds in training and one for those that nobody does. Both
are chosen on the validation part, 0 allowed: the trained heads say more of the first, texts of the
second. Neither raises one of the two groups above the other: a level of the unseen products makes
up for the difference, so that how the groups stand to each other is left to heads and offset. It is
a block like a head's, so that lists, new users and shares need nothing else.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWeights:
    """How much the cosine of texts adds to a score."""

    seen: float = 0.0
    """For products that somebody holds in training."""
    unseen: float = 0.0
    """For the others."""
    level: float = 0.0
    """Added to the others, so that both groups gain the same on the average."""

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

    def add(self, score: ScoreBlock, weights: TextWeights) -> ScoreBlock:
        """Scores of the heads and this, without the level."""
        rows = self.rows(weights).T
        return lambda users: score(users) + self.users[users] @ rows

    def add_level(self, score: ScoreBlock, weights: TextWeights) -> ScoreBlock:
        """Scores with the level of unseen products."""
        level = weights.level * self._is_unseen
        return lambda users: score(users) + level


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
    products = block.products.T

    unseen = np.flatnonzero(lists.unseen)
    mean_user = block.users[lists.users].mean(dim=0)
    mean = (mean_user @ products).cpu().numpy()
    of_seen = float(mean[lists.unseen == 0].mean())

    def cosines_of_seen(part: slice) -> NDArray[np.float32]:
        # Unseen products stay where they are among the others: in a part cut at random they are
        # those cut off, so that whatever raised them would seem good.
        found: NDArray[np.float32] = (block.users[lists.users[part]] @ products).cpu().numpy()
        found[:, unseen] = of_seen
        return found

    added = added_by(lists, cosines_of_seen)
    unit = lists.spread / added.spread
    seen = smallest(STRENGTHS, lambda strength: quality_of(lists, added, strength))
    wanted = lists.is_wanted[:, unseen]
    rows = np.flatnonzero(wanted.any(axis=1))
    best = seen
    if len(rows):
        heads = lists.scores[np.ix_(rows, unseen)]
        texts = (block.users[lists.users[rows]] @ products[:, unseen]).cpu().numpy()
        number = wanted[rows].sum(axis=1).astype(np.int64)

        def quality(strength: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            scores = torch.from_numpy(heads + np.float32(strength * unit) * texts)
            places = scores.topk(min(K, len(unseen)), dim=1).indices.numpy()
            return recall_and_ndcg(np.take_along_axis(wanted[rows], places, axis=1), number)

        best = smallest(FOR_UNSEEN, quality)
    level = seen * of_seen - best * float(mean[unseen].mean()) if len(unseen) else 0.0
    return TextWeights(seen=seen * unit, unseen=best * unit, level=level * unit)
