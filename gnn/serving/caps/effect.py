"""What a cap does to one product: its place in the lists of a user, and the rule `cap`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.caps.caps import ListCaps, Per, cut_rows
from kinfolio.gnn.serving.recommend import read_list
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.user_state import read_user_state
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.records import Verdict, WhyNot


@dataclass(frozen=True, slots=True, kw_only=True)
class CapEffect:
    """The place of an eligible product in lists under a cap that are long enough."""

    at_most: int
    per: Per
    rank: int | None
    """None: the lists leave it out."""
    rank_without: int
    reason: str | None
    """Why it is left out, like "2 of kind bond are in the list already"."""


def cap_effect(
    graph: Graph, found: WhyNot, caps: ListCaps, *, rules: Sequence[Rule] = ()
) -> CapEffect | None:
    """Return what a cap does to the product of `why_not`; None: it is on no list anyway.

    `rules`: own rules, those of the call of `why_not`.
    """
    if not found.allowed or found.rank is None:
        return None
    # Without `fetch` the search is exact: an index might miss the product.
    state = replace(read_user_state(graph, found.user, found.version), fetch=None)
    rows, _ = read_list(graph, state, found.rank, conditions_of(rules))
    places = [place for place, row in enumerate(rows) if row["product"] == found.product]
    if not places:
        return None
    rows = rows[: places[0] + 1]
    kept, left_out = cut_rows(graph, rows, caps, len(rows))
    is_out = bool(left_out) and left_out[-1][0] == places[0]
    return CapEffect(
        at_most=caps.at_most,
        per=caps.per,
        rank=None if is_out else len(kept),
        rank_without=len(rows),
        reason=left_out[-1][1] if is_out else None,
    )


def why_not_capped(
    graph: Graph, user_id: str, product_id: str, caps: ListCaps, *, rules: Sequence[Rule] = ()
) -> WhyNot:
    """Return the answer of `why_not` with the verdict of the cap: the rule `cap`.

    The cap passes where a list that is long enough has the product; `rank` is that without the cap.
    """
    found = why_not(graph, user_id, product_id, rules=rules)
    verdict = _verdict(cap_effect(graph, found, caps, rules=rules), caps)
    return replace(found, allowed=found.allowed and verdict.passed, rules=(*found.rules, verdict))


def _verdict(effect: CapEffect | None, caps: ListCaps) -> Verdict:
    if effect is not None and effect.reason is not None:
        return Verdict(rule="cap", passed=False, reason=effect.reason)
    if effect is not None and effect.rank != effect.rank_without:
        moved = f"it is at rank {effect.rank} instead of {effect.rank_without}"
        return Verdict(
            rule="cap", passed=True, reason=f"{moved}: the cap leaves out better products"
        )
    reason = f"fewer than {caps.at_most} better products are of its {caps.per}"
    return Verdict(rule="cap", passed=True, reason=reason)
