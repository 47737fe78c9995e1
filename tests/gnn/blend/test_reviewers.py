"""Reviewers of cold products: whose lists change, and which reviews must not count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kinfolio.gnn.data import training_data
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.records import Snapshot
from kinfolio.run import Run
from kinfolio.snapshot import with_hash
from tests.gnn.snapshots import make_edges, make_snapshot, reviews_of_the_last_product
from tests.gnn.trained import SMALL, trained

CPU = torch.device("cpu")
NUM_USERS, NUM_PRODUCTS = 120, 21
OF_EVEN, OF_ODD = NUM_PRODUCTS - 2, NUM_PRODUCTS - 1
"""Two cold products: each is reviewed, and later held, by users of one taste."""


def tastes(writers: tuple[range, range]) -> Snapshot:
    """Even users hold `OF_EVEN` in `valid`, odd ones `OF_ODD`; both are reviewed by `writers`."""
    snapshot = make_snapshot(seed=5, num_users=NUM_USERS, num_products=NUM_PRODUCTS)
    held = snapshot.holdings
    is_kept = (held.split == 0) & (held.target < OF_EVEN)
    users = np.arange(NUM_USERS - 1)
    source = np.concatenate([held.source[is_kept], users])
    target = np.concatenate([held.target[is_kept], OF_EVEN + users % 2])
    split = np.concatenate([np.zeros(is_kept.sum(), np.int64), np.ones(len(users), np.int64)])
    parts = [
        replace(
            reviews_of_the_last_product(list(users_of), NUM_PRODUCTS),
            product=np.full(len(users_of), product, np.int32),
        )
        for users_of, product in zip(writers, (OF_EVEN, OF_ODD), strict=True)
    ]
    names = ("user", "product", "at", "describes_user", "describes_product")
    reviews = replace(
        parts[0],
        text=parts[0].text + parts[1].text,
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
    )
    holdings = make_edges(source.astype(np.int64), target.astype(np.int64), split)
    return with_hash(replace(snapshot, holdings=holdings, reviews=reviews))


def weight_of(run: Run) -> float:
    weight: float = run.need_info()["blend"]["reviewers"]
    return weight


def test_a_cold_product_rises_for_users_similar_to_its_reviewers(tmp_path: Path) -> None:
    of_taste = tastes((range(0, 20, 2), range(1, 20, 2)))
    run = trained(tmp_path, of_taste, replace(SMALL, text="off", links="off"))
    assert weight_of(run) > 0
    stored = read_embeddings(run)
    scores = stored.user_vectors @ stored.product_vectors.T + stored.bias
    difference = scores[20:-1, OF_EVEN] - scores[20:-1, OF_ODD]
    is_even = np.arange(20, NUM_USERS - 1) % 2 == 0
    assert np.mean((difference > 0) == is_even) > 0.9


def test_reviewers_are_left_out_where_they_are_uninformative(tmp_path: Path) -> None:
    same = tastes((range(20), range(20)))
    assert weight_of(trained(tmp_path, same, replace(SMALL, text="off", links="off"))) == 0


@pytest.mark.parametrize("reason", ["held", "not allowed", "held back"])
def test_a_review_that_must_not_count_does_not(reason: str) -> None:
    reviews = reviews_of_the_last_product()
    snapshot = make_snapshot(seed=4, reviews=reviews, has_valid=False)
    assert training_data(snapshot, CPU).reviewers[[14]].indices.tolist() == [0, 2, 4]
    held, back = snapshot.holdings, None
    if reason == "not allowed":
        reviews = replace(reviews, describes_product=np.array([True, False, False]))
        snapshot = replace(snapshot, reviews=reviews)
    else:
        held = make_edges(
            np.append(held.source, 2).astype(np.int64),
            np.append(held.target, 14).astype(np.int64),
            np.append(held.split, 0).astype(np.int64),
        )
        snapshot = replace(snapshot, holdings=held)
    if reason == "held back":
        back = (held.source == 2) & (held.target == 14)
    left = training_data(snapshot, CPU, back).reviewers[[14]].indices.tolist()
    assert left == {"held": [], "not allowed": [0], "held back": [0, 4]}[reason]
