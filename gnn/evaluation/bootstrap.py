"""Confidence intervals of differences by the paired bootstrap over users.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993): users are drawn with replacement,
the same ones for both models; the interval is that of the percentiles of the mean difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
LEVEL = 0.95
_AT_ONCE = 4_000_000
"""Numbers in memory: 32 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean difference and its confidence interval of level `LEVEL`."""

    difference: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def intervals(differences: NDArray[np.float64], seed: int = 0) -> list[Interval]:
    """Return the interval of each column's mean; all columns share the draws of users.

    `differences` has shape (num_users, num_columns): one model minus another, for each user.
    """
    number, columns = differences.shape
    rng = np.random.default_rng(seed)
    means = np.empty((DRAWS, columns))
    step = max(1, _AT_ONCE // number)
    for first in range(0, DRAWS, step):
        rows = min(step, DRAWS - first)
        drawn = rng.integers(0, number, (rows, number)) + np.arange(rows)[:, None] * number
        times = np.bincount(drawn.ravel(), minlength=rows * number).reshape(rows, number)
        means[first : first + rows] = times @ differences / number
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return [
        Interval(difference=float(mean), low=float(one), high=float(other))
        for mean, one, other in zip(differences.mean(axis=0), low, high, strict=True)
    ]
