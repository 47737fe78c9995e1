"""Ranking and its metrics equal hand counts; groups of users and products."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from kinfolio.gnn.evaluation.metrics import groups_of
from kinfolio.gnn.ranking import (
    NO_PRODUCT,
    Quality,
    dot_scores,
    fast_topk,
    find_hits,
    per_user_metrics,
    recall_and_ndcg,
    top_k,
)


def test_recall_and_ndcg_equal_a_hand_count() -> None:
    # Places 1 and 3 of 3 are hits; the user has 4 held-out products, then 1.
    hits = np.array([[True, False, True], [False, True, False]])
    recall, ndcg = recall_and_ndcg(hits, np.array([4, 1]))
    assert recall.tolist() == [0.5, 1.0]
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    np.testing.assert_allclose(ndcg, [(1 + 1 / np.log2(4)) / ideal, 1 / np.log2(3)])


def test_training_interactions_are_excluded_from_the_list() -> None:
    interactions = csr_array(np.array([[1.0, 0, 0, 0]]))
    lists = top_k(lambda users: torch.tensor([[4.0, 3, 2, 1]]), np.array([0]), interactions, 2)
    assert lists.tolist() == [[1, 2]]


@pytest.mark.parametrize("columns", [3, 20, 640, 1280, 1281, 5000])
def test_the_best_equal_those_of_a_plain_sort(columns: int) -> None:
    scores = torch.randn(40, columns, generator=torch.Generator().manual_seed(columns))
    scores[:, ::7] = -torch.inf
    scores[0] = -torch.inf
    found = fast_topk(scores, min(20, columns))
    plain = scores.topk(min(20, columns))
    assert torch.equal(found[0], plain.values)
    finite = plain.values.isfinite()
    assert torch.equal(found[1][finite], plain.indices[finite])


def test_the_best_among_equal_scores_are_listed_once_each() -> None:
    scores = torch.randint(0, 3, (40, 2000), generator=torch.Generator().manual_seed(0)).float()
    values, places = fast_topk(scores, 20)
    assert torch.equal(values, scores.topk(20).values)
    assert torch.equal(scores.gather(1, places), values)
    assert all(len(set(row)) == 20 for row in places.tolist())


def test_lists_by_vectors_equal_those_of_the_plain_product() -> None:
    rng = np.random.default_rng(2)
    users, products, bias = (
        rng.normal(size=shape).astype(np.float32) for shape in ((1500, 8), (3000, 8), (3000,))
    )
    interactions = csr_array((rng.random((1500, 3000)) < 0.01).astype(np.float32))
    chosen = np.arange(0, 1500, 1)
    lists = top_k(dot_scores(users, products, bias), chosen, interactions, 20)
    plain = np.where(interactions.toarray() > 0, -np.inf, users @ products.T + bias)
    np.testing.assert_allclose(
        np.take_along_axis(plain, lists, 1), -np.sort(-plain, axis=1)[:, :20], atol=1e-5
    )
    without = dot_scores(users, products)(chosen[:5]).numpy()
    np.testing.assert_allclose(without, users[:5] @ products.T, atol=1e-5)


def test_only_candidates_are_listed_and_empty_places_are_marked() -> None:
    interactions = csr_array(np.array([[1.0, 0, 0, 0]]))
    candidates = np.array([True, False, True, False])
    lists = top_k(
        lambda users: torch.tensor([[4.0, 3, 2, 1]]), np.array([0]), interactions, 3, candidates
    )
    assert lists.tolist() == [[2, NO_PRODUCT, NO_PRODUCT]]
    targets = csr_array(np.array([[0.0, 0, 1, 1]]))
    assert find_hits(lists, np.array([0]), targets).tolist() == [[True, False, False]]


def test_an_empty_place_is_never_a_hit() -> None:
    targets = csr_array(np.array([[0.0, 1], [1, 0]]))
    lists = np.array([[0, NO_PRODUCT], [1, NO_PRODUCT]])
    assert not find_hits(lists, np.array([0, 1]), targets).any()


def test_hits_are_the_held_out_products_of_the_same_user() -> None:
    targets = csr_array(np.array([[0.0, 1, 0], [1, 0, 0]]))
    lists = np.array([[0, 1], [0, 1]])
    assert find_hits(lists, np.array([0, 1]), targets).tolist() == [[False, True], [True, False]]


def test_a_perfect_ranking_has_recall_and_ndcg_of_one() -> None:
    targets = csr_array((np.random.default_rng(0).random((7, 30)) < 0.2).astype(float))
    scores = torch.from_numpy(targets.toarray()).float()
    found = Quality.mean(
        per_user_metrics(lambda users: scores[users].clone(), csr_array((7, 30)), targets)
    )
    assert (found.recall, found.ndcg) == pytest.approx((1.0, 1.0))


def test_groups_separate_warm_from_new_users_and_seen_from_unseen_products() -> None:
    interactions = csr_array(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 0]]))
    targets = csr_array(np.array([[0.0, 1, 1], [1, 0, 0], [1, 0, 0]]))
    groups = groups_of(interactions, targets)
    assert {name: group.users.tolist() for name, group in groups.items()} == {
        "all": [0, 1, 2],
        "warm": [0, 1],
        "new": [2],
        "seen": [0, 1],
        "unseen": [0],
        "unseen_among_all": [0],
    }
    assert groups["seen"].held_out.toarray()[0].tolist() == [0, 1, 0]
    candidates = groups["unseen"].candidates
    assert candidates is not None
    assert candidates.tolist() == [False, False, True]
