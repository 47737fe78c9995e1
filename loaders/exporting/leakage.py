"""Ties and reviews that training may use, so that held-out holdings do not leak.

Held-out rows, and rows dated after the last training holding (the cut), are not used. The use of a
review depends on its own split or time; without either, on its pair of user and product: a review
of a held-out pair is not used, one of a pair that is no holding describes only the product. A graph
without splits has no held-out part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinfolio.records import NO_TIME

NO_SPLIT = -1
"""Split of an edge or review without one; otherwise a position in `SPLITS`."""
_TRAIN = 0
_HELD_OUT = 2


def tie_splits(split: NDArray[np.int8], at: NDArray[np.int64], cut: int) -> NDArray[np.int8]:
    """Return the split of each tie; 0 means that training may use it."""
    is_train = (split == _TRAIN) | (split == NO_SPLIT)
    late = is_train & _after(at, cut)
    return np.where(late, _HELD_OUT, np.where(is_train, _TRAIN, split)).astype(np.int8)


def review_uses(
    *,
    pair: NDArray[np.int64],
    split: NDArray[np.int8],
    at: NDArray[np.int64],
    holding_pair: NDArray[np.int64],
    holding_split: NDArray[np.int8],
    cut: int,
    has_splits: bool,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether each review may describe its user, and whether its product.

    Args:
        pair: one number for user and product of each review.
        split: position in `SPLITS`, or `NO_SPLIT`.
        at: milliseconds since 1970, or `NO_TIME`.
        holding_pair: as `pair`, of each holding.
        holding_split: as `split`, of each holding.
        cut: time of the last training holding; `NO_TIME` without times or held-out part.
        has_splits: whether any holding of the graph has a split.
    """
    held_out = _is_in(pair, holding_pair[holding_split > _TRAIN])
    trained = _is_in(pair, holding_pair[holding_split <= _TRAIN]) & ~held_out
    user, product = trained, ~held_out
    if not has_splits:
        user = product = np.ones(len(pair), np.bool_)
    dated = (at != NO_TIME) & (cut != NO_TIME)
    user, product = (np.where(dated, at <= cut, use) for use in (user, product))
    own = split != NO_SPLIT
    by_split = (split == _TRAIN) & ~_after(at, cut)
    user, product = (np.where(own, by_split, use) for use in (user, product))
    return user, product


def _is_in(pair: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    # Not `np.isin`, which hashes: pairs of an export are sorted, so this sort is cheap.
    if not len(others):
        return np.zeros(len(pair), np.bool_)
    ordered = np.sort(others, kind="stable")
    found: NDArray[np.bool_] = (
        ordered[np.searchsorted(ordered, pair).clip(max=len(ordered) - 1)] == pair
    )
    return found


def _after(at: NDArray[np.int64], cut: int) -> NDArray[np.bool_]:
    late: NDArray[np.bool_] = (at > cut) & (at != NO_TIME) & (cut != NO_TIME)
    return late
