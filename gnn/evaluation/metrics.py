"""Metrics of lists, per user and over all users, and the groups they are computed for.

Recall and NDCG are those of `ranking.py`. For the first k places of a list: hit rate, whether there
is any hit; MRR, 1 over the place of the first hit, 0 without one; coverage, the share of the
candidates in any list; novelty, the mean of -log2((holders + 1) / (users + 1)) over all places
(self-information, Zhou et al., "Solving the apparent diversity-accuracy dilemma", PNAS 2010; we add
the ones for products without holders).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.gnn.ranking import NO_PRODUCT, recall_and_ndcg, select_columns

CUTS = (5, 10, 20)
"""Lengths of the lists."""
MEASURES = ("recall", "ndcg", "mrr", "hit_rate", "coverage", "novelty")
_BANDS = (0, 1, 4, 16, 64, 256, 1024)
"""Minimum holders of each band of products."""


@dataclass(frozen=True, slots=True)
class Group:
    """Users, their held-out interactions, and the candidate products."""

    users: NDArray[np.int64]
    held_out: csr_array
    candidates: NDArray[np.bool_] | None = None
    """Shape (num_products,); None for all."""


def groups_of(interactions: csr_array, held_out: csr_array) -> dict[str, Group]:
    """Return the groups that are not empty by name; both matrices: (num_users, num_products)."""
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


def per_user(hits: NDArray[np.bool_], number: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return metrics of each user, by names such as `recall@20`: float64, shape (num_users,).

    `hits`, shape (num_users, places): whether each place is a held-out product; `number`: number of
    held-out products of each user, at least 1.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for k in CUTS:
        first = hits[:, :k]
        if first.shape[1] < k:  # a catalogue of fewer than k products
            first = np.pad(first, ((0, 0), (0, k - first.shape[1])))
        found[f"recall@{k}"], found[f"ndcg@{k}"] = recall_and_ndcg(first, number)
        has_hit = first.any(axis=1)
        reciprocal = np.zeros(len(hits))
        reciprocal[has_hit] = 1 / (1 + first[has_hit].argmax(axis=1))
        found[f"mrr@{k}"] = reciprocal
        found[f"hit_rate@{k}"] = (reciprocal > 0).astype(np.float64)
    return found


def over_all(
    lists: NDArray[np.int64], holders: NDArray[np.int64], num_users: int, num_candidates: int
) -> dict[str, float]:
    """Return coverage and novelty, by names such as `coverage@20`.

    `lists`, shape (users, places): products, best first; `holders`: training holders of each
    product; `num_users`: of the graph; `num_candidates`: products that could have been listed.
    """
    surprise = -np.log2((holders + 1) / (num_users + 1))
    found = {}
    for k in CUTS:
        listed = lists[:, :k]
        listed = listed[listed != NO_PRODUCT]
        found[f"coverage@{k}"] = len(np.unique(listed)) / num_candidates
        found[f"novelty@{k}"] = float(surprise[listed].mean()) if len(listed) else 0.0
    return found


def bands_of(holders: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the bands by holders, such as `4-15`, and each product's band.

    Bands above that of the most popular product are omitted. `holders` has shape (num_products,).
    """
    band = np.searchsorted(_BANDS, holders, side="right") - 1
    number = int(band.max(initial=0)) + 1
    names = []
    for low, high in zip(_BANDS[:number], (*_BANDS[1:], None), strict=False):
        last = "" if high is None else f"-{high - 1:,}"
        names.append(f"{low:,}+" if not last else f"{low}" if high == low + 1 else f"{low:,}{last}")
    return names, band


def by_band(
    lists: NDArray[np.int64],
    hits: NDArray[np.bool_],
    band: NDArray[np.int64],
    targets: NDArray[np.int64],
    count: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the shares of lists, held-out interactions and hits in each band: shape (count,).

    `lists` and `hits` have shape (users, places), `band` has the band of each product, `targets`
    the products of all held-out interactions.

    Returns:
        `listed`: share of all places; `held_out`: share of all held-out interactions (equal shares
        would mean that lists are as popular as the held-out products); `found`: share of the band's
        held-out interactions that are in the lists, nan without any.
    """

    def share(products: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.bincount(band[products], minlength=count).astype(np.float64)

    listed, held_out, found = share(lists[lists != NO_PRODUCT]), share(targets), share(lists[hits])
    return {
        "listed": listed / max(listed.sum(), 1),
        "held_out": held_out / max(held_out.sum(), 1),
        "found": np.divide(found, held_out, out=np.full(count, np.nan), where=held_out > 0),
    }
