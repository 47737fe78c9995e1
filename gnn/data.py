"""The training data of a snapshot, laid out for the model.

Holds only what training may see: interactions and ties of the train split, less those that
`split_validation` holds back when the snapshot has no validation split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from torch import Tensor

from kinfolio.errors import BadInput
from kinfolio.gnn.model.propagation import adjacency, normalize_adjacency, to_torch
from kinfolio.records import NO_TIME, SPLITS, Snapshot

VALIDATION_FRACTION = 0.1
"""Of the training interactions, held back where the snapshot has no validation split."""
_VALID = SPLITS.index("valid")
_GID_BITS = 31
"""A Neo4j store holds fewer than 2^35 nodes; row numbers of products stay below 2^31."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingData:
    """Interactions to train on, interactions to select by, and the graph between the nodes."""

    num_users: int
    num_products: int
    user: NDArray[np.int32]
    """Shape (num_interactions,); user index of each training interaction."""
    product: NDArray[np.int32]
    interactions: csr_array
    """Shape (num_users, num_products); 1 for each training interaction."""
    validation: csr_array
    """Shape (num_users, num_products); 1 for each interaction of the validation set."""
    is_temporal_split: bool
    """Whether every validation interaction is later than all training interactions."""
    held_back_pairs: NDArray[np.int64]
    """Keys user * num_products + product of the interactions held back by `split_validation`."""
    reviewers: csr_array
    """Shape (num_products, num_users); 1 where a user reviewed a cold product, in a review that
    may describe it."""
    degrees: NDArray[np.float64]
    """Shape (num_users + num_products,); weighted degree of each node."""
    matrix: Tensor
    """Normalised adjacency as torch CSR, on the device."""

    @property
    def product_degree(self) -> NDArray[np.float32]:
        """Training interactions of each product: float32, shape (num_products,)."""
        return np.bincount(self.product, minlength=self.num_products).astype(np.float32)

    @property
    def cold_products(self) -> NDArray[np.bool_] | None:
        """Products without training interactions, to be ranked separately in model selection.

        Bool, shape (num_products,). None without any, and with a temporal split: there they
        compete with all products. In a random split they are what was held out, or they would not
        be in the data, so that anything that ranked them above the others would score well.
        """
        is_cold = self.product_degree == 0
        return is_cold if is_cold.any() and not self.is_temporal_split else None


def interactions_of(snapshot: Snapshot, split: str) -> csr_array:
    """Return the interactions of one split: float32 ones, shape (num_users, num_products)."""
    return interactions_at(snapshot, snapshot.holdings.split == SPLITS.index(split))


def interactions_at(snapshot: Snapshot, rows: NDArray[np.bool_]) -> csr_array:
    """Return some interactions: float32 ones, shape (num_users, num_products)."""
    return _ones(snapshot, snapshot.holdings.source[rows], snapshot.holdings.target[rows])


def split_validation(snapshot: Snapshot, seed: int) -> NDArray[np.bool_]:
    """Return the training interactions to hold back: bool, shape (num_interactions,).

    The latest tenth where all interactions have times, else a random tenth.
    """
    holdings = snapshot.holdings
    train = np.flatnonzero(holdings.split == 0)
    number = int(len(train) * VALIDATION_FRACTION)
    if has_times(snapshot):
        at = holdings.at[train]
        rows = train[np.argsort(at, kind="stable")[len(train) - number :]]
    else:
        rows = np.random.default_rng(seed).permutation(train)[:number]
    mask = np.zeros(len(holdings.source), bool)
    mask[rows] = True
    return mask


def has_times(snapshot: Snapshot) -> bool:
    """Return whether all training interactions have times, not all of them equal."""
    at = snapshot.holdings.at[snapshot.holdings.split == 0]
    return bool(len(at)) and bool((at != NO_TIME).all()) and bool(at.min() < at.max())


