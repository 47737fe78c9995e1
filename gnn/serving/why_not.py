"""Why a product is or is not in a user's list: the verdict of each rule, and its rank."""

from __future__ import annotations

from collections.abc import Sequence

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.recommend import score_for
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.search import read_compared
from kinfolio.gnn.serving.user_state import read_user_state
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
    score, rank = score_for(graph, state, product_id), None
    if score is not None:
        parameters = state.parameters | {
            "conditions": conditions_of(rules),
            "product_id": product_id,
            "score": score,
        }
        if state.version is None:
            rows = graph.read("why_not_rank_popular", **parameters)
        else:
            rows = read_compared(graph, state.served, "why_not_rank", parameters)
        rank = int(rows[0]["before"]) + 1
    known = graph.read("new_products_known", slot=state.slot, product_id=product_id)[0]
    return WhyNot(
        user=state.user,
        product=product_id,
        allowed=all(verdict.passed for verdict in verdicts),
        rules=verdicts,
        rank=rank,
        score=score,
        version=state.version,
        known_by=tuple(known["known_by"] or ()),
    )
