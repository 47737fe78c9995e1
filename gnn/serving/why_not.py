"""Why a product is, or is not, in a user's list: what each rule says, and where it would stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.not_found import unknown_product
from kinfolio.gnn.serving.recommend import score_for
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.user_state import UserState, read_user_state
from kinfolio.records import Verdict, WhyNot


def why_not(graph: Graph, user_id: str, product_id: str, *, rules: Sequence[Rule] = ()) -> WhyNot:
    """Every rule's verdict, and the rank and score the product would have if all allowed it.

    Args:
        user_id: the user's own key.
        product_id: the product's own key.
        graph: the database.
        rules: own rules besides those that always hold.

    Raises:
        NotFound: there is no such user or product.
    """
    state = read_user_state(graph, user_id)
    facts = graph.read("why_not_facts", user_id=user_id, product_id=product_id)[0]
    if facts["product"] is None:
        raise unknown_product(graph, product_id)
    verdicts = (
        *_verdicts(facts),
        *(_verdict(rule, state.user, product_id, graph) for rule in rules),
    )
    score = score_for(graph, state, product_id)
    return WhyNot(
        user=state.user,
        product=product_id,
        allowed=all(verdict.passed for verdict in verdicts),
        rules=verdicts,
        rank=None
        if score is None
        else _rank(state, product_id, score, graph, conditions_of(rules)),
        score=score,
    )


def _verdict(rule: Rule, user_id: str, product_id: str, graph: Graph) -> Verdict:
    rows = graph.read(
        "why_not_rule", conditions=(rule.condition,), user_id=user_id, product_id=product_id
    )
    return Verdict(rule=rule.name, passed=rows[0]["passed"], reason=rule.reason)


def _rank(
    state: UserState, product_id: str, score: float, graph: Graph, conditions: tuple[str, ...]
) -> int:
    if state.version is None:
        rows = graph.read(
            "why_not_rank_popular",
            conditions=conditions,
            user_id=state.user,
            product_id=product_id,
            score=score,
        )
    else:
        rows = graph.read(
            "why_not_rank",
            slot=state.slot,
            conditions=conditions,
            user_id=state.user,
            product_id=product_id,
            query=state.query,
            width=state.width,
            length=state.length,
            score=score,
        )
    return int(rows[0]["before"]) + 1


def _verdicts(facts: Mapping[str, Any]) -> tuple[Verdict, ...]:
    user, name = facts["user"], facts["name"]
    return (
        Verdict(
            rule="held",
            passed=not facts["is_held"],
            reason=f"{user} already holds {name}"
            if facts["is_held"]
            else f"{user} does not hold {name}",
        ),
        Verdict(
            rule="dismissed",
            passed=not facts["is_dismissed"],
            reason=f"{user} has dismissed {name}"
            if facts["is_dismissed"]
            else f"{user} has not dismissed {name}",
        ),
        Verdict(rule="closed", passed=facts["is_open"], reason=_closed(facts)),
        Verdict(rule="country", passed=facts["is_sold"], reason=_country(facts)),
        Verdict(rule="risk", passed=facts["is_safe"], reason=_risk(facts)),
    )


def _closed(facts: Mapping[str, Any]) -> str:
    if facts["open"] is None:
        return f"nothing says that {facts['name']} is closed"
    return f"{facts['name']} is {'open' if facts['is_open'] else 'closed'} to new buyers"


def _country(facts: Mapping[str, Any]) -> str:
    if not facts["countries"]:
        return f"{facts['name']} is not limited to certain countries"
    sold = f"{facts['name']} is sold in {', '.join(sorted(facts['countries']))}"
    if facts["country"] is None:
        return f"{sold} only, and the country of {facts['user']} is unknown"
    if facts["is_sold"]:
        return f"{sold}, and {facts['user']} is in {facts['country']}"
    return f"{sold} only, and {facts['user']} is in {facts['country']}"


def _risk(facts: Mapping[str, Any]) -> str:
    if facts["risk"] is None:
        return f"{facts['name']} states no risk level"
    level = f"{facts['name']} has risk level {facts['risk']}"
    if facts["risk_tolerance"] is None:
        return f"{level}, and the risk tolerance of {facts['user']} is unknown"
    place = "within" if facts["is_safe"] else "above"
    return f"{level}, {place} the risk tolerance of {facts['user']}, {facts['risk_tolerance']}"
