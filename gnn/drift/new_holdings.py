"""Which holdings of a user are newer than the training, from the user's fingerprint of then.

The version stores of each user the sum of the hashes of the neighbours at its training. What was
added since accounts for the difference to the sum of now: holdings of products that came later,
holdings that are dated later, and, if these do not suffice, up to `MOST_UNDATED` more neighbours
whose hashes make up the rest. Hashes have 31 bits, so that a wrong choice among a million is
unlikely. Where neighbours were removed as well, nothing accounts for it, and the dates decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from kinfolio.gnn.fingerprints import product_hashes, user_hashes
from kinfolio.records import NO_TIME

MOST_UNDATED = 3
_MOST_TRIED = 100_000


@dataclass(frozen=True, slots=True)
class Held:
    """A product that a user holds."""

    product: str
    gid: int
    at: int
    """Milliseconds since 1970, or `NO_TIME`."""
    is_listed: bool
    """Whether it has a vector, so that it counts in the fingerprint."""
    is_new: bool
    """Whether it came after the training."""


def new_holdings(
    held: Sequence[Held], tied: Sequence[int], counted: int | None, latest: int
) -> tuple[list[Held], bool]:
    """Return the new holdings of a user, and whether they account for all that changed.

    Args:
        held: all holdings in the training split.
        tied: row numbers of the users tied to the user who were in the training.
        counted: the user's fingerprint at the training; None for a user who came after it.
        latest: time of the last training holding, or `NO_TIME`.
    """
    if counted is None:
        return list(held), True
    listed = [one for one in held if one.is_listed]
    hashes = product_hashes(np.array([one.gid for one in listed], np.int64)).tolist()
    hash_of = dict(zip((one.product for one in listed), hashes, strict=True))
    of_ties = user_hashes(np.array(tied, np.int64)).tolist()
    rest = sum(hashes) + sum(of_ties) - counted
    dated = [one for one in held if one.is_new or _is_later(one, latest)]
    rest -= sum(hash_of.get(one.product, 0) for one in dated)
    if not rest:
        return dated, True
    others = [one for one in listed if not (one.is_new or _is_later(one, latest))]
    candidates = [*((hash_of[one.product], one) for one in others), *((h, None) for h in of_ties)]
    added = _making_up(rest, candidates)
    if added is None:
        return dated, False
    return [*dated, *(one for one in added if one is not None)], True


def _is_later(one: Held, latest: int) -> bool:
    return latest != NO_TIME and one.at != NO_TIME and one.at > latest


def _making_up(
    rest: int, candidates: Sequence[tuple[int, Held | None]]
) -> list[Held | None] | None:
    """Return the fewest candidates whose hashes add up to a number; None without any."""
    if rest < 0:
        return None
    last = dict(candidates)
    tried = 0
    for size in range(1, MOST_UNDATED + 1):
        for some in combinations(candidates, size - 1):
            tried += 1
            if tried > _MOST_TRIED:
                return None
            missing = rest - sum(number for number, _ in some)
            if missing in last and all(number != missing for number, _ in some):
                return [last[missing], *(one for _, one in some)]
    return None