def pair_keys(snapshot: Snapshot, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return a key for each of some interactions, the same in all snapshots of one graph.

    `rows` has shape (num_interactions,); the keys are ascending, as the interactions are.
    """
    holdings = snapshot.holdings
    return keys_of(snapshot, holdings.source[rows], holdings.target[rows])


def interactions_of_keys(snapshot: Snapshot, keys: NDArray[np.int64]) -> csr_array:
    """Return the interactions of some keys, of which a snapshot has both ends, as ones."""
    gids = keys >> _GID_BITS, keys & ((1 << _GID_BITS) - 1)
    rows, found = [], np.ones(len(keys), np.bool_)
    for known, wanted in zip((snapshot.user_gids, snapshot.product_gids), gids, strict=True):
        place = np.searchsorted(known, wanted).clip(max=len(known) - 1)
        found &= known[place] == wanted
        rows.append(place)
    user, product = (place[found].astype(np.int32) for place in rows)
    return _ones(snapshot, user, product)


def keys_of(
    snapshot: Snapshot, users: NDArray[np.integer[Any]], products: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """Return a key for each pair of a user and a product, given their rows."""
    keys: NDArray[np.int64] = snapshot.user_gids[users] << _GID_BITS
    keys += snapshot.product_gids[products]
    return keys


def validation_mask(snapshot: Snapshot, seed: int) -> NDArray[np.bool_] | None:
    """Return the interactions to hold back; None where the snapshot has a validation split."""
    if (snapshot.holdings.split == _VALID).any():
        return None
    return split_validation(snapshot, seed)


def training_data(
    snapshot: Snapshot,
    device: torch.device,
    held_back: NDArray[np.bool_] | None = None,
    *,
    with_valid: bool = False,
) -> TrainingData:
    """Return the training data of a snapshot.

    Args:
        snapshot: the exported graph.
        device: of the adjacency matrix.
        held_back: training interactions that form the validation set instead of split `valid`.
        with_valid: train on `valid` too, without a validation set.

    Raises:
        BadInput: the train split is empty.
    """
    holdings, ties = snapshot.holdings, snapshot.ties
    train, valid = holdings.split == 0, holdings.split == _VALID
    if held_back is not None:
        train, valid = train & ~held_back, held_back
    if with_valid:
        train, valid = train | valid, np.zeros(len(valid), bool)
    if not train.any():
        raise BadInput(
            "the snapshot has no training interactions (all of them are marked valid or test); "
            "check the column split of the interactions file and load it again"
        )
    user, product = holdings.source[train], holdings.target[train]
    tied = ties.split == 0
    if with_valid:
        tied |= ties.split == _VALID
    weights, degrees = adjacency(
        snapshot.num_users,
        snapshot.num_products,
        (user, product),
        (ties.source[tied], ties.target[tied]),
    )
    held_back_pairs = np.zeros(0, np.int64)
    if held_back is not None:
        held_back_pairs = holdings.source[valid].astype(np.int64) * snapshot.num_products
        held_back_pairs += holdings.target[valid]
    return TrainingData(
        num_users=snapshot.num_users,
        num_products=snapshot.num_products,
        user=user,
        product=product,
        interactions=_ones(snapshot, user, product),
        validation=_ones(snapshot, holdings.source[valid], holdings.target[valid]),
        is_temporal_split=_is_later(holdings.at[valid], holdings.at[train]),
        held_back_pairs=held_back_pairs,
        reviewers=_reviewers(snapshot, product, held_back_pairs),
        degrees=degrees,
        matrix=to_torch(normalize_adjacency(weights, degrees), device),
    )


def _reviewers(
    snapshot: Snapshot, interacted: NDArray[np.int32], held_back_pairs: NDArray[np.int64]
) -> csr_array:
    reviews = snapshot.reviews
    pairs = reviews.user.astype(np.int64) * snapshot.num_products + reviews.product
    is_warm = np.zeros(snapshot.num_products, np.bool_)
    is_warm[interacted] = True
    counts = reviews.describes_product & ~is_warm[reviews.product]
    counts &= ~np.isin(pairs, held_back_pairs)
    user, product = np.divmod(np.unique(pairs[counts]), snapshot.num_products)
    return csr_array(_ones(snapshot, user.astype(np.int32), product.astype(np.int32)).T)


def _is_later(valid: NDArray[np.int64], train: NDArray[np.int64]) -> bool:
    if not len(valid) or (train == NO_TIME).any() or (valid == NO_TIME).any():
        return False
    return bool(valid.min() >= train.max() > train.min())


def _ones(snapshot: Snapshot, user: NDArray[np.int32], product: NDArray[np.int32]) -> csr_array:
    ones = np.ones(len(user), np.float32)
    shape = (snapshot.num_users, snapshot.num_products)
    return csr_array(coo_array((ones, (user, product)), shape=shape).tocsr())
