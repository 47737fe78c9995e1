"""The strongest reason of each user of an audience, in one clause.

A reason is the largest contribution of `explain`. Tied people are never named: the clause is for a
reader who may see users, not whom they know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kinfolio.gnn.serving.audience.audience import Audience, Reason, audience
from kinfolio.gnn.serving.user_state import read_user_states
from kinfolio.llm_explain.evidence.components import Component, components_of, read_neighbours
from kinfolio.llm_explain.evidence.contributions import rank_by_size

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.gnn.serving.rules import Rule
    from kinfolio.gnn.serving.search import Warn
    from kinfolio.llm_explain.display import Display

_CLAUSES = {
    "holding": "holds {name}",
    "tie": "is tied to someone near it in the model",
    "own": "wrote reviews near it in the model",
    "about": "reviewed {name}",
    "general": "it is near what people hold in general",
    "many": "many people hold it",
    "nothing": "nothing known speaks for it",
}


def explained_audience(
    graph: Graph,
    product_id: str,
    k: int = 100,
    *,
    display: Display,
    rules: Sequence[Rule] = (),
    warn: Warn | None = None,
) -> Audience:
    """Return an audience with a reason for each user; see `audience` for the errors."""
    found = audience(graph, product_id, k, rules=rules, warn=warn)
    if found.version is None or not found.users:
        return found
    users = [member.user for member in found.users]
    reasons = _read_reasons(graph, product_id, users, found.version, display)
    return replace(
        found, users=tuple(replace(one, reason=reasons.get(one.user)) for one in found.users)
    )


def _read_reasons(
    graph: Graph, product_id: str, users: Sequence[str], version: str, display: Display
) -> dict[str, Reason]:
    chosen: dict[str, tuple[Component, float, float]] = {}
    # Outside of the transaction, where every number would be checked.
    states = read_user_states(graph, users, version)
    if not states:
        return {}
    with graph.snapshot_reads() as reads:
        slot = states[0].slot
        row = reads.read("audience_pair", slot=slot, product_id=product_id, version=version)[0]
        neighbours = read_neighbours(reads, states, row)
        texts = reads.read("explain_own_texts", slot=slot, user_ids=list(neighbours))
        own = {text["user"]: text["own"] for text in texts}
        for state in states:
            pair = {**row, "own": own.get(state.user)}
            components, score, _ = components_of(reads, state, pair, neighbours[state.user])
            values = score.contributions()
            order, shares = rank_by_size(values)
            place = next((one for one in order if values[one] > 0), order[0])
            chosen[state.user] = components[place], float(values[place]), float(shares[place])
    names = display.distinct_names(
        {one.id: str(one.name) for one, _, _ in chosen.values() if one.id}
    )
    return {
        user: Reason(
            kind=component.kind,
            text=_clause(component, value, names),
            contribution=value,
            share=share,
        )
        for user, (component, value, share) in chosen.items()
    }


def _clause(component: Component, value: float, names: dict[str, str]) -> str:
    if value <= 0:
        return _CLAUSES["nothing"]
    key = component.text or component.kind
    if component.kind == "popularity":
        key = "general" if component.is_prior else "many"
    return _CLAUSES[key].format(name=names.get(component.id, component.id))
