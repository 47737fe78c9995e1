"""Shares of what is new, and distributions of holdings, at the training and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kinfolio.gnn.drift.config import DriftConfig
from kinfolio.gnn.drift.measures import chance_level, jensen_shannon, stability_index
from kinfolio.gnn.drift.reading import Present
from kinfolio.gnn.drift.records import Group, Measure, Verdict
from kinfolio.gnn.reference import NUM_BINS, Reference, bins_of_holdings

TENTHS = 10
MOST_CATEGORIES = 20
_DIGITS = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Flow:
    """Holdings of then and of now that are compared."""

    suffix: str
    then: NDArray[np.int64]
    """Shape (products of the reference,)."""
    now: NDArray[np.float64]
    """Shape (products of the graph,)."""
    users_then: int
    users_now: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """The graph of the training and the graph of now."""

    reference: Reference
    present: Present
    config: DriftConfig
    min_people: int
    """Numbers of smaller groups are withheld."""

    def measures(self) -> list[Measure]:
        """Return all measures but those of texts and of the quality."""
        reference, holders = self.reference, self.holders_now
        users_then = int(reference.users_by_holdings.sum())
        users_now = int((self.present.per_user > 0).sum())
        whole = _Flow("", reference.product_holders, holders, users_then, users_now)
        found = [*self._shares(), self._holdings_per_user(), *self._of(whole)]
        if reference.product_recent.any():
            # Those who hold what is popular already hold other products next: only what was new
            # then compares with what is new now.
            new = np.maximum(holders - self._at_training(reference.product_holders), 0.0)
            then, users_then = reference.product_recent, reference.recent_users
            flow = _Flow("_of_new_holdings", then, new, users_then, self.num_changed)
            found += self._of(flow)
        return found

    def verdict(self, value: float, chance: float = 0.0) -> Verdict:
        """Return the verdict on a value that chance alone may bring to a level."""
        if value >= max(self.config.retrain_at, chance):
            return "retrain"
        return "moved" if value >= max(self.config.moved_at, chance) else "steady"

    def share(
        self, name: str, number: int, total: int, noun: str, people: int | None = None
    ) -> Measure:
        """Return the share of what is new; withheld if too few people are behind it.

        `people`: number of people behind it; None: as many as the number.
        """
        value = number / total if total else 0.0
        people = number if people is None else people
        is_told = number == 0 or people >= self.min_people
        known = f"{number:,}" if is_told else "a few"
        return Measure(
            name=name,
            kind="share",
            value=round(value, _DIGITS) if is_told else None,
            chance=None,
            distance=None,
            verdict=self.verdict(value),
            detail=f"{known} of {total:,} {noun}",
        )

    @property
    def num_changed(self) -> int:
        """Number of users with holdings who are new or have changed."""
        return int((self.present.has_changed & (self.present.per_user > 0)).sum())

    @cached_property
    def holders_now(self) -> NDArray[np.float64]:
        """Number of holders of each product of the graph."""
        return self.present.holders.astype(np.float64)

    @cached_property
    def place_then(self) -> NDArray[np.int64]:
        """Row in the reference of each product of the graph; -1: not in the training."""
        gids, wanted = self.reference.product_gids, self.present.product_gids
        if not len(gids):
            return np.full(len(wanted), -1)
        rows = np.searchsorted(gids, wanted).clip(max=len(gids) - 1)
        return np.where((gids[rows] == wanted) & self.present.is_seen, rows, -1)

    def _at_training(self, of_products: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return numbers of the reference for each product of the graph; 0 for new ones."""
        numbers = of_products[self.place_then].astype(np.float64)
        return np.where(self.place_then >= 0, numbers, 0.0)

    @cached_property
    def categories(self) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
        """Names, and category and product of each membership; the kind where there is none."""
        present = self.present
        names = [
            list(some) or [kind or "no category"]
            for some, kind in zip(present.categories, present.kinds, strict=True)
        ]
        number = {name: place for place, name in enumerate(sorted({n for s in names for n in s}))}
        category = np.array([number[name] for some in names for name in some], np.int64)
        product = np.repeat(np.arange(len(names)), [len(some) for some in names])
        return list(number), category, product

    def _shares(self) -> list[Measure]:
        present, users = self.present, self.num_changed
        then = self.reference.holdings
        held_then = self._at_training(self.reference.product_holders)
        more = int(np.maximum(self.holders_now - held_then, 0).sum())
        # Holdings of products that are gone are lost as well.
        fewer = then - int(np.minimum(self.holders_now, held_then).sum())
        known = int(present.is_known.sum())
        num_users, num_products = len(present.user_ids), len(present.product_gids)
        unseen = int((~present.is_seen).sum())
        return [
            self.share("new_users", num_users - known, num_users, "users"),
            # Products are no people.
            self.share("new_products", unseen, num_products, "products", people=self.min_people),
            self.share("new_holdings", more, len(present.user), "holdings", people=users),
            self.share("lost_holdings", fewer, then, "holdings of the training", people=users),
        ]

    def _holdings_per_user(self) -> Measure:
        now = bins_of_holdings(self.present.per_user)
        names = ["1", "2", *(f"{2**n // 2 + 1}-{2**n}" for n in range(2, NUM_BINS - 1))]
        names.append(f"{2 ** (NUM_BINS - 2) + 1} and more")
        then = self.reference.users_by_holdings
        return self._distribution(
            "holdings_per_user",
            (then.astype(np.float64), now.astype(np.float64)),
            names,
            people=now,
            users=(int(then.sum()), int(now.sum())),
            detail="users by their number of holdings",
        )

    def _of(self, flow: _Flow) -> list[Measure]:
        """Compare the holdings of a flow by popularity and by category."""
        found = []
        if flow.now[self.place_then >= 0].any():
            found.append(self._popularity(flow))
        if flow.now.any() and len(self.categories[0]) > 1:
            found.append(self._by_category(flow))
        return found

    def _popularity(self, flow: _Flow) -> Measure:
        """Compare holdings of products that the training saw, in tenths by their popularity then.

        A distribution of the numbers of holders would not change when products swap their places.
        """
        held = self.reference.product_holders.astype(np.float64)
        order = np.argsort(-held, kind="stable")
        middle = np.cumsum(held[order]) - held[order] / 2
        tenth = np.empty(len(held), np.int64)
        tenth[order] = (TENTHS * middle / held.sum()).astype(np.int64).clip(max=TENTHS - 1)
        seen = self.place_then >= 0
        is_held = seen[self.present.product]
        at = tenth[self.place_then[self.present.product[is_held]]]
        return self._distribution(
            f"popularity{flow.suffix}",
            (
                _sums(tenth, flow.then.astype(np.float64), TENTHS),
                _sums(tenth[self.place_then[seen]], flow.now[seen], TENTHS),
            ),
            [f"{place}" for place in range(1, TENTHS + 1)],
            people=_people(self.present.user[is_held], at, TENTHS),
            users=(flow.users_then, flow.users_now),
            detail="holdings by popularity of the product at the training",
        )

    def _by_category(self, flow: _Flow) -> Measure:
        names, category, product = self.categories
        weight = 1 / np.bincount(product)[product]
        then = _sums(category, self._at_training(flow.then)[product] * weight, len(names))
        now = _sums(category, flow.now[product] * weight, len(names))
        first = np.argsort(-(then + now), kind="stable")[:MOST_CATEGORIES]
        place = np.full(len(names), len(first))
        place[first] = np.arange(len(first))
        labels = [names[one] for one in first]
        if len(names) > len(first):
            labels.append("others")
        people = np.zeros(len(labels), np.int64)
        for number in range(len(labels)):
            members = np.zeros(len(self.present.product_gids), np.bool_)
            members[product[place[category] == number]] = True
            people[number] = len(np.unique(self.present.user[members[self.present.product]]))
        return self._distribution(
            f"categories{flow.suffix}",
            (_sums(place, then, len(labels)), _sums(place, now, len(labels))),
            labels,
            people=people,
            users=(flow.users_then, flow.users_now),
            detail="holdings by category or kind of the product",
        )

    def _distribution(
        self,
        name: str,
        counts: tuple[NDArray[np.float64], NDArray[np.float64]],
        names: Sequence[str],
        *,
        people: NDArray[np.int64],
        users: tuple[int, int],
        detail: str,
    ) -> Measure:
        """Compare two distributions; `users`: number of users behind each."""
        then, now = (one / max(one.sum(), 1.0) for one in counts)
        chance = chance_level(int(((then > 0) | (now > 0)).sum()), *users)
        value = stability_index(then, now)
        is_told = users[1] >= self.min_people
        groups = []
        for place, label in enumerate(names):
            numbers = (counts[0][place], people[place], counts[1][place])
            is_small = any(0 < number < self.min_people for number in numbers)
            shares = (None, None) if is_small else (float(then[place]), float(now[place]))
            groups.append(Group(name=label, then=_rounded(shares[0]), now=_rounded(shares[1])))
        return Measure(
            name=name,
            kind="psi",
            value=round(value, _DIGITS) if is_told else None,
            chance=_rounded(chance) if np.isfinite(chance) else None,
            distance=round(jensen_shannon(then, now), _DIGITS) if is_told else None,
            verdict=self.verdict(value, chance),
            detail=detail,
            groups=tuple(groups) if is_told else (),
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _people(user: NDArray[np.int64], group: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Return the number of distinct users in each group."""
    pairs = np.unique(user * number + group)
    return np.bincount(pairs % number, minlength=number)


def _sums(group: NDArray[np.int64], numbers: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the sum of the numbers of each group."""
    return np.bincount(group, numbers, size).astype(np.float64)
