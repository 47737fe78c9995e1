"""All products of a version and the rules on them, read once to compute the lists of all users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, quoted
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.search import Warn, name_some
from kinfolio.gnn.serving.user_state import UserState
from kinfolio.gnn.version_state import is_vector, place_in_split

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
                harmless=state.harmless,
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
    unusable_holdings: set[int]
    """Gids of products with damaged links; users who hold one have no list."""
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


def read_catalogue(graph: Graph, state: UserState, rules: Sequence[Rule], warn: Warn) -> Catalogue:
    """Read all products of the graph, in the order of their ids.

    Vectors are those of the state's version; without one, the number of holders is the score.
    Damaged ones are left out, with a warning.
    """
    slot = None if state.version is None else state.slot
    ids: list[str] = []
    vectors: list[Any] = []  # Any: properties, which may be damaged
    gids: list[int | None] = []
    links: list[tuple[Any, Any]] = []
    after = ""
    while page := graph.read(
        "recommend_products", slot=slot or "a", after=after, size=PAGE_PRODUCTS
    ):
        ids += [row["product"] for row in page]
        vectors += [[float(row["holders"])] if slot is None else row["embedding"] for row in page]
        gids += [row["gid"] for row in page]
        links += [
            ([], [])
            if slot is None or row["similar"] is row["weights"] is None
            else (row["similar"], row["weights"])
            for row in page
        ]
        after = page[-1]["product"]
    place_of_gid = {gid: place for place, gid in enumerate(gids) if gid is not None}
    width = len(state.query) or 1
    none = [0.0] * width
    # The number of holders may be 0, a vector not.
    is_sound = [is_vector(one, width) and (slot is None or any(one)) for one in vectors]
    rows = [vector if sound else none for vector, sound in zip(vectors, is_sound, strict=True)]
    damaged = [
        product
        for product, vector, sound in zip(ids, vectors, is_sound, strict=True)
        if vector is not None and not sound
    ]
    is_linked = [_are_links(*one) for one in links]
    unlinked = [place for place, sound in enumerate(is_linked) if not sound]
    cure = f"version {quoted(state.version)} is damaged; type: kinfolio versions check"
    if damaged:
        warn(f"left out: {name_some(damaged)} with damaged vectors; {cure}")
    if unlinked:
        some = name_some([ids[place] for place in unlinked])
        warn(f"left out: users who hold {some} with damaged links; {cure}")
    return Catalogue(
        ids=ids,
        vectors=np.array(rows, np.float64).reshape(-1, width),
        has_score=np.array(is_sound, np.bool_),
        place_of_gid=place_of_gid,
        links=_links(
            [one if sound else ([], []) for one, sound in zip(links, is_linked, strict=True)],
            place_of_gid,
        ),
        unusable_holdings={gid for place in unlinked if (gid := gids[place]) is not None},
        eligibility=Eligibility(graph, ids, rules),
    )


class Catalogues:
    """The versions that serve, which must not change, and their catalogues.

    One version, or the two of a split of the users.
    """

    def __init__(self, graph: Graph, rules: Sequence[Rule], warn: Warn) -> None:
        self._read = partial(read_catalogue, graph, rules=rules, warn=warn)
        self._catalogues: dict[str | None, Catalogue] = {}
        self._versions: dict[tuple[int | None, bool], str | None] = {}

    def check(self, states: Sequence[UserState]) -> None:
        """Check that users are served as those before were.

        Raises:
            NotReady: they are not.
        """
        for state in states:
            side = state.split, place_in_split(state.user) < (state.split or 0)
            version = self._versions.setdefault(side, state.version)
            if state.version != version:
                raise NotReady(
                    f"version {quoted(state.version)} replaced {quoted(version)} while the "
                    "lists were computed; run the command again"
                )
        if len({split for split, _ in self._versions}) > 1:
            raise NotReady(
                "a split of the users began or ended while the lists were computed; run the "
                "command again"
            )

    def of(self, state: UserState) -> Catalogue:
        """Return the products of the version that serves a user."""
        if state.version not in self._catalogues:
            self._catalogues[state.version] = self._read(state)
        return self._catalogues[state.version]


def _are_links(gids: Any, weights: Any) -> bool:
    """Whether two properties are the targets and the weights of links."""
    return isinstance(gids, list) and is_vector(gids, len(gids)) and is_vector(weights, len(gids))


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
