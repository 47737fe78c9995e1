"""Measures of the change of a distribution: population stability index, distance, shift of means.

The index of shares p then and q now is the sum of (q - p) log(q / p) (Jeffreys 1946; the symmetric
Kullback-Leibler divergence). Without a change, index / (1/n + 1/m) is about chi-squared with one
degree of freedom less than there are groups (Yurdakul and Naranjo, Journal of Risk Model Validation
2020): the chance level, which small samples exceed the usual limits by. n and m are numbers of
users, as holdings of one user are not independent. Shares below `LEAST` count as `LEAST`, so that
an empty group does not make the index infinite.
The Jensen-Shannon distance (Lin, IEEE Transactions on Information Theory 1991; in base 2, its
square root is a metric) is between 0 and 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-3
_LEVEL = 0.05


def stability_index(then: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Return the population stability index of two vectors of shares."""
    p, q = np.maximum(then, LEAST), np.maximum(now, LEAST)
    return float(((q - p) * np.log(q / p)).sum())


def chance_level(groups: int, num_then: int, num_now: int) -> float:
    """Return the index that samples of one distribution exceed with a probability of 5 %."""
    from scipy.special import chdtri

    if groups < 2 or not num_then or not num_now:
        return math.inf
    return float(chdtri(groups - 1, _LEVEL)) * (1 / num_then + 1 / num_now)


def jensen_shannon(then: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Return the Jensen-Shannon distance of two vectors of shares, 0 to 1."""
    middle = (then + now) / 2
    divergence = 0.0
    for shares in (then, now):
        has = shares > 0
        divergence += float((shares[has] * np.log2(shares[has] / middle[has])).sum()) / 2
    return math.sqrt(max(divergence, 0.0))


def mean_shift(
    mean: NDArray[np.float32], number: int, vectors: NDArray[np.float32]
) -> float | None:
    """Return the distance of the mean of unit vectors from an older mean, in standard deviations.

    The squared distance, less what sampling adds to it, over the total variance of the older
    vectors, which for unit vectors is 1 - |mean|^2: the linear-kernel MMD (Gretton et al., JMLR
    2012), standardised. None with fewer than two vectors, or if the older ones do not vary.

    Args:
        mean: of the older vectors, shape (width,).
        number: of the older vectors.
        vectors: shape (num_vectors, width), unit.
    """
    if len(vectors) < 2 or number < 2:
        return None
    new = vectors.mean(axis=0, dtype=np.float64)
    variance = 1 - float((mean.astype(np.float64) ** 2).sum())
    if variance <= 0:
        return None
    spread = 1 - float((new**2).sum())
    noise = spread / (len(vectors) - 1) + variance / number
    squared = float(((new - mean) ** 2).sum()) - noise
    return math.sqrt(max(squared, 0.0) / variance)
