"""Terms that add one number to each product, the same for every user."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinfolio.gnn.blend.term import NewProduct, Parts, Pool, Term
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.ranking import ScoreBlock


class BiasTerm(Term):
    """A weight times a property of the product."""

    name: ClassVar[str]
    """Of the weight in `run.json`."""
    weight = 0.0
    new_value: ClassVar[float] = 0.0
    """Property of a product without interactions."""

    @abstractmethod
    def product_values(self, data: TrainingData) -> NDArray[np.float32]:
        """Return the property of each product: float32, shape (num_products,)."""

    def refit(self, pool: Pool) -> None:
        """Take the property from other data."""
        self._values = self.product_values(pool.data)

    def bias(self) -> Tensor:
        """Return the addend of each product: float32, shape (num_products,)."""
        return torch.from_numpy(np.float32(self.weight) * self._values)

    def add(self, score: ScoreBlock) -> ScoreBlock:
        """Return the score with the bias."""
        if not self.weight:
            return score
        bias = self.bias()

        def add(users: NDArray[np.int64]) -> Tensor:
            scores = score(users)
            scores += bias.to(scores)
            return scores

        return add

    def contribute(self, parts: Parts) -> None:
        """Add to the bias."""
        parts.bias += self.bias().to(parts.bias.device)

    def describe_new(self, new: NewProduct) -> None:
        """Add the weight times the property of such a product."""
        new.bias += self.weight * self.new_value

    def report(self) -> dict[str, object]:
        """Return the weight."""
        return {self.name: self.weight}
