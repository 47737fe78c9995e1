"""What a user is compared with products by, as the graph knows it now."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.stored_rows import sells_in, share_within
from kinfolio.gnn.serving.not_found import unknown_user
from kinfolio.records import Slot, Source

TRIES = 20


@dataclass(frozen=True, slots=True)
class UserState:
    """A user, the version that serves, and the vector to compare by."""

    user: str
    risk_tolerance: int | None
    country: str | None
    version: str | None
    slot: Slot
    source: Source
    query: tuple[float, ...]
    """heads * dim + 2 numbers: unit blocks, 1 for the bias, 0; empty without a version."""
    products: int
    """Products of the version."""
    fetch: int | None
    """How many products to ask the version's index for; None: search exactly."""
    markets: tuple[str, ...]
    """Markets of the version that sell in the user's country."""
    open_share: float
    """Part of the version's products that were not closed; 0 where it was not kept."""
    risk_share: float
    """Part of them that were within the user's risk tolerance; 0 where it was not kept."""
    row_length: float
    """Length that the rows of all products have."""
    linked: int
    """Products of the version that have links."""
    out: int
    """Products held or dismissed."""

    @property
    def width(self) -> int:
        """Length of the vectors in the graph."""
        return len(self.query)

    @property
    def length(self) -> float:
        """What makes a score of a cosine: the length of the query times that of every row."""
        return math.hypot(*self.query) * self.row_length


def read_user_state(graph: Graph, user_id: str) -> UserState:
    """The state of one user.

    Raises:
        NotFound: there is no such user.
    """
    states = read_user_states(graph, [user_id])
    if not states:
        raise unknown_user(graph, user_id)
    return states[0]


def read_user_states(graph: Graph, user_ids: Sequence[str]) -> list[UserState]:
    """The states of some users in the order of their ids; without those that do not exist."""
    for _ in range(TRIES):
        rows = graph.read("recommend_query_vector", user_ids=list(user_ids))
        # A read that falls into a flip can miss both versions, as each had the other state yet.
        if all(row["version"] is not None or row["versions"] < 2 for row in rows):
            break
    return [
        UserState(
            user=row["user"],
            risk_tolerance=row["risk_tolerance"],
            country=row["country"],
            version=row["version"],
            slot=row["slot"] or "a",
            source=row["source"],
            query=() if row["version"] is None else (*row["query"], 1.0, 0.0),
            products=row["products"] or 0,
            fetch=row["fetch"],
            markets=tuple(
                market for market in row["markets"] or () if sells_in(market, row["country"])
            ),
            open_share=row["open_share"] or 0.0,
            risk_share=share_within(row["risk_levels"] or (), row["risk_tolerance"]),
            # Not kept by older versions, which have no links that it could be weighed against.
            row_length=row["length"] or 1.0,
            linked=row["linked"] or 0,
            out=row["out"],
        )
        for row in rows
    ]
