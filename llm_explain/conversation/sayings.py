"""Lines that fixed patterns read, before the router: facts, forms of an explanation, the course.

Each has a name of its own inside the conversation; outside it has the intent that is closest.
"""

from __future__ import annotations

import re

from kinfolio.llm_explain.conversation.language.patterns import pattern
from kinfolio.llm_explain.conversation.lookup import State, last_product
from kinfolio.llm_explain.conversation.replies.facts import ASPECTS

INTENT_OF: dict[str, str] = {
    "start_over": "recommend",
    "go_back": "recommend",
    "shorter": "why_this",
    "longer": "why_this",
    "against": "why_this",
    "would_change": "what_if",
    "my_holdings": "my_data",
    "own_property": "why_this",
    **dict.fromkeys(ASPECTS, "why_this"),
}
"""The router's intent of each saying."""
_RISK_WISHES = ("safer", "riskier", "lowest_risk", "low_risk", "medium_risk", "high_risk")
_ABOUT_LISTS = frozenset({None, "recommend", "start_over", "go_back"})


def find_saying(line: str, state: State) -> str | None:
    """Return the saying of a line with masked names; None for a line that the router reads."""
    for name in ("start_over", "go_back"):
        if pattern(name).search(line):
            return name
    is_about_last = state.get("last_intent") not in _ABOUT_LISTS and last_product(state)
    for name in ("shorter", "longer"):
        if is_about_last and pattern(name).search(line) and len(line.split()) <= 8:
            return name
    is_about_influence = pattern("about_influence").search(line)
    for name in ("would_change", "my_holdings", "against"):
        if pattern(name).search(line) and not (name == "my_holdings" and is_about_influence):
            return name
    if not state.get("pending_intent") and re.fullmatch(r"fund\W*", line, re.IGNORECASE):
        return "fact_about"
    if pattern("no_fact").search(line):
        return None
    if pattern("own_part").search(line):
        return "my_data"
    is_wish = any(pattern(name).search(line) for name in (*_RISK_WISHES, "risk_level"))
    for name in ASPECTS:
        if pattern(name).search(line) and not (name == "fact_risk" and is_wish):
            return name
    return None


def contract_intent(intent: str) -> str:
    """Return the intent of the router's list that an answer has outside."""
    return INTENT_OF.get(intent, intent)
