"""Fingerprints of each user's neighbours, which show whose neighbours changed since an export.

The statement `recommend_query_vector` computes the same number in the graph: the sum over a user's
counted neighbours of a 31-bit hash, so that no 64-bit integer overflows in Cypher.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kinfolio.records import Snapshot

_TRAIN = 0
_PRIME = 2_147_483_647
_FACTOR = 1_103_515_245


def fingerprints(snapshot: Snapshot) -> NDArray[np.int64]:
    """Return the fingerprint of each user's counted neighbours: int64, shape (num_users,).

    0 for a user without counted neighbours.
    """
    holdings, ties = snapshot.holdings, snapshot.ties
    held = holdings.split == _TRAIN
    tied = (ties.split == _TRAIN) & (ties.source != ties.target)
    one = np.concatenate([ties.source[tied], ties.target[tied]])
    other = np.concatenate([ties.target[tied], ties.source[tied]])
    pairs = np.unique(np.stack([one, other]), axis=1)
    holds = np.unique(np.stack([holdings.source[held], holdings.target[held]]), axis=1)
    total = np.zeros(snapshot.num_users, np.int64)
    np.add.at(total, holds[0], product_hashes(snapshot.product_gids)[holds[1]])
    np.add.at(total, pairs[0], user_hashes(snapshot.user_gids)[pairs[1]])
    return total


def product_hashes(gids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what holding each product adds to a fingerprint: int64, shape (len(gids),)."""
    return _hash(2 * gids + 1)


def user_hashes(gids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what a tie to each user adds to a fingerprint: int64, shape (len(gids),)."""
    return _hash(2 * gids + 2)


def sums_of_hashes(
    neighbours: list[list[int]],
    nodes: NDArray[np.int64],
    hashes: NDArray[np.int64],
    own: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the sum of the hashes of each user's distinct neighbours among `nodes`.

    `own`: the node of each user, who is no neighbour of their own.
    """
    total = np.zeros(len(neighbours), np.int64)
    if not len(nodes):
        return total
    rows = np.repeat(np.arange(len(neighbours)), [len(some) for some in neighbours])
    found = np.fromiter(chain.from_iterable(neighbours), np.int64, len(rows))
    order = np.argsort(nodes)
    places = order[np.searchsorted(nodes, found, sorter=order).clip(max=len(nodes) - 1)]
    is_counted = nodes[places] == found
    if own is not None:
        is_counted &= found != own[rows]
    pairs = np.unique(rows[is_counted] * len(nodes) + places[is_counted])
    np.add.at(total, pairs // len(nodes), hashes[pairs % len(nodes)])
    return total


def _hash(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a cube modulo a prime: its sums separate sets with equal plain sums."""
    once = (key % _PRIME * _FACTOR + 12_345) % _PRIME
    return once * once % _PRIME * once % _PRIME
