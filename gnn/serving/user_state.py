"""The query vector of a user, from the current state of the graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.environment import harmless_kinds
from kinfolio.errors import KinfolioError, ServerUnreachable, VersionDamaged, WrongPassword, quoted
from kinfolio.gnn.markets import sells_in, share_within
from kinfolio.gnn.serving.not_found import user_not_found
from kinfolio.gnn.version_state import (
    ServedVersion,
    check_version,
    damaged,
    is_split,
    is_vector,
    place_in_split,
)
from kinfolio.records import Slot, Source

TRIES = 20


@dataclass(frozen=True, slots=True)
class UserState:
    """A user, the version that serves the user, and the query vector."""

    user: str
    risk_tolerance: int | None
    country: str | None
    version: str | None
    """The active one, or during a split of users the one that serves this user."""
    split: int | None
    """Percentage of users served by the other slot; None: no split."""
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
    cut: int | None
    """Ties dated later, in milliseconds since 1970, do not count for users of the version."""
    harmless: tuple[str, ...] | None
    """Kinds that a user of unknown risk tolerance is offered without a risk rating; None: no
    product has one, or the tolerance is known."""
    out: int
    """Number of products held or dismissed."""

    @property
    def served(self) -> ServedVersion:
        """The version as the statements that compare vectors take it."""
        return ServedVersion(self.version, self.slot, self.row_length)

    def damaged(self, problem: str) -> VersionDamaged:
        """Return the error for damage in the version, with the way back."""
        return damaged(self.version, problem)

    def check_message(self, message: object, owner: str) -> None:
        """Check what a node adds to a user's vector; a node may have no message.

        Raises:
            VersionDamaged: it is not one finite number for each of the vector's.
        """
        if message is not None and not is_vector(message, self.heads * self.dim):
            raise self.damaged(f"the message of {owner} is not {self.heads * self.dim} numbers")

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the statements that score products for the user.

        `length` converts a cosine into a score: length of the query times that of a product vector.
        """
        return {
            "slot": self.slot,
            "user_id": self.user,
            "harmless": self.harmless,
            "query": self.query,
            "width": len(self.query),
            "length": math.hypot(*self.query) * self.row_length,
        }


def read_user_state(graph: Graph | Reads, user_id: str, version: str | None = None) -> UserState:
    """Return the state of one user; by the version that serves the user if none is named.

    Raises:
        NotFound: there is no such user.
        VersionDamaged: the version cannot be served.
    """
    states = read_user_states(graph, [user_id], version)
    if not states:
        raise user_not_found(graph, user_id)
    return states[0]


def read_user_states(
    graph: Graph | Reads, user_ids: Sequence[str], version: str | None = None
) -> list[UserState]:
    """Return the states of the users that exist, in the order of their ids.

    Damaged vectors of single nodes do not count: such a user is folded in from the others.

    Raises:
        VersionDamaged: the version cannot be served.
    """
    rows: list[dict[str, Any]] = []  # Any: rows of a statement
    # A failed statement would end the transaction of `Reads`.
    checked = isinstance(graph, Reads)
    if not checked:
        try:
            rows = _read_rows(graph, user_ids, version, checked=False)
            checked = not all(map(_is_sound, rows))
        except (ServerUnreachable, WrongPassword, VersionDamaged):
            raise
        except KinfolioError:
            checked = True  # a value of another type fails the whole statement
    if checked:
        _check_versions(graph, user_ids, version)
        rows = _read_rows(graph, user_ids, version, checked=True)
    harmless = None
    if any(row["risk_tolerance"] is None for row in rows):
        harmless = unrated_kinds(graph, rows[0]["has_risk"])
    return [_state(row, harmless) for row in rows]


def _check_versions(graph: Graph | Reads, user_ids: Sequence[str], name: str | None) -> None:
    """Check the version of a name; without one those that serve the users, two in a split."""
    for row in graph.read("version_list"):
        version = row["version"]
        percent = version["split"] if is_split(version) else 0
        in_split = [place_in_split(user_id) < percent for user_id in user_ids]
        is_serving = {"active": not all(in_split), "ready": any(in_split)}
        if version.get("name") == name or (name is None and is_serving.get(version.get("state"))):
            check_version(version)


def unrated_kinds(graph: Graph | Reads, has_risk: bool | None = None) -> tuple[str, ...] | None:
    """Return the kinds that need no risk rating; None: no product has one.

    `has_risk`: what the version recorded, if it did.
    """
    if has_risk is None:
        has_risk = graph.read("recommend_has_risk")[0]["has_risk"]
    return harmless_kinds() if has_risk else None


def _read_rows(
    graph: Graph | Reads, user_ids: Sequence[str], version: str | None, *, checked: bool
) -> list[dict[str, Any]]:  # Any: rows of a statement
    rows: list[dict[str, Any]] = []
    users = [[user_id, place_in_split(user_id)] for user_id in user_ids]
    for _ in range(TRIES):
        rows = graph.read("recommend_query_vector", users=users, only=version, checked=checked)
        # A read during a version flip can miss both versions, as each still has its other state.
        if all(row["version"] is not None or row["versions"] < 2 for row in rows):
            break
    for row in {row["version"]: row for row in rows}.values():
        if row["slot"] is not None or row["version"] is not None:
            check_version({**row, "name": row["version"]})
    return rows


def _is_sound(row: dict[str, Any]) -> bool:
    """Whether the query vector is complete and finite."""
    # One sum finds a number that is not finite; a missing one is None.
    return None not in row["query"] and math.isfinite(sum(row["query"]) + row["reach"])


def _state(row: dict[str, Any], harmless: tuple[str, ...] | None) -> UserState:
    if not _is_sound(row):
        raise damaged(
            row["version"], f"user {quoted(row['user'])} has no finite vector from any of its parts"
        )
    return UserState(
        user=row["user"],
        risk_tolerance=row["risk_tolerance"],
        country=row["country"],
        version=row["version"],
        split=row["split"],
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
        row_length=row["length"] or 1.0,
        linked=row["linked"] or 0,
        cut=row["cut"],
        harmless=harmless if row["risk_tolerance"] is None else None,
        out=row["out"],
    )
