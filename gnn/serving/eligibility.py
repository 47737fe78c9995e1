"""Which products the rules leave to many users, asked of the graph as seldom as possible."""

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


_USER = re.compile(r"\bu\b")


class AllowedProducts:
    """The rules closed, country and risk for a profile at once; own rules as far as they can be.

    An own rule that speaks of the product alone is put to all products once; one that speaks of the
    user is put to the best products of each user.
    """

    def __init__(self, graph: Graph, ids: Sequence[str], rules: Sequence[Rule] = ()) -> None:
        self.place = {product: place for place, product in enumerate(ids)}
        self._graph = graph
        self._suits: dict[tuple[int | None, str | None], NDArray[np.bool_]] = {}
        conditions = conditions_of(rules)
        # Planning it without a user tells nothing: in a pattern, `u` would be anybody.
        self._of_user = tuple(one for one in conditions if _USER.search(one))
        self._of_product = tuple(one for one in conditions if not _USER.search(one))

    @property
    def asks_users(self) -> bool:
        """Whether some rule speaks of the user, so that `passing` may leave products out."""
        return bool(self._of_user)

    def suits(self, state: UserState) -> NDArray[np.bool_]:
        """Which products suit a user, but for what is held, dismissed or forbidden by `passing`.

        Returns:
            bool, shape (num_products,).
        """
        key = (state.risk_tolerance, state.country)
        if key not in self._suits:
            rows = self._graph.read(
                "recommend_suitable",
                conditions=self._of_product,
                risk_tolerance=key[0],
                country=key[1],
            )
            mask = np.zeros(len(self.place), np.bool_)
            mask[[self.place[p] for p in rows[0]["products"] if p in self.place]] = True
            self._suits[key] = mask
        return self._suits[key]

    def passing(
        self, users: Sequence[str], lists: list[list[tuple[str, float]]]
    ) -> list[list[tuple[str, float]]]:
        """The lists without the products that rules which speak of the user forbid."""
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
