"""Metrics equal hand counts; intervals cover known differences."""

from __future__ import annotations

import numpy as np
import pytest

from kinfolio.gnn.evaluation.bootstrap import intervals
from kinfolio.gnn.evaluation.metrics import bands_of, by_band, over_all, per_user
from kinfolio.gnn.ranking import NO_PRODUCT


def test_metrics_of_each_user_equal_a_hand_count() -> None:
    hits = np.zeros((3, 20), bool)
    hits[0, [1, 7]] = True  # places 2 and 8, of 4 held-out products
    hits[1, 19] = True  # the last place, of 1
    found = per_user(hits, np.array([4, 1, 2]))
    assert found["recall@5"].tolist() == [0.25, 0, 0]
    assert found["recall@10"].tolist() == [0.5, 0, 0]
    assert found["recall@20"].tolist() == [0.5, 1, 0]
    assert found["mrr@5"].tolist() == [0.5, 0, 0]
    assert found["mrr@20"].tolist() == [0.5, 0.05, 0]
    assert found["hit_rate@10"].tolist() == [1, 0, 0]
    assert found["hit_rate@20"].tolist() == [1, 1, 0]
    ideal = sum(1 / np.log2(place + 1) for place in range(1, 5))
    right = 1 / np.log2(3) + 1 / np.log2(9)
    np.testing.assert_allclose(found["ndcg@20"], [right / ideal, 1 / np.log2(21), 0])


def test_a_catalogue_smaller_than_the_list_can_be_measured() -> None:
    found = per_user(np.array([[True, False, True]]), np.array([2]))
    assert found["recall@20"].tolist() == [1.0]
    assert found["hit_rate@5"].tolist() == [1.0]


def test_coverage_and_novelty_equal_a_hand_count() -> None:
    lists = np.array([[0, 1, 2, 0, 0, 3], [1, 0, 2, NO_PRODUCT, NO_PRODUCT, NO_PRODUCT]])
    holders = np.array([7, 3, 0, 1, 1])
    found = over_all(lists, holders, num_users=7, num_candidates=5)
    assert found["coverage@5"] == 3 / 5
    assert found["coverage@10"] == 4 / 5
    # Bits: product 0 is held by 7 of 7 (0), 1 by 3 (1), 2 by none (3); eight places are filled.
    assert found["novelty@5"] == pytest.approx((4 * 0 + 2 * 1 + 2 * 3) / 8)


def test_bands_group_products_by_their_holders() -> None:
    names, band = bands_of(np.array([0, 1, 3, 4, 15, 70]))
    assert names == ["0", "1-3", "4-15", "16-63", "64-255"]
    assert band.tolist() == [0, 1, 1, 2, 2, 4]
    assert bands_of(np.array([5000]))[0][-1] == "1,024+"


def test_bands_have_the_shares_of_listed_held_out_and_found_products() -> None:
    lists = np.array([[0, 1], [0, NO_PRODUCT]])
    hits = np.array([[True, False], [False, False]])
    found = by_band(lists, hits, np.array([0, 1, 2]), np.array([0, 1, 1, 1]), 3)
    np.testing.assert_allclose(found["listed"], [2 / 3, 1 / 3, 0])
    np.testing.assert_allclose(found["held_out"], [0.25, 0.75, 0])
    np.testing.assert_allclose(found["found"], [1, 0, np.nan])


def test_an_interval_covers_the_true_difference_at_its_level() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(60):
        (one,) = intervals(rng.normal(0.1, 0.5, (150, 1)), seed=trial)
        covered += one.low <= 0.1 <= one.high
    # 57 expected of 60; fewer than 50 has a probability below 1 in 500.
    assert covered >= 50


def test_an_interval_approaches_the_normal_one_for_many_users() -> None:
    values = np.random.default_rng(0).normal(0.02, 1.0, (4000, 1))
    (found,) = intervals(values)
    half = 1.96 * values.std() / 4000**0.5
    assert found.difference == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=half * 0.1)
    assert found.high == pytest.approx(values.mean() + half, abs=half * 0.1)
    assert not found.is_clear


def test_equal_models_do_not_differ_and_all_columns_share_the_draws() -> None:
    each = np.random.default_rng(1).random(50)
    same, one, other = intervals(np.stack([np.zeros(50), each, each], axis=1))
    assert (same.low, same.high, same.is_clear) == (0, 0, False)
    assert one == other
    assert one.is_clear
