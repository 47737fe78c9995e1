"""Negative sampling: popular products more often, each standing for fewer.

The popularity term gives widely held products the larger part of the softmax's sum, about the
square root of their interactions. So product i is drawn with a probability pi_i that grows with
sqrt(1 + degree_i), by systematic sampling (Madow, Ann. Math. Statist. 1949), and stands for
1 / pi_i products, which leaves the sum unbiased (Horvitz and Thompson, JASA 1952).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_POWER = 0.5
_MAX_EXHAUSTIVE = 1024
"""Catalogues up to this size are scored whole."""


class NegativeSampler:
    """Draws the negatives of each step."""

    def __init__(self, degree: NDArray[np.float32], number: int) -> None:
        """Compute the probabilities.

        Args:
            degree: shape (num_products,); training interactions of each product.
            number: products per draw; small catalogues are drawn whole.
        """
        probability = np.ones(len(degree))
        self._number = len(degree)
        if len(degree) > max(_MAX_EXHAUSTIVE, number):
            probability = inclusion_probabilities((1 + degree.astype(np.float64)) ** _POWER, number)
            self._number = number
        self._log_weight = -np.log(probability).astype(np.float32)
        self._ends = np.cumsum(probability)
        self._ends[-1] = self._number

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return distinct products, ascending, and the log of how many each stands for."""
        points = rng.random() + np.arange(self._number)
        products = np.searchsorted(self._ends, points, side="right")
        return products, self._log_weight[products]


def inclusion_probabilities(weights: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Return probabilities proportional to weights, at most 1, that sum to `number`.

    Args:
        weights: shape (count,), positive.
        number: from 1 to count.
    """
    is_certain = np.zeros(len(weights), bool)
    while True:
        factor = (number - is_certain.sum()) / max(weights[~is_certain].sum(), 1e-300)
        found = np.where(is_certain, 1.0, weights * factor)
        if (found <= 1).all():
            return found
        is_certain |= found > 1
