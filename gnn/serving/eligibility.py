"""Products that the rules allow, for many users with few queries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.user_state import UserState

if TYPE_CHECKING:
    from numpy.typing import NDArray

Line = tuple[str, float]
"""A product and its score."""

_USER = re.compile(r"\bu\b")


class Eligibility:
    """The rules closed, country and risk once per profile; own rules as far as possible too.

    An own rule about the product alone is applied to all products once; one about the user is
    applied to the best products of each user.
    """

    def __init__(self, graph: Graph, ids: Sequence[str], rules: Sequence[Rule] = ()) -> None:
        self.place = {product: place for place, product in enumerate(ids)}
        self._graph = graph
        self._masks: dict[tuple[int | None, str | None], NDArray[np.bool_]] = {}
        conditions = conditions_of(rules)
        # By name: a plan without `u` would not show it, as `u` in a pattern matches any node.
        self._of_user = tuple(one for one in conditions if _USER.search(one))
        self._of_product = tuple(one for one in conditions if not _USER.search(one))

    @property
    def has_user_rules(self) -> bool:
        """Whether an own rule is about the user, so that `filter_lists` may remove products."""
        return bool(self._of_user)

    def mask(self, state: UserState) -> NDArray[np.bool_]:
        """Return which products suit a user's profile: bool, shape (num_products,).

        Does not exclude products that are held, dismissed or forbidden by a rule about the user.
        """
        key = (state.risk_tolerance, state.country)
        if key not in self._masks:
            rows = self._graph.read(
                "recommend_suitable",
                conditions=self._of_product,
                risk_tolerance=key[0],
                country=key[1],
            )
            mask = np.zeros(len(self.place), np.bool_)
            mask[[self.place[p] for p in rows[0]["products"] if p in self.place]] = True
            self._masks[key] = mask
        return self._masks[key]

    def filter_lists(self, users: Sequence[str], lists: list[list[Line]]) -> list[list[Line]]:
        """Remove the products that own rules about the user forbid."""
        if not self._of_user:
            return lists
        rows = self._graph.read(
            "recommend_passing",
            conditions=self._of_user,
            rows=[
                {"user": user, "products": [product for product, _ in line]}
                for user, line in zip(users, lists, strict=True)
            ],
        )
        passed = {row["user"]: set(row["products"]) for row in rows}
        return [
            [pair for pair in line if pair[0] in passed.get(user, ())]
            for user, line in zip(users, lists, strict=True)
        ]
