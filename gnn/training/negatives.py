"""Which products stand against the right ones in a step: popular ones more often, for fewer each.

What a sampled softmax has to tell is a sum over all products, of which the popularity term gives
widely held ones the larger part: about the root of their holdings, as heads learn it. So a product
is drawn with a chance pi_i that grows with the root of 1 + degree_i, by systematic sampling (Madow,
Ann. Math. Statist. 1949), and stands for 1 / pi_i products, which leaves the sum unbiased (Horvitz
and Thompson, JASA 1952).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_POWER = 0.5
_ALL_PRODUCTS = 1024
"""Catalogues up to this size are scored whole."""


class Negatives:
    """Draws them for each step."""

    def __init__(self, degree: NDArray[np.float32], number: int) -> None:
        """Prepare the chances.

        Args:
            degree: shape (num_products,); training holdings of each product.
            number: how many are drawn; all products where there are few.
        """
        chance = np.ones(len(degree))
        self._number = len(degree)
        if len(degree) > max(_ALL_PRODUCTS, number):
            chance = chances((1 + degree.astype(np.float64)) ** _POWER, number)
            self._number = number
        self._spread = -np.log(chance).astype(np.float32)
        self._ends = np.cumsum(chance)
        self._ends[-1] = self._number

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Products, in order and no two alike, and the log of how many each stands for."""
        points = rng.random() + np.arange(self._number)
        drawn = np.searchsorted(self._ends, points, side="right")
        return drawn, self._spread[drawn]


def chances(weights: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Chances to be drawn, in proportion to weights, but 1 at most, that add up to a number.

    Args:
        weights: shape (count,), positive.
        number: from 1 to count.

    Returns:
        float64, shape (count,).
    """
    is_sure = np.zeros(len(weights), bool)
    while True:
        factor = (number - is_sure.sum()) / max(weights[~is_sure].sum(), 1e-300)
        found = np.where(is_sure, 1.0, weights * factor)
        if (found <= 1).all():
            return found
        is_sure |= found > 1
