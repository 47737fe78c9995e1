"""The query vector of a user, from the current state of the graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.gnn.publishing.stored_rows import sells_in, share_within
from kinfolio.gnn.serving.not_found import user_not_found
from kinfolio.records import Slot, Source

TRIES = 20


@dataclass(frozen=True, slots=True)
class UserState:
    """A user, the active version, and the query vector."""

    user: str
    risk_tolerance: int | None
    country: str | None
    version: str | None
    slot: Slot
    source: Source
    heads: int
    """0 without a version."""
    dim: int
    """Width of one head."""
    query: tuple[float, ...]
    """heads * dim + 2 numbers: unit blocks, 1 for the bias, 0; empty without a version."""
    reach: float
    """Factor of the global mean user in `query`: square root of the number of holdings and weighted
    ties, 1 where there are none."""
    products: int
    """Number of products of the version."""
    fetch: int | None
    """Number of products to request from the vector index; None: search exactly."""
    markets: tuple[str, ...]
    """Markets of the version that include the user's country."""
    open_share: float
    """Share of the version's products that were open; 0 if not recorded."""
    risk_share: float
    """Share of them within the user's risk tolerance; 0 if not recorded."""
    row_length: float
    """Common length of all product vectors."""
    linked: int
    """Number of products of the version that have links."""
    out: int
    """Number of products held or dismissed."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the statements that score products for the user.

        `length` converts a cosine into a score: length of the query times that of a product vector.
        """
        return {
            "slot": self.slot,
            "user_id": self.user,
            "query": self.query,
            "width": len(self.query),
            "length": math.hypot(*self.query) * self.row_length,
        }


def read_user_state(graph: Graph | Reads, user_id: str) -> UserState:
    """Return the state of one user.

    Raises:
        NotFound: there is no such user.
    """
    states = read_user_states(graph, [user_id])
    if not states:
        raise user_not_found(graph, user_id)
    return states[0]


def read_user_states(graph: Graph | Reads, user_ids: Sequence[str]) -> list[UserState]:
    """Return the states of the users that exist, in the order of their ids."""
    for _ in range(TRIES):
        rows = graph.read("recommend_query_vector", user_ids=list(user_ids))
        # A read during a version flip can miss both versions, as each still has its other state.
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
            heads=row["heads"] or 0,
            dim=row["dim"] or 0,
            query=() if row["version"] is None else (*row["query"], 1.0, 0.0),
            reach=row["reach"],
            products=row["products"] or 0,
            fetch=row["fetch"],
            markets=tuple(
                market for market in row["markets"] or () if sells_in(market, row["country"])
            ),
            open_share=row["open_share"] or 0.0,
            risk_share=share_within(row["risk_levels"] or (), row["risk_tolerance"]),
            # Older versions did not record it; they have no links, so any factor ranks alike.
            row_length=row["length"] or 1.0,
            linked=row["linked"] or 0,
            out=row["out"],
        )
        for row in rows
    ]
