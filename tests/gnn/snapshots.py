"""Small random snapshots for tests that need no server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot
from kinfolio.snapshot import with_hash


def make_edges(
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    split: NDArray[np.int64] | None = None,
    at: NDArray[np.int64] | None = None,
) -> Edges:
    order = np.lexsort((target, source))
    count = len(source)
    split = np.zeros(count, np.int64) if split is None else split
    at = np.full(count, NO_TIME) if at is None else at
    return Edges(
        source=source[order].astype(np.int32),
        target=target[order].astype(np.int32),
        split=split[order].astype(np.int8),
        at=at[order].astype(np.int64),
        rating=np.full(count, np.nan, np.float32),
    )


def no_links(num_products: int) -> dict[str, NDArray[Any]]:
    """The fields of embeddings without links."""
    return {
        "link_offsets": np.zeros(num_products + 1, np.int64),
        "link_products": np.zeros(0, np.int32),
        "link_weights": np.zeros(0, np.float32),
    }


def random_links(num_products: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """The fields of embeddings with some links from every other product."""
    has = rng.random((num_products, num_products)) < min(0.5, 20 / num_products)
    has[::2] = False
    np.fill_diagonal(has, False)
    targets = [np.flatnonzero(row).astype(np.int32) for row in has]
    offsets = np.concatenate([[0], has.sum(axis=1).cumsum()]).astype(np.int64)
    return {
        "link_offsets": offsets,
        "link_products": np.concatenate(targets),
        "link_weights": rng.exponential(2, int(offsets[-1])).astype(np.float32),
    }


def no_reviews() -> Reviews:
    nodes, uses = np.zeros(0, np.int32), np.zeros(0, np.bool_)
    return Reviews(
        user=nodes,
        product=nodes,
        at=np.zeros(0, np.int64),
        text=(),
        describes_user=uses,
        describes_product=uses,
    )


def reviews_of_the_last_product(
    writers: Sequence[int] = (0, 2, 4), num_products: int = 15
) -> Reviews:
    """Reviews of the product without holders, by users of one taste; they describe only it."""
    number = len(writers)
    return Reviews(
        user=np.array(writers, np.int32),
        product=np.full(number, num_products - 1, np.int32),
        at=np.full(number, NO_TIME),
        text=("",) * number,
        describes_user=np.zeros(number, np.bool_),
        describes_product=np.ones(number, np.bool_),
    )


def make_snapshot(
    *,
    seed: int,
    num_users: int = 24,
    num_products: int = 15,
    product_order: NDArray[np.int64] | None = None,
    has_valid: bool = True,
    reviews: Reviews | None = None,
) -> Snapshot:
    """Users of two tastes hold products of their half; the last product has no holder.

    `product_order[p]` is the place of product p, for comparing a graph with itself renamed.
    """
    rng = np.random.default_rng(seed)
    order = np.arange(num_products) if product_order is None else product_order
    half = (num_products - 1) // 2
    pairs = [
        (user, half * (user % 2) + int(product))
        for user in range(num_users - 1)
        for product in rng.choice(half, 4, replace=False)
    ]
    user, product = np.array(pairs).T
    split = rng.choice([0, 1, 2], len(user), p=[0.7, 0.15, 0.15])
    if not has_valid:
        split[split == 1] = 0
    one = rng.integers(0, num_users, 20)
    other = np.minimum(rng.integers(0, num_users // 2, 20) * 2 + one % 2, num_users - 1)
    tie_split = rng.choice([0, 2], 20, p=[0.8, 0.2])
    return with_hash(
        Snapshot(
            user_ids=tuple(f"u{row}" for row in range(num_users)),
            product_ids=tuple(f"p{row}" for row in range(num_products)),
            user_gids=np.arange(num_users),
            product_gids=np.arange(num_products),
            product_names=tuple(f"Product {row}" for row in range(num_products)),
            product_texts=("",) * num_products,
            holdings=make_edges(user, order[product], split),
            ties=make_edges(one, other, tie_split),
            reviews=reviews or no_reviews(),
            cut=NO_TIME,
            hash="",
        )
    )
