"""Groups of users and products that are evaluated separately: warm, new, seen, unseen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.gnn.ranking import select_columns


@dataclass(frozen=True, slots=True)
class Group:
    """Users, their held-out interactions, and the products that are ranked."""

    users: NDArray[np.int64]
    held_out: csr_array
    candidates: NDArray[np.bool_] | None = None
    """Shape (num_products,); None for all."""


def groups_of(interactions: csr_array, held_out: csr_array) -> dict[str, Group]:
    """Return the groups that are not empty by name.

    Both arguments have shape (num_users, num_products).
    """
    is_warm = np.diff(interactions.indptr) > 0
    is_seen = np.asarray(interactions.sum(axis=0)).ravel() > 0
    is_any = np.ones_like(is_warm)
    unseen = select_columns(held_out, ~is_seen)

    def group(
        is_member: NDArray[np.bool_],
        targets: csr_array,
        candidates: NDArray[np.bool_] | None = None,
    ) -> Group:
        users = np.flatnonzero(is_member & (np.diff(targets.indptr) > 0))
        return Group(users, targets, candidates)

    groups = {
        "all": group(is_any, held_out),
        "warm": group(is_warm, held_out),
        "new": group(~is_warm, held_out),
        "seen": group(is_warm, select_columns(held_out, is_seen)),
        "unseen": group(is_warm, unseen, ~is_seen),
        "unseen_among_all": group(is_warm, unseen),
    }
    return {name: one for name, one in groups.items() if len(one.users)}
