"""The lists that new holdings of some users test: each without its holding and later ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.drift.distributions import Comparison
from kinfolio.gnn.drift.new_holdings import Held, new_holdings
from kinfolio.records import NO_TIME

USERS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ListTest:
    """One list of a user, and the holdings that it should have foreseen."""

    user: str
    targets: list[str]
    without: list[str]
    """Holdings that the list is computed without."""
    linking: list[int]
    """Row numbers of the other ones."""
    excluded: list[str]
    """Products that cannot be in the list."""


class Sample:
    """The tests of some users."""

    def __init__(
        self,
        graph: Graph,
        version: dict[str, Any],
        comparison: Comparison,
        rng: np.random.Generator,
    ) -> None:
        self._graph = graph
        self._version = version
        self._latest = comparison.reference.latest
        self._config = comparison.config
        self._rng = rng
        self._shortened = self._unexplained = 0

    def notes(self, changed: int, chosen: int) -> Iterator[str]:
        """Yield what the sample left out."""
        if chosen < changed:
            yield f"quality: a sample of {chosen:,} of the {changed:,} users who changed"
        if self._shortened:
            yield (
                f"quality: of {self._shortened:,} users with more than {self._config.holdings} new "
                "holdings as many were drawn"
            )
        if self._unexplained:
            yield (
                f"quality: {self._unexplained:,} users lost holdings or ties as well; of them, "
                "holdings dated after the training count as new"
            )

    def tests(self, users: Sequence[str]) -> Iterator[ListTest]:
        """Yield the lists to test."""
        for first in range(0, len(users), USERS_AT_ONCE):
            rows = self._graph.read(
                "drift_changed",
                slot=self._version["slot"],
                users=users[first : first + USERS_AT_ONCE],
                cut=self._version.get("cut"),
            )
            for row in rows:
                yield from self._tests_of(row)

    def _tests_of(self, row: dict[str, Any]) -> Iterator[ListTest]:
        held = [
            Held(
                product=str(one["product"]),
                gid=-1 if one["gid"] is None else one["gid"],
                at=one["at"] if isinstance(one["at"], int) else NO_TIME,
                is_listed=one["is_listed"],
                is_new=one["is_new"] or not one["is_listed"],
            )
            for one in row["held"]
        ]
        new, is_explained = new_holdings(held, row["tied"], row["counted"], self._latest)
        self._unexplained += not is_explained
        if not new:
            return
        targets = {one.product for one in new}
        if len(new) > self._config.holdings:
            self._shortened += 1
            drawn = self._rng.permutation(len(new))[: self._config.holdings]
            targets = {new[place].product for place in drawn}
        for at in sorted({one.at for one in new}):
            without = {one.product for one in new if one.at == NO_TIME or one.at >= at}
            wanted = [one.product for one in new if one.at == at and one.product in targets]
            if not wanted:
                continue
            rest = [one for one in held if one.product not in without]
            yield ListTest(
                user=row["user"],
                targets=wanted,
                without=sorted(without),
                linking=[one.gid for one in rest],
                excluded=[*(one.product for one in rest), *map(str, row["out"])],
            )
