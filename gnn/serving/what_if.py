"""Lists under filters, and lists as if some holdings were absent or present.

Ranks all products by the formula of `recommend`: a filter never hides a better product that an
index did not return. Writes nothing. Own rules see the actual holdings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady
from kinfolio.gnn.serving.not_found import product_not_found, user_not_found
from kinfolio.gnn.serving.recommend import check_k, finite_score, score_for
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.search import Found, ranked, read_compared
from kinfolio.gnn.serving.user_state import UserState, read_user_state
from kinfolio.records import ListFilters, Recommendations, WhatIf

_NO_FILTERS = ListFilters()


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    """A user with changed holdings."""

    state: UserState
    without: Sequence[str] = ()
    added: Sequence[str] = ()
    """Hypothetical holdings that the user does not have already."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the statements that score products."""
        return self.state.parameters | {"without": list(self.without), "added": list(self.added)}


def recommend_filtered(
    graph: Graph, user_id: str, filters: ListFilters, k: int = 10, *, rules: Sequence[Rule] = ()
) -> Recommendations:
    """Return the best products that pass the rules and the filters, best first.

    Raises:
        NotFound: there is no such user.
        NotReady: no version is active.
        BadConfig: k is out of range.
    """
    check_k(k)
    state = _read_state(graph, user_id)
    found = _products(graph, _Hypothesis(state), k, filters, rules)
    return Recommendations(
        user=state.user,
        version=state.version,
        search="exact",
        source=state.source,
        split=state.split,
        products=ranked(found),
    )


def what_if(
    graph: Graph,
    user_id: str,
    *,
    without: Sequence[str] = (),
    added: Sequence[str] = (),
    product_id: str | None = None,
    k: int = 10,
    rules: Sequence[Rule] = (),
) -> WhatIf:
    """Return the list, and the score of `product_id`, as if some holdings were changed.

    Holdings `without` are removed, holdings `added` are added.

    Raises:
        NotFound: there is no such user or product.
        NotReady: no version is active.
        BadConfig: k is out of range.
    """
    check_k(k)
    state = _read_state(graph, user_id)
    hypothesis = _suppose(graph, state, without, added)
    before = after = None
    if product_id is not None:
        before = score_for(graph, state, product_id)
        after = _score(graph, hypothesis, product_id)
    return WhatIf(
        user=state.user,
        version=str(state.version),
        source=hypothesis.state.source,
        without=tuple(without),
        added=tuple(added),
        products=ranked(_products(graph, hypothesis, k, _NO_FILTERS, rules)),
        product=product_id,
        before=before,
        after=after,
    )


def _read_state(graph: Graph, user_id: str) -> UserState:
    state = read_user_state(graph, user_id)
    if state.version is None:
        raise NotReady("no embeddings are in the graph yet; type: kinfolio writeback")
    return state


def _suppose(
    graph: Graph, state: UserState, without: Sequence[str], added: Sequence[str]
) -> _Hypothesis:
    for product in (*without, *added):
        if not graph.read("chat_products", ids=[product], line="", shown=[]):
            raise product_not_found(graph, product)
    rows = graph.read(
        "what_if_vector",
        user_id=state.user,
        without=list(without),
        added=list(added),
        only=state.version,
        checked=True,
    )
    if not rows:
        raise user_not_found(graph, state.user)
    row = rows[0]
    if row["slot"] != state.slot or row["version"] != state.version:
        raise NotReady("the version changed during the computation; run it again")
    changed = replace(state, source=row["source"], query=(*row["query"], 1.0, 0.0))
    return _Hypothesis(changed, without, row["added"])


def _score(graph: Graph, hypothesis: _Hypothesis, product_id: str) -> float | None:
    rows = graph.read("what_if_score", product_id=product_id, **hypothesis.parameters)
    return finite_score(rows[0]["score"], hypothesis.state, product_id)


def _products(
    graph: Graph, hypothesis: _Hypothesis, k: int, filters: ListFilters, rules: Sequence[Rule]
) -> Found:
    parameters = hypothesis.parameters | {
        "conditions": conditions_of(rules),
        "kinds": list(filters.kinds),
        "not_kinds": list(filters.excluded_kinds),
        "min_risk": filters.min_risk,
        "max_risk": filters.max_risk,
        "properties": [list(pair) for pair in filters.properties],
        "excluded": list(filters.excluded_products),
        "k": k,
    }
    return read_compared(graph, hypothesis.state.served, "what_if_products", parameters)
