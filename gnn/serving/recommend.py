"""The products with the highest score for a user, under the eligibility rules.

Products that are held, dismissed, closed, not sold in the user's country, above the user's risk
tolerance or excluded by an own rule are never recommended; unknown counts as not eligible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.errors import BadConfig
from kinfolio.gnn.serving.not_found import product_not_found
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.search import best_products, ranked
from kinfolio.gnn.serving.user_state import UserState, read_user_state
from kinfolio.records import Recommendations

Warn = Callable[[str], None]

MAX_K = 1_000
EXCLUDED = {
    "held": "are held already",
    "dismissed": "were dismissed",
    "closed": "are closed",
    "country": "are not sold in the user's country",
    "risk": "are above the user's risk tolerance",
    "own": "are ruled out by rules of your own",
    "new": "came after the training and have no vector yet",
}
"""Wording of each reason in the warning about a short list."""


def recommend(
    graph: Graph,
    user_id: str,
    k: int = 10,
    *,
    rules: Sequence[Rule] = (),
    warn: Warn | None = None,
) -> Recommendations:
    """Return the user's list, best first; shorter than k if fewer products are eligible.

    Own rules apply in addition to the built-in ones. With `warn`, runs up to two extra queries and
    calls it with each warning about the list.

    Raises:
        NotFound: there is no such user.
        BadConfig: k is not between 1 and 1,000.
    """
    check_k(k)
    state = read_user_state(graph, user_id)
    conditions = conditions_of(rules)
    if state.version is None:
        search = None
        rows = graph.read("recommend_popular", conditions=conditions, user_id=state.user, k=k)
    else:
        rows, search = best_products(graph, state, k, conditions)
    if warn is not None:
        for warning in _warnings(graph, state, len(rows), k, conditions):
            warn(warning)
    return Recommendations(
        user=state.user,
        version=state.version,
        search=None if state.source == "popularity" else search,
        source=state.source,
        products=ranked(rows),
    )


def score_of(graph: Graph, user_id: str, product_id: str) -> float | None:
    """Return the score of one product for a user; None if it has no vector.

    Ignores the eligibility rules.

    Raises:
        NotFound: there is no such user or product.
    """
    return score_for(graph, read_user_state(graph, user_id), product_id)


def score_for(graph: Graph | Reads, state: UserState, product_id: str) -> float | None:
    """Like `score_of`, for a user whose state was already read."""
    if state.version is None:
        rows = graph.read("recommend_holders", product_ids=[product_id])
        scores = [float(row["holders"]) for row in rows]
    else:
        rows = graph.read("recommend_score", product_ids=[product_id], **state.parameters)
        scores = [row["score"] for row in rows]
    if not scores:
        raise product_not_found(graph, product_id)
    return scores[0]


def check_k(k: int) -> None:
    """Validate the length of a list.

    Raises:
        BadConfig: it is out of range.
    """
    if not 1 <= k <= MAX_K:
        raise BadConfig(f"-k is {k}; give a number of products from 1 to {MAX_K:,}")


def _warnings(
    graph: Graph, state: UserState, found: int, k: int, conditions: tuple[str, ...]
) -> list[str]:
    warnings = []
    if state.version is None:
        warnings.append(
            "no embeddings are in the graph yet, so this is what most people hold; "
            "type: kinfolio writeback"
        )
    if state.risk_tolerance is None or state.country is None:
        limits = graph.read("recommend_restrictions")[0]
        if state.risk_tolerance is None and limits["has_risk"]:
            warnings.append(
                f"the risk tolerance of {state.user} is unknown, so products with a risk level are "
                "left out"
            )
        if state.country is None and limits["has_countries"]:
            warnings.append(
                f"the country of {state.user} is unknown, so products sold in certain countries "
                "only are left out"
            )
    if found < k:
        excluded = graph.read(
            "recommend_excluded",
            slot=state.slot,
            conditions=conditions,
            user_id=state.user,
            is_compared=state.version is not None,
        )
        reasons = ", ".join(f"{row['products']:,} {EXCLUDED[row['rule']]}" for row in excluded)
        warnings.append(
            f"{found} of {k} asked for: " + (reasons or "the graph holds no more products")
        )
    return warnings
