"""Figures checked by hand, baselines checked by their dense twins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from kinfolio.gnn.baselines import ease, popularity
from kinfolio.gnn.evaluate import groups_of
from kinfolio.gnn.ranking import hits_of, quality, recall_and_ndcg, top


def test_recall_and_ndcg_equal_a_hand_count() -> None:
    # Places 1 and 3 of 3 are right; the user has 4 held-out products, then 1.
    hits = np.array([[True, False, True], [False, True, False]])
    recall, ndcg = recall_and_ndcg(hits, np.array([4, 1]))
    assert recall.tolist() == [0.5, 1.0]
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    np.testing.assert_allclose(ndcg, [(1 + 1 / np.log2(4)) / ideal, 1 / np.log2(3)])


def test_products_held_in_training_are_left_out_of_the_list() -> None:
    held = csr_array(np.array([[1.0, 0, 0, 0]]))
    lists = top(lambda users: torch.tensor([[4.0, 3, 2, 1]]), np.array([0]), held, 2)
    assert lists.tolist() == [[1, 2]]


def test_hits_are_the_held_out_products_of_that_very_user() -> None:
    wanted = csr_array(np.array([[0.0, 1, 0], [1, 0, 0]]))
    lists = np.array([[0, 1], [0, 1]])
    assert hits_of(lists, np.array([0, 1]), wanted).tolist() == [[False, True], [True, False]]


def test_a_perfect_ranking_has_recall_and_ndcg_of_one() -> None:
    wanted = csr_array((np.random.default_rng(0).random((7, 30)) < 0.2).astype(float))
    scores = torch.from_numpy(wanted.toarray()).float()
    found = quality(lambda users: scores[users].clone(), csr_array((7, 30)), wanted)
    assert (found.recall, found.ndcg) == pytest.approx((1.0, 1.0))


def test_popularity_counts_the_holders() -> None:
    held = csr_array(np.array([[1.0, 1, 0], [0, 1, 0]]))
    assert popularity(held)(np.array([1, 0])).tolist() == [[1, 2, 0], [1, 2, 0]]


def test_ease_is_the_regression_of_each_product_on_the_others() -> None:
    rng = np.random.default_rng(5)
    held = (rng.random((40, 9)) < 0.4).astype(np.float32)
    scores = ease(csr_array(held), 3.0)(np.arange(40)).numpy()
    for product in range(9):
        others = [other for other in range(9) if other != product]
        x, y = held[:, others].astype(float), held[:, product].astype(float)
        weights = np.linalg.solve(x.T @ x + 3.0 * np.eye(8), x.T @ y)
        popular = 1e-6 * held[:, product].sum()
        np.testing.assert_allclose(scores[:, product], x @ weights + popular, atol=1e-4)


def test_groups_part_warm_from_new_users_and_seen_from_unseen_products() -> None:
    held = csr_array(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 0]]))
    wanted = csr_array(np.array([[0.0, 1, 1], [1, 0, 0], [1, 0, 0]]))
    groups = groups_of(held, wanted)
    assert {name: users.tolist() for name, (users, _, _) in groups.items()} == {
        "all": [0, 1, 2],
        "warm": [0, 1],
        "new": [2],
        "seen": [0, 1],
        "unseen": [0],
        "unseen_among_all": [0],
    }
    assert groups["seen"][1].toarray()[0].tolist() == [0, 1, 0]
    candidates = groups["unseen"][2]
    assert candidates is not None
    assert candidates.tolist() == [False, False, True]
