"""What training may see of a snapshot, laid out for the model.

Only holdings and ties of the training part are here; `split_off` hides some more of them when a
snapshot brings no validation part of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from torch import Tensor

from kinfolio.errors import BadInput
from kinfolio.gnn.model.propagation import adjacency, normalised, to_torch
from kinfolio.records import NO_TIME, SPLITS, Snapshot

_HELD_BACK = 0.1
"""Part of the training holdings that is held back when there is no `valid`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingData:
    """Interactions to learn from, interactions to choose by, and the graph between the nodes."""

    num_users: int
    num_products: int
    user: NDArray[np.int32]
    product: NDArray[np.int32]
    held: csr_array
    """Shape (num_users, num_products); 1 for each training holding."""
    wanted: csr_array
    """Shape (num_users, num_products); 1 for each holding of the validation part."""
    is_later: bool
    """Whether the validation part came after the training part, by the times of the holdings."""
    hidden: NDArray[np.int64]
    """Keys user * num_products + product of the holdings hidden from training by `split_off`."""
    reviewed: csr_array
    """Shape (num_products, num_users); 1 where a user wrote about a product that nobody holds in
    training, in a review that may describe it."""
    degrees: NDArray[np.float64]
    """Shape (num_users + num_products,); weighted degree of each node."""
    matrix: Tensor
    """Normalised adjacency as torch CSR, on the device."""

    @property
    def product_degree(self) -> NDArray[np.float32]:
        """Training holdings of each product: float32, shape (num_products,)."""
        return np.bincount(self.product, minlength=self.num_products).astype(np.float32)

    @property
    def apart(self) -> NDArray[np.bool_] | None:
        """Products that are ranked among themselves when something is chosen.

        Shape (num_products,). They are those that nobody holds in training, unless the validation
        part came later. In a part cut at random they are what was cut off, or they would not be in
        the data: whatever raised them above the others would seem good. None where there are none.
        """
        unseen = self.product_degree == 0
        return unseen if unseen.any() and not self.is_later else None


def held_in(snapshot: Snapshot, split: str) -> csr_array:
    """Holdings of one part of the data: float32 ones, shape (num_users, num_products)."""
    chosen = snapshot.holdings.split == SPLITS.index(split)
    return _ones(snapshot, snapshot.holdings.source[chosen], snapshot.holdings.target[chosen])


def split_off(snapshot: Snapshot, seed: int) -> NDArray[np.bool_]:
    """Training holdings to hold back for choosing: bool, shape (num_holdings,).

    The latest tenth where holdings have times, else a random tenth.
    """
    holdings = snapshot.holdings
    train = np.flatnonzero(holdings.split == 0)
    number = int(len(train) * _HELD_BACK)
    at = holdings.at[train]
    if len(train) and (at != NO_TIME).all() and at.min() < at.max():
        chosen = train[np.argsort(at, kind="stable")[len(train) - number :]]
    else:
        chosen = np.random.default_rng(seed).permutation(train)[:number]
    back = np.zeros(len(holdings.source), bool)
    back[chosen] = True
    return back


def hold_back(snapshot: Snapshot, seed: int) -> NDArray[np.bool_] | None:
    """What plays the validation part, by `split_off`; None where the snapshot brings one."""
    if (snapshot.holdings.split == SPLITS.index("valid")).any():
        return None
    return split_off(snapshot, seed)


def training_data(
    snapshot: Snapshot,
    device: torch.device,
    held_back: NDArray[np.bool_] | None = None,
    *,
    with_valid: bool = False,
) -> TrainingData:
    """The training part of a snapshot.

    Args:
        snapshot: the exported graph.
        device: where the adjacency is to be.
        held_back: training holdings to use as validation part instead of `valid`.
        with_valid: learn from `valid` too, so that there is no validation part.

    Raises:
        BadInput: there is nothing to learn from.
    """
    holdings, ties = snapshot.holdings, snapshot.ties
    train = holdings.split == 0
    valid = holdings.split == SPLITS.index("valid")
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
        tied |= ties.split == SPLITS.index("valid")
    weights, degrees = adjacency(
        snapshot.num_users,
        snapshot.num_products,
        (user, product),
        (ties.source[tied], ties.target[tied]),
    )
    hidden = np.zeros(0, np.int64)
    if held_back is not None:
        hidden = holdings.source[valid].astype(np.int64) * snapshot.num_products
        hidden += holdings.target[valid]
    return TrainingData(
        num_users=snapshot.num_users,
        num_products=snapshot.num_products,
        user=user,
        product=product,
        held=_ones(snapshot, user, product),
        wanted=_ones(snapshot, holdings.source[valid], holdings.target[valid]),
        is_later=_is_later(holdings.at[train], holdings.at[valid]),
        hidden=hidden,
        reviewed=_reviewed(snapshot, product, hidden),
        degrees=degrees,
        matrix=to_torch(normalised(weights, degrees), device),
    )


def _reviewed(snapshot: Snapshot, held: NDArray[np.int32], hidden: NDArray[np.int64]) -> csr_array:
    reviews = snapshot.reviews
    pairs = reviews.user.astype(np.int64) * snapshot.num_products + reviews.product
    is_held = np.zeros(snapshot.num_products, np.bool_)
    is_held[held] = True
    counts = reviews.describes_product & ~is_held[reviews.product] & ~np.isin(pairs, hidden)
    user, product = np.divmod(np.unique(pairs[counts]), snapshot.num_products)
    return csr_array(_ones(snapshot, user.astype(np.int32), product.astype(np.int32)).T)


def _is_later(train: NDArray[np.int64], valid: NDArray[np.int64]) -> bool:
    if not len(valid) or (train == NO_TIME).any() or (valid == NO_TIME).any():
        return False
    return bool(valid.min() >= train.max() > train.min())


def _ones(snapshot: Snapshot, user: NDArray[np.int32], product: NDArray[np.int32]) -> csr_array:
    ones = np.ones(len(user), np.float32)
    shape = (snapshot.num_users, snapshot.num_products)
    return csr_array(coo_array((ones, (user, product)), shape=shape).tocsr())
