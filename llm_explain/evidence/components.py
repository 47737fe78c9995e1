"""Read the components of a score: held products, tied people, the user's own text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kinfolio.errors import quoted
from kinfolio.gnn.serving.user_state import UserState
from kinfolio.llm_explain.evidence.contributions import LinearScore
from kinfolio.llm_explain.explanation import Basis
from kinfolio.records import Kind

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component of a score: a held product, a tied person, a text or popularity."""

    kind: Kind
    gid: int = -1
    id: str = ""
    name: str = ""
    link_weight: float = 0.0
    """Contribution of the links from a held product, besides its message."""
    text: str = ""
    """Of kind text: "own" for the user's own text, "about" for a reviewed product."""
    is_prior: bool = False
    """Of kind popularity: most of it comes from the global mean user, not from the holders."""


def read_components(
    reads: Reads, state: UserState, pair: dict[str, Any]
) -> tuple[list[Component], LinearScore, Basis]:
    """Read the components of the score of a pair, a row of `explain_pair`; popularity last."""
    return components_of(reads, state, pair, read_neighbours(reads, [state], pair)[state.user])


def read_neighbours(
    reads: Reads, states: Sequence[UserState], pair: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of `explain_neighbours` of each user. Any: values of a row."""
    found: dict[str, list[dict[str, Any]]] = {state.user: [] for state in states}
    for row in reads.read(
        "explain_neighbours",
        slot=states[0].slot,
        user_ids=list(found),
        product_gid=pair["product_gid"],
        cut=states[0].cut,
    ):
        found[row["user"]].append(row)
    return found


def components_of(
    reads: Reads, state: UserState, pair: dict[str, Any], neighbours: list[dict[str, Any]]
) -> tuple[list[Component], LinearScore, Basis]:
    """Return the components of a score, of the rows of `read_neighbours`; popularity last."""
    width = len(state.query) - 2
    components, messages = _neighbours(state, pair, neighbours, width)
    kinds = {component.kind for component in components}
    basis: Basis = "holdings" if "holding" in kinds else "ties" if "tie" in kinds else "text"
    prior = np.asarray(pair["general"] or [0.0] * width, dtype=np.float64)
    if not components:
        # Reviewed products replace the user's own text; the prior is not added to them.
        rows = reads.read("explain_reviewed_products", slot=state.slot, user_id=state.user)
        components = [
            Component(kind="text", gid=row["gid"], id=row["id"], name=row["name"], text="about")
            for row in rows
        ]
        for row in rows:
            state.check_message(row["message"], repr(row["id"]))
        messages = [row["message"] for row in rows]
        basis = "text" if components else "popularity"
        prior *= not components
    weights = {"holding": 1.0, "tie": pair["tie_weight"] or 0.0}
    embedding = np.asarray(pair["embedding"], dtype=np.float64)
    score = LinearScore(
        messages=np.asarray(messages, dtype=np.float64).reshape(len(messages), width),
        prior=prior,
        prior_weight=state.reach,
        weights=np.array([weights.get(component.kind, 0.0) for component in components]),
        link_weights=np.array([component.link_weight for component in components], np.float64),
        embedding=embedding[:width],
        bias=float(embedding[width]),
        heads=state.heads,
    )
    components.append(Component(kind="popularity", is_prior=score.is_mostly_prior()))
    return components, score, basis


def _neighbours(
    state: UserState, pair: dict[str, Any], rows: list[dict[str, Any]], width: int
) -> tuple[list[Component], list[list[float]]]:
    """Holdings, ties and own text, with the message of each."""
    components = [
        Component(
            kind=row["kind"],
            gid=row["gid"],
            id=row["id"] or "",
            name=row["name"] or "",
            link_weight=row["linked"],
        )
        for row in rows
    ]
    for row in rows:
        state.check_message(row["message"], repr(row["id"]) if row["id"] else "a tied user")
    messages = [row["message"] or [0.0] * width for row in rows]
    if pair["own"] is not None:
        state.check_message(pair["own"], f"the text of {quoted(state.user)}")
        components.append(Component(kind="text", text="own"))
        messages.append(pair["own"])
    return components, messages
