"""The text block: an untrained head by texts alone.

A user's vector is the sum of the texts of the products held; a product's is its own text times a
weight, one for warm and one for cold products: the trained heads know more of warm ones, texts of
cold ones. Stored as one more block of the vectors, so lists, fold-in and contributions need
nothing else.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.blend.selection import STRENGTHS, smallest_within_error
from kinfolio.gnn.blend.shortlist import (
    cold_weight,
    is_useless,
    large_shortlist,
    validation_users,
)
from kinfolio.gnn.blend.term import NewProduct, Parts, Pool, Term
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.ranking import ScoreBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWeights:
    """Weights of the cosine of texts for warm (`seen`) and cold (`unseen`) products."""

    seen: float = 0.0
    unseen: float = 0.0

    def __bool__(self) -> bool:
        """Return whether anything is added."""
        return bool(self.seen or self.unseen)


class TextVectors:
    """Unit vectors of users and products by texts alone."""

    def __init__(self, text: Tensor, data: TrainingData) -> None:
        """Sum the texts of each user's products.

        Args:
            text: float32, shape (num_nodes, dim), unit or zero rows.
            data: with the interactions.
        """
        self.products = text[data.num_users :]
        """Float32, shape (num_products, dim); also the message of a holding."""
        sums = data.interactions @ self.products.cpu().numpy()
        self.users = functional.normalize(
            torch.from_numpy(sums.astype(np.float32)).to(text.device), dim=1
        )
        self._is_cold = torch.from_numpy(data.product_degree == 0).to(text.device)

    def weighted(self, weights: TextWeights) -> Tensor:
        """Return the products' vectors as in the score: float32, shape (num_products, dim)."""
        weight = torch.where(self._is_cold, weights.unseen, weights.seen)
        return self.products * weight[:, None].to(self.products.dtype)

    def cosines(self, users: NDArray[np.int64]) -> Tensor:
        """Return cosines with all products: float32, shape (len(users), num_products)."""
        return self.users[users] @ self.products.T


class TextBlock(Term):
    """Cosine of texts, with a weight each for warm and cold products."""

    weights = TextWeights()
    vectors: TextVectors | None = None

    def fit(self, pool: Pool) -> None:
        """Choose both weights."""
        self.refit(pool)
        if self.vectors is not None:
            pool.on_step("fitting the text block")
            self.weights = choose_text_weights(pool.score, pool.data, self.vectors)

    def refit(self, pool: Pool) -> None:
        """Sum the texts of each user's products."""
        if pool.text is not None:
            self.vectors = TextVectors(pool.text, pool.data)

    def add(self, score: ScoreBlock) -> ScoreBlock:
        """Return the score with the weighted cosines."""
        vectors = self.vectors
        if vectors is None or not self.weights:
            return score
        rows = vectors.weighted(self.weights).T
        return lambda users: score(users) + vectors.users[users] @ rows

    def contribute(self, parts: Parts) -> None:
        """Append a block of vectors; a tie has no text message."""
        if self.vectors is None or not self.weights:
            return
        users, products = self.vectors.users, self.vectors.products
        parts.users.append(users)
        parts.products.append(self.vectors.weighted(self.weights))
        parts.own.append(torch.zeros_like(users))
        parts.global_user.append(torch.zeros_like(users[:1]))
        parts.messages.append(torch.cat([torch.zeros_like(users), products]))

    def describe_new(self, new: NewProduct) -> None:
        """Set the weight of the block."""
        if self.vectors is not None and self.weights:
            new.block = self.weights.unseen

    def report(self) -> dict[str, object]:
        """Return both weights."""
        return {"text": asdict(self.weights)}


def choose_text_weights(score: ScoreBlock, data: TrainingData, vectors: TextVectors) -> TextWeights:
    """Choose the weights of texts for warm and cold products on the validation set."""
    warm = 0.0

    def cosines(users: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(vectors.cosines(users).cpu().numpy(), np.float32)

    if len(validation_users(data)) and not is_useless(score, data, cosines):
        shortlist = large_shortlist(score, data, cosines)
        warm = shortlist.unit * smallest_within_error(STRENGTHS, shortlist.metrics)
    cold = cold_weight(score, vectors.cosines, data, data.product_degree > 0)
    return TextWeights(seen=warm, unseen=warm if cold is None else cold)
