"""Negative sampling: inclusion probabilities and unbiased sums."""

from __future__ import annotations

import numpy as np
import pytest

from kinfolio.gnn.training.sampling.negatives import NegativeSampler, inclusion_probabilities

DEGREES = (np.random.default_rng(0).pareto(1.2, 3000) * 3).astype(np.float32)


def test_draws_are_unbiased_and_popular_products_are_drawn_more_often() -> None:
    negatives = NegativeSampler(DEGREES, 200)
    rng = np.random.default_rng(1)
    values = np.random.default_rng(2).random(len(DEGREES)) * np.sqrt(1 + DEGREES)
    counts, sums = np.zeros(len(DEGREES)), []
    for _ in range(2000):
        drawn, log_weight = negatives.draw(rng)
        assert len(np.unique(drawn)) == 200
        counts[drawn] += 1
        sums.append((values[drawn] * np.exp(log_weight)).sum())
    assert np.mean(sums) == pytest.approx(values.sum(), rel=0.005)
    even = [values[rng.integers(0, len(DEGREES), 200)].mean() * len(DEGREES) for _ in range(2000)]
    assert np.std(sums) < 0.7 * np.std(even)
    top = np.argsort(DEGREES)
    assert counts[top[-300:]].mean() > 3 * counts[top[:300]].mean()


@pytest.mark.parametrize(("count", "number"), [(1024, 10), (30, 1024), (2000, 2000)])
def test_small_catalogues_are_scored_whole(count: int, number: int) -> None:
    drawn, log_weight = NegativeSampler(DEGREES[:count], number).draw(np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, np.arange(count))
    np.testing.assert_allclose(log_weight, 0, atol=1e-6)


def test_probabilities_are_at_most_one_and_sum_to_the_number() -> None:
    found = inclusion_probabilities(np.array([1000.0, 50, 1, 1, 2]), 3)
    np.testing.assert_allclose(found, [1, 1, 0.25, 0.25, 0.5])
