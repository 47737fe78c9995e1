"""Ties and reviews that training may use, one case for each branch."""

from __future__ import annotations

import numpy as np
import pytest

from kinfolio.loaders.exporting.leakage import NO_SPLIT, review_uses, tie_splits
from kinfolio.records import NO_TIME

TRAIN, VALID, TEST = 0, 1, 2


def splits(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    return np.array(values, np.int8)


def times(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def uses(
    *,
    split: int = NO_SPLIT,
    at: int = NO_TIME,
    pair: int = 9,
    cut: int = NO_TIME,
    holdings: dict[int, int] | None = None,
) -> tuple[bool, bool]:
    """Return whether a review describes its user and its product; `holdings`: pair to split."""
    held = {0: TRAIN, 1: VALID, 2: TEST} if holdings is None else holdings
    user, product = review_uses(
        pair=times(pair),
        split=splits(split),
        at=times(at),
        holding_pair=times(*held.keys()),
        holding_split=splits(*held.values()),
        cut=cut,
        has_splits=any(split != NO_SPLIT for split in held.values()),
    )
    return bool(user[0]), bool(product[0])


def test_training_uses_no_tie_outside_train_or_after_the_cut() -> None:
    found = tie_splits(
        splits(TRAIN, NO_SPLIT, NO_SPLIT, NO_SPLIT, TRAIN, VALID, TEST),
        times(3, 3, 8, NO_TIME, 8, 3, 3),
        7,
    )
    assert found.tolist() == [TRAIN, TRAIN, TEST, TRAIN, TEST, VALID, TEST]


def test_without_a_cut_only_the_split_of_a_tie_matters() -> None:
    found = tie_splits(splits(NO_SPLIT, TRAIN, TEST), times(8, 8, 8), NO_TIME)
    assert found.tolist() == [TRAIN, TRAIN, TEST]


@pytest.mark.parametrize("pair", [0, 1, 2, 9])
def test_a_review_with_a_split_follows_it(pair: int) -> None:
    assert uses(split=TRAIN, pair=pair) == (True, True)
    assert uses(split=VALID, pair=pair) == (False, False)
    assert uses(split=TEST, pair=pair) == (False, False)


def test_a_training_review_dated_after_the_cut_is_not_used() -> None:
    assert uses(split=TRAIN, at=8, cut=7) == (False, False)
    assert uses(split=TRAIN, at=7, cut=7) == (True, True)


def test_a_held_out_review_is_not_used_even_if_no_holding_has_a_split() -> None:
    assert uses(split=TEST, holdings={0: NO_SPLIT}) == (False, False)


@pytest.mark.parametrize("pair", [0, 1, 2, 9])
def test_a_review_with_a_time_and_no_split_follows_the_time(pair: int) -> None:
    assert uses(at=7, cut=7, pair=pair) == (True, True)
    assert uses(at=8, cut=7, pair=pair) == (False, False)


def test_a_review_without_split_and_time_follows_its_pair() -> None:
    assert uses(pair=0) == (True, True)
    assert uses(pair=1) == (False, False)
    assert uses(pair=2) == (False, False)


def test_a_review_of_a_pair_in_no_split_describes_the_product_only() -> None:
    assert uses(pair=9) == (False, True)


def test_without_a_cut_a_review_with_a_time_follows_its_pair() -> None:
    assert uses(at=5, pair=2) == (False, False)
    assert uses(at=5, pair=0) == (True, True)


def test_a_review_without_a_time_follows_its_pair_although_there_is_a_cut() -> None:
    assert uses(cut=7, pair=2) == (False, False)
    assert uses(cut=7, pair=9) == (False, True)


def test_a_holding_without_a_split_is_a_training_pair() -> None:
    assert uses(pair=5, holdings={5: NO_SPLIT, 1: TEST}) == (True, True)


def test_every_review_is_used_if_no_holding_has_a_split() -> None:
    assert uses(pair=9, holdings={0: NO_SPLIT, 1: NO_SPLIT}) == (True, True)
    assert uses(pair=9, at=8, holdings={0: NO_SPLIT}) == (True, True)
