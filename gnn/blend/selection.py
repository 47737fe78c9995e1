"""Model selection on the validation set: the smallest value within the standard error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from kinfolio.gnn.ranking import Quality, UserMetrics

STRENGTHS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.5)
"""Weights of a term, in standard deviations of the heads' scores."""


def smallest_within_error(
    values: Sequence[float], evaluate: Callable[[float], UserMetrics]
) -> float:
    """Return the first value within one standard error of the best (paired over users).

    The first value, which adds nothing, is given up only for an improvement of two standard errors:
    the best of many values is better by chance too.

    Args:
        values: candidates, smallest first.
        evaluate: returns recall and NDCG of each user for a value.
    """
    found = {value: evaluate(value) for value in values}
    best = max(values, key=lambda value: Quality.mean(found[value]).value)
    recall, ndcg = found[best]
    if not (recall.mean() and ndcg.mean()):
        return values[0]
    for value in values:
        # To first order, the loss of a geometric mean of two means is a mean over users.
        loss = (recall - found[value][0]) / recall.mean() + (ndcg - found[value][1]) / ndcg.mean()
        allowed = 2.0 if value == values[0] else 1.0
        if loss.mean() <= allowed * loss.std() / np.sqrt(len(loss)):
            return value
    return best


def hill_climb(
    values: Sequence[float], quality: Callable[[float], float], start: float | None = None
) -> float:
    """Return a value none of whose neighbours is better, searching upwards first.

    Args:
        values: in order.
        quality: of one of them; called once for each.
        start: one of them; None: the middle one.
    """
    ask = cache(quality)
    place = len(values) // 2 if start is None else values.index(start)
    first = place
    for direction in (1, -1):
        while 0 <= place + direction < len(values) and (
            ask(values[place + direction]) > ask(values[place])
        ):
            place += direction
        if place != first:
            break
    return values[place]


def deviations_of(scores: Tensor, products: NDArray[np.bool_]) -> Tensor:
    """Return the standard deviation of each user's scores over products: shape (num_users,).

    Args:
        scores: shape (num_users, num_products).
        products: shape (num_products,); those that count.
    """
    return scores[:, from_numpy(products)].std(dim=1, correction=0)
