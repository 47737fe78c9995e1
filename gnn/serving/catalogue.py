"""All products of a version and the rules on them, read once to compute the lists of all users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.user_state import UserState
from kinfolio.records import Slot

if TYPE_CHECKING:
    from torch import Tensor

PAGE_PRODUCTS = 5_000
Line = tuple[str, float]
"""A product and its score."""

_USER = re.compile(r"\bu\b")


class Eligibility:
    """Evaluates the rules closed, country and risk, and own rules, once per user profile.

    Own rules that read the user are applied to the best products of each user instead.
    """

    def __init__(self, graph: Graph, ids: Sequence[str], rules: Sequence[Rule] = ()) -> None:
        self.place = {product: place for place, product in enumerate(ids)}
        self._graph = graph
        self._masks: dict[tuple[int | None, str | None], NDArray[np.bool_]] = {}
        conditions = conditions_of(rules)
        # By name: a plan does not show whether `u` is used, as `u` in a pattern matches any node.
        self._of_user = tuple(one for one in conditions if _USER.search(one))
        self._of_product = tuple(one for one in conditions if not _USER.search(one))

    @property
    def has_user_rules(self) -> bool:
        """Whether an own rule reads the user, so that `filter_lists` may remove products."""
        return bool(self._of_user)

    def mask(self, state: UserState) -> NDArray[np.bool_]:
        """Return which products a user's profile allows: bool, shape (num_products,).

        Ignores holdings, dismissals and own rules that read the user.
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
        """Remove the products that own rules which read the user exclude."""
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


@dataclass(slots=True)
class Catalogue:
    """Products with their vectors, links and eligibility."""

    ids: list[str]
    """In ascending order."""
    vectors: NDArray[np.float64]
    """Shape (num_products, width); without a version one column, the number of holders."""
    has_score: NDArray[np.bool_]
    place_of_gid: dict[int, int]
    links: csr_array
    """Shape (num_products, num_products); from a holding to other products."""
    eligibility: Eligibility
    vectors32: Tensor = field(init=False)
    """The vectors, float32, shape (width, num_products)."""

    def __post_init__(self) -> None:
        import torch

        self.vectors32 = torch.from_numpy(np.ascontiguousarray(self.vectors.T, np.float32))

    def linked(self, linking: list[list[int]]) -> NDArray[np.float64] | None:
        """Return the links' contributions to scores: shape (len(linking), num_products).

        `linking` has the gids of each user's holdings in the training split. None without links.
        """
        if not self.links.nnz:
            return None
        pairs = [
            (row, self.place_of_gid[gid])
            for row, gids in enumerate(linking)
            for gid in gids
            if gid in self.place_of_gid
        ]
        rows, places = zip(*pairs, strict=True) if pairs else ((), ())
        shape = (len(linking), len(self.ids))
        holdings = csr_array((np.ones(len(rows)), (rows, places)), shape=shape)
        added: NDArray[np.float64] = (holdings @ self.links).toarray()
        return added


def read_catalogue(graph: Graph, slot: Slot | None, rules: Sequence[Rule]) -> Catalogue:
    """Read all products of the graph, in the order of their ids.

    Vectors are those of the slot; without one, the number of holders is the score.
    """
    ids: list[str] = []
    vectors: list[list[float] | None] = []
    gids: list[int | None] = []
    links: list[tuple[list[int], list[float]]] = []
    after = ""
    while page := graph.read(
        "recommend_products", slot=slot or "a", after=after, size=PAGE_PRODUCTS
    ):
        ids += [row["product"] for row in page]
        vectors += [[row["holders"]] if slot is None else row["embedding"] for row in page]
        gids += [row["gid"] for row in page]
        links += [
            ([], []) if slot is None else (row["similar"] or [], row["weights"] or [])
            for row in page
        ]
        after = page[-1]["product"]
    place_of_gid = {gid: place for place, gid in enumerate(gids) if gid is not None}
    width = max((len(vector) for vector in vectors if vector), default=1)
    none = [0.0] * width
    return Catalogue(
        ids=ids,
        vectors=np.array([vector or none for vector in vectors], np.float64).reshape(-1, width),
        has_score=np.array([vector is not None for vector in vectors], np.bool_),
        place_of_gid=place_of_gid,
        links=_links(links, place_of_gid),
        eligibility=Eligibility(graph, ids, rules),
    )


def _links(
    links: Sequence[tuple[list[int], list[float]]], place_of_gid: dict[int, int]
) -> csr_array:
    found = [
        (source, place_of_gid[gid], weight)
        for source, (gids, weights) in enumerate(links)
        for gid, weight in zip(gids, weights, strict=True)
        # Products added or removed while the pages were read have no place.
        if gid in place_of_gid
    ]
    sources, targets, weights = zip(*found, strict=True) if found else ((), (), ())
    shape = (len(links), len(links))
    return csr_array((np.array(weights, np.float64), (sources, targets)), shape=shape)
