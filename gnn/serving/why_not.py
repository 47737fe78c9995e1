"""Why a product is or is not in a user's list: the verdict of each rule, and its rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.recommend import score_for
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.user_state import UserState, read_user_state
from kinfolio.gnn.serving.verdicts import read_verdicts
from kinfolio.records import WhyNot


def why_not(graph: Graph, user_id: str, product_id: str, *, rules: Sequence[Rule] = ()) -> WhyNot:
    """Return every rule's verdict, and the product's score and rank if all rules allowed it.

    Own rules apply in addition to the built-in ones.

    Raises:
        NotFound: there is no such user or product.
    """
    state = read_user_state(graph, user_id)
    verdicts = read_verdicts(graph, user_id, product_id, rules=rules)
    score = score_for(graph, state, product_id)
    return WhyNot(
        user=state.user,
        product=product_id,
        allowed=all(verdict.passed for verdict in verdicts),
        rules=verdicts,
        rank=None if score is None else _rank(graph, state, product_id, score, rules),
        score=score,
    )


def _rank(
    graph: Graph, state: UserState, product_id: str, score: float, rules: Sequence[Rule]
) -> int:
    parameters: dict[str, Any] = {  # Any: as `read` takes them
        "conditions": conditions_of(rules),
        "user_id": state.user,
        "product_id": product_id,
        "score": score,
    }
    if state.version is not None:
        parameters |= {"query": state.query, "width": state.width, "length": state.length}
    name = "why_not_rank_popular" if state.version is None else "why_not_rank"
    return int(graph.read(name, slot=state.slot, **parameters)[0]["before"]) + 1
