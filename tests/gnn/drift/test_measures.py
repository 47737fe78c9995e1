import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from kinfolio.gnn.drift.measures import chance_level, jensen_shannon, mean_shift, stability_index


def test_the_stability_index_is_that_of_a_hand_count() -> None:
    then, now = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3])
    by_hand = (0.4 - 0.5) * np.log(0.4 / 0.5) + (0.3 - 0.2) * np.log(0.3 / 0.2)
    assert stability_index(then, now) == pytest.approx(by_hand)
    assert stability_index(then, then) == 0


def test_an_empty_group_does_not_make_the_index_infinite() -> None:
    found = stability_index(np.array([1.0, 0.0]), np.array([0.9, 0.1]))
    assert 0.25 < found < 0.6


def test_samples_of_one_distribution_exceed_the_chance_level_one_time_in_twenty() -> None:
    rng = np.random.default_rng(0)
    shares = np.full(10, 0.1)
    pairs = [(rng.multinomial(2_000, shares), rng.multinomial(500, shares)) for _ in range(2_000)]
    limit = chance_level(10, 2_000, 500)
    assert limit == pytest.approx(chi2.ppf(0.95, 9) * (1 / 2_000 + 1 / 500))
    exceeded = [stability_index(one / 2_000, other / 500) > limit for one, other in pairs]
    assert 0.03 < np.mean(exceeded) < 0.08
    assert chance_level(10, 2_000, 0) == np.inf


def test_the_distance_is_between_none_and_one() -> None:
    here, there = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert jensen_shannon(here, there) == pytest.approx(1)
    assert jensen_shannon(here, here) == 0
    middle = jensen_shannon(np.array([0.6, 0.4]), np.array([0.5, 0.5]))
    assert 0 < middle < 0.2


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("f4")
    return scaled


def test_the_mean_of_other_texts_has_moved_and_that_of_the_same_kind_has_not() -> None:
    rng = np.random.default_rng(0)
    centre = np.zeros(64)
    centre[0] = 4
    then = unit(rng.normal(size=(3_000, 64)) + centre)
    same = unit(rng.normal(size=(100, 64)) + centre)
    mean = then.mean(axis=0)
    assert (mean_shift(mean, len(then), same) or 0) < 0.1
    shifted = np.zeros(64)
    shifted[1] = 4
    other = unit(rng.normal(size=(100, 64)) + shifted)
    # Of means .43 away from each other on two axes, over the standard deviation.
    expected = np.linalg.norm(other.mean(axis=0) - mean) / np.sqrt(1 - (mean**2).sum())
    assert mean_shift(mean, len(then), other) == pytest.approx(expected, rel=0.1)
    assert mean_shift(mean, len(then), same[:1]) is None
