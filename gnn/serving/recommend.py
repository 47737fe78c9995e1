"""The products with the highest score for a user, under the eligibility rules.

Products that are held, dismissed, closed, not sold in the user's country, above the user's risk
tolerance or excluded by an own rule are never recommended; unknown counts as not eligible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.errors import BadConfig, quoted
from kinfolio.gnn.serving.not_found import product_not_found
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.search import Found, Warn, best_products, ranked
from kinfolio.gnn.serving.user_state import UserState, read_user_state
from kinfolio.gnn.version_state import damaged
from kinfolio.records import Recommendations, Recommended

MAX_K = 1_000
EXCLUDED = {
    "held": "are held already",
    "dismissed": "were dismissed",
    "closed": "are closed",
    "country": "are not sold in the user's country",
    "risk": "are above the user's risk tolerance",
    "unrated": "have no risk level, which the user's unknown risk tolerance requires",
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
    rows, search = read_list(graph, state, k, conditions, warn)
    products = ranked(rows)
    if warn is not None:
        warn_about(graph, state, products, k, conditions, warn)
    return Recommendations(
        user=state.user,
        version=state.version,
        search=None if state.source == "popularity" else search,
        source=state.source,
        split=state.split,
        products=products,
    )


def read_list(
    graph: Graph,
    state: UserState,
    k: int,
    conditions: tuple[str, ...],
    warn: Warn | None = None,
) -> tuple[Found, Literal["exact", "index"] | None]:
    """Return the k best products for a user whose state was read, and the kind of search."""
    if state.version is not None:
        return best_products(graph, state, k, conditions, warn)
    rows = graph.read(
        "recommend_popular",
        conditions=conditions,
        user_id=state.user,
        harmless=state.harmless,
        k=k,
    )
    return rows, None


def warn_about(
    graph: Graph,
    state: UserState,
    products: Sequence[Recommended],
    k: int,
    conditions: tuple[str, ...],
    warn: Warn,
) -> None:
    """Call `warn` with each warning about a list. Runs up to two extra queries."""
    if negative := sum(one.score < 0 for one in products):
        warn(
            f"{negative} of {len(products)} products have a negative score: what is known rather "
            "speaks against them"
        )
    for warning in _warnings(graph, state, len(products), k, conditions):
        warn(warning)


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
    else:
        rows = graph.read("recommend_score", product_ids=[product_id], **state.parameters)
    if not rows:
        raise product_not_found(graph, product_id)
    if state.version is None:
        return float(rows[0]["holders"])
    return finite_score(rows[0]["score"], state, product_id)


def finite_score(score: float | None, state: UserState, product_id: str) -> float | None:
    """Return a score that was read.

    Raises:
        VersionDamaged: it is not a finite number.
    """
    if score is not None and not math.isfinite(score):
        raise damaged(
            state.version,
            f"the vector of product {quoted(product_id)} or a link to it is not finite",
        )
    return score


def check_k(k: int, noun: str = "products") -> None:
    """Validate the length of a list.

    Raises:
        BadConfig: it is out of range.
    """
    if not 1 <= k <= MAX_K:
        raise BadConfig(f"-k is {k}; give a number of {noun} from 1 to {MAX_K:,}")


def _warnings(
    graph: Graph, state: UserState, found: int, k: int, conditions: tuple[str, ...]
) -> list[str]:
    warnings = []
    if state.version is None:
        found_versions = graph.read("version_list")
        problem = "no version is active" if found_versions else "no embeddings are in the graph yet"
        cure = "kinfolio versions" if found_versions else "kinfolio writeback"
        warnings.append(f"{problem}, so this is what most people hold; type: {cure}")
    if state.risk_tolerance is None or state.country is None:
        limits = graph.read("recommend_restrictions")[0]
        if state.risk_tolerance is None and limits["has_risk"]:
            warnings.append(
                f"the risk tolerance of {state.user} is unknown, so products with a risk level are "
                "left out, and those without one unless they are of a harmless kind"
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
            harmless=state.harmless,
            is_compared=state.version is not None,
        )
        reasons = ", ".join(f"{row['products']:,} {EXCLUDED[row['rule']]}" for row in excluded)
        warnings.append(
            f"{found} of {k} asked for: " + (reasons or "the graph holds no more products")
        )
    return warnings
