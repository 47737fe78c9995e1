"""Intervals of shares and differences: published examples, and coverage where users are alike."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kinfolio.gnn.feedback.intervals import Estimate, difference, share


def independent(successes: int, trials: int) -> Estimate:
    """The share where every user gave one answer."""
    answers = np.zeros(trials, np.int64)
    answers[:successes] = 1
    found = share(answers, np.ones(trials, np.int64))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_without_clusters_a_share_has_wilsons_interval(
    successes: int, trials: int, low: float, high: float
) -> None:
    """Table I of Newcombe, Statistics in Medicine 17 (1998), 857-872."""
    found = independent(successes, trials)
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-4)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_without_clusters_a_difference_has_newcombes_interval(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Table II of Newcombe, Statistics in Medicine 17 (1998), 873-890: method 10."""
    found = difference(independent(*one), independent(*other))
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-4)


def draw(rng: np.random.Generator, mean: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """120 users who are shown 10, 20, ... products and accept by their own probability."""
    trials = rng.integers(1, 5, 120) * 10
    return rng.binomial(trials, rng.beta(2 * mean, 2 * (1 - mean), 120)), trials


def test_intervals_cover_where_the_answers_of_a_user_are_alike() -> None:
    rng = np.random.default_rng(0)
    covered = np.zeros(3)
    for _ in range(1000):
        one, other = draw(rng, 0.12), draw(rng, 0.08)
        shares = share(*one), share(*other)
        assert shares[0] is not None
        assert shares[1] is not None
        change = difference(shares[0], shares[1])
        flat = difference(*(independent(int(s.sum()), int(t.sum())) for s, t in (one, other)))
        covered += [
            shares[0].low <= 0.12 <= shares[0].high,
            change.low <= 0.04 <= change.high,
            flat.low <= 0.04 <= flat.high,
        ]
    assert 920 <= covered[0] <= 975
    assert 920 <= covered[1] <= 975
    assert covered[2] < 700  # products as if each were another user's


def test_nothing_shown_has_no_share() -> None:
    assert share(np.zeros(0, np.int64), np.zeros(0, np.int64)) is None
