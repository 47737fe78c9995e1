"""The verdict of each eligibility rule on a user and a product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from kinfolio.cypher.graph import Graph
from kinfolio.errors import quoted
from kinfolio.gnn.serving.not_found import product_not_found, user_not_found
from kinfolio.gnn.serving.rules import Rule
from kinfolio.gnn.serving.user_state import unrated_kinds
from kinfolio.records import Verdict

ReasonCode = Literal[
    "held",
    "dismissed",
    "closed",
    "country",
    "country_unknown",
    "risk_above",
    "risk_unknown",
    "unrated",
]


def read_verdicts(
    graph: Graph, user_id: str, product_id: str, *, rules: Sequence[Rule] = ()
) -> tuple[Verdict, ...]:
    """Return the verdict of each built-in rule and of each own rule; no score is computed.

    Raises:
        NotFound: there is no such user or product.
    """
    pair: dict[str, Any] = {"user_id": user_id, "product_id": product_id}  # Any: as `read` takes it
    harmless = unrated_kinds(graph)
    facts = graph.read("why_not_facts", harmless=harmless, **pair)[0]
    if facts["user"] is None:
        raise user_not_found(graph, user_id)
    if facts["product"] is None:
        raise product_not_found(graph, product_id)
    broken = violated_rules(graph, user_id, product_id, rules)
    return _built_in_verdicts({**facts, "harmless": harmless}) + tuple(
        Verdict(
            rule=rule.name,
            passed=rule not in broken,
            reason=rule.reason,
            code=rule.code if rule in broken else None,
        )
        for rule in rules
    )


def violated_rules(
    graph: Graph, user_id: str, product_id: str, rules: Sequence[Rule]
) -> tuple[Rule, ...]:
    """Return the own rules that exclude an existing product from an existing user's lists."""
    pair: dict[str, Any] = {"user_id": user_id, "product_id": product_id}  # Any: as `read` takes it
    return tuple(
        rule
        for rule in rules
        if not graph.read("why_not_rule", conditions=(rule.condition,), **pair)[0]["passed"]
    )


def violations(facts: Mapping[str, Any]) -> dict[str, ReasonCode]:
    """Map each built-in rule that excludes the product to the code of its reason.

    `facts`: a row of `why_not_facts` or `explain_pair`.
    """
    reasons: dict[str, tuple[bool, ReasonCode]] = {
        "held": (facts["is_held"], "held"),
        "dismissed": (facts["is_dismissed"], "dismissed"),
        "closed": (not facts["is_open"], "closed"),
        "country": (not facts["is_sold"], "country" if facts["country"] else "country_unknown"),
        "risk": (
            not facts["is_safe"],
            "risk_unknown" if facts["risk_tolerance"] is None else "risk_above",
        ),
        "unrated": (not facts["is_rated"], "unrated"),
    }
    return {rule: code for rule, (is_violated, code) in reasons.items() if is_violated}


def _built_in_verdicts(facts: Mapping[str, Any]) -> tuple[Verdict, ...]:
    found, user, name = violations(facts), facts["user"], facts["name"]
    reasons = {
        "held": f"{user} {'already holds' if 'held' in found else 'does not hold'} {name}",
        "dismissed": f"{user} has {'' if 'dismissed' in found else 'not '}dismissed {name}",
        "closed": f"{name} is {'closed' if 'closed' in found else 'open'} to new buyers"
        if facts["open"] is not None
        else f"nothing says that {name} is closed",
        "country": _country(facts, found.get("country")),
        "risk": _risk(facts, found.get("risk")),
        "unrated": _unrated(facts, "unrated" in found),
    }
    return tuple(
        Verdict(
            rule=rule,
            passed=rule not in found,
            reason=reason,
            code=found[rule].upper() if rule in found else None,
        )
        for rule, reason in reasons.items()
    )


def _country(facts: Mapping[str, Any], violation: ReasonCode | None) -> str:
    if not facts["countries"]:
        return f"{facts['name']} is not limited to certain countries"
    sold = f"{facts['name']} is sold in {', '.join(sorted(facts['countries']))}"
    if facts["country"] is None:
        return f"{sold} only, and the country of {facts['user']} is unknown"
    return f"{sold}{' only' if violation else ''}, and {facts['user']} is in {facts['country']}"


def _risk(facts: Mapping[str, Any], violation: ReasonCode | None) -> str:
    if facts["risk"] is None:
        return f"{facts['name']} states no risk level"
    level = f"{facts['name']} has risk level {facts['risk']}"
    if facts["risk_tolerance"] is None:
        return f"{level}, and the risk tolerance of {facts['user']} is unknown"
    place = "above" if violation else "within"
    return f"{level}, {place} the risk tolerance of {facts['user']}, {facts['risk_tolerance']}"


def _unrated(facts: Mapping[str, Any], is_violated: bool) -> str:
    if facts["risk"] is not None:
        return f"{facts['name']} has a risk level"
    none = f"{facts['name']} has no risk level"
    if facts["harmless"] is None:
        return f"{none}, and no other product has one"
    if facts["risk_tolerance"] is not None:
        return f"{none}, and the risk tolerance of {facts['user']} is known"
    kind = "an unknown kind" if facts["kind"] is None else f"the kind {quoted(facts['kind'])}"
    if is_violated:
        return f"{none}, is of {kind}, and the risk tolerance of {facts['user']} is unknown"
    return f"{none}, and {kind} needs none"
