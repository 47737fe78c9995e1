"""Figures checked by hand, baselines checked by their dense twins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from kinfolio.gnn.evaluation.baselines import ease, popularity, text_mean, ties_mean
from kinfolio.gnn.evaluation.evaluate import groups_of
from kinfolio.gnn.ranking import (
    NOBODY,
    Quality,
    best_of,
    dot_scores,
    figures_of,
    hits_of,
    recall_and_ndcg,
    top,
)


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


@pytest.mark.parametrize("columns", [3, 20, 640, 1280, 1281, 5000])
def test_the_best_are_those_of_a_plain_sort(columns: int) -> None:
    scores = torch.randn(40, columns, generator=torch.Generator().manual_seed(columns))
    scores[:, ::7] = -torch.inf
    scores[0] = -torch.inf
    found = best_of(scores, min(20, columns))
    plain = scores.topk(min(20, columns))
    assert torch.equal(found[0], plain.values)
    finite = plain.values.isfinite()
    assert torch.equal(found[1][finite], plain.indices[finite])


def test_the_best_among_equal_scores_are_listed_once_each() -> None:
    scores = torch.randint(0, 3, (40, 2000), generator=torch.Generator().manual_seed(0)).float()
    values, places = best_of(scores, 20)
    assert torch.equal(values, scores.topk(20).values)
    assert torch.equal(scores.gather(1, places), values)
    assert all(len(set(row)) == 20 for row in places.tolist())


def test_lists_by_vectors_are_those_of_the_plain_product() -> None:
    rng = np.random.default_rng(2)
    users, products, bias = (
        rng.normal(size=shape).astype(np.float32) for shape in ((1500, 8), (3000, 8), (3000,))
    )
    known = csr_array((rng.random((1500, 3000)) < 0.01).astype(np.float32))
    chosen = np.arange(0, 1500, 1)
    lists = top(dot_scores(users, products, bias), chosen, known, 20)
    plain = np.where(known.toarray() > 0, -np.inf, users @ products.T + bias)
    np.testing.assert_allclose(
        np.take_along_axis(plain, lists, 1), -np.sort(-plain, axis=1)[:, :20], atol=1e-5
    )
    without = dot_scores(users, products)(chosen[:5]).numpy()
    np.testing.assert_allclose(without, users[:5] @ products.T, atol=1e-5)


def test_only_candidates_are_listed_and_empty_places_are_marked() -> None:
    held = csr_array(np.array([[1.0, 0, 0, 0]]))
    candidates = np.array([True, False, True, False])
    lists = top(lambda users: torch.tensor([[4.0, 3, 2, 1]]), np.array([0]), held, 3, candidates)
    assert lists.tolist() == [[2, NOBODY, NOBODY]]
    wanted = csr_array(np.array([[0.0, 0, 1, 1]]))
    assert hits_of(lists, np.array([0]), wanted).tolist() == [[True, False, False]]


def test_an_empty_place_is_no_hit_of_the_user_before() -> None:
    wanted = csr_array(np.array([[0.0, 1], [1, 0]]))
    lists = np.array([[0, NOBODY], [1, NOBODY]])
    assert not hits_of(lists, np.array([0, 1]), wanted).any()


def test_hits_are_the_held_out_products_of_that_very_user() -> None:
    wanted = csr_array(np.array([[0.0, 1, 0], [1, 0, 0]]))
    lists = np.array([[0, 1], [0, 1]])
    assert hits_of(lists, np.array([0, 1]), wanted).tolist() == [[False, True], [True, False]]


def test_a_perfect_ranking_has_recall_and_ndcg_of_one() -> None:
    wanted = csr_array((np.random.default_rng(0).random((7, 30)) < 0.2).astype(float))
    scores = torch.from_numpy(wanted.toarray()).float()
    found = Quality.of(figures_of(lambda users: scores[users].clone(), csr_array((7, 30)), wanted))
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


@pytest.mark.parametrize("shape", [(40, 9), (9, 40)])
@pytest.mark.parametrize("text_weight", [0.0, 2.0])
def test_ease_is_the_same_by_users_and_by_products(
    shape: tuple[int, int], text_weight: float
) -> None:
    rng = np.random.default_rng(6)
    held = (rng.random(shape) < 0.3).astype(np.float32)
    text = rng.normal(size=(shape[1], 4)).astype(np.float32)
    gram = held.T @ held + text_weight * text @ text.T
    inverse = np.linalg.inv(gram + 3.0 * np.eye(shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    users = np.arange(shape[0])[::2]
    scores = ease(csr_array(held), 3.0, text if text_weight else None, text_weight)(users).numpy()
    np.testing.assert_allclose(
        scores, held[users] @ weights + 1e-6 * held.sum(axis=0), rtol=1e-3, atol=1e-4
    )


def test_the_mean_of_ties_is_what_their_people_hold() -> None:
    held = csr_array(np.array([[1.0, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]]))
    tied = csr_array(np.array([[0.0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]))
    scores = ties_mean(held, tied)(np.array([2, 3])).numpy()
    np.testing.assert_allclose(scores[0], [0.5, 1, 0, 0.5], atol=1e-5)
    # Tied to nobody: by popularity, and by very little.
    np.testing.assert_allclose(scores[1], 1e-6 * held.toarray().sum(axis=0))


def test_the_mean_of_texts_looks_for_what_resembles_holdings_and_own_words() -> None:
    held = csr_array(np.array([[1.0, 0, 0], [0, 0, 0]]))
    text = np.array([[0.0, 1], [0, 1], [1, 0], [0.6, 0.8], [0, 0]], np.float32)
    without = text_mean(held, text, 0.0)(np.array([0, 1])).numpy()
    np.testing.assert_allclose(without, [[1.0, 0.6, 0.0], [0.0, 0.0, 0.0]], atol=1e-5)
    own = text_mean(held, text, 1.0)(np.array([0, 1])).numpy()
    half = float(np.sqrt(0.5))
    np.testing.assert_allclose(own, [[half, 1.4 * half, 0.0], [0.0, 0.8, 0.0]], atol=1e-5)


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
