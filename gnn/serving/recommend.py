"""The products a user is most likely to want, by Cypher, under the rules of what may be offered.

What is held, dismissed, closed, sold elsewhere or above the user's risk tolerance is never offered,
nor what a rule of the deployment's own forbids; unknown counts as not suitable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig
from kinfolio.gnn.serving.not_found import unknown_product
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.search import best_products
from kinfolio.gnn.serving.user_state import UserState, read_user_state
from kinfolio.records import Recommendations, Recommended

Note = Callable[[str], None]

MAX_K = 1_000
REMOVED = {
    "held": "are held already",
    "dismissed": "were dismissed",
    "closed": "are closed",
    "country": "are not sold in the user's country",
    "risk": "are above the user's risk tolerance",
    "own": "are ruled out by rules of your own",
    "new": "came after the training and have no vector yet",
}
"""How the note on a short list names each reason."""


def recommend(
    graph: Graph,
    user_id: str,
    k: int = 10,
    *,
    rules: Sequence[Rule] = (),
    note: Note | None = None,
) -> Recommendations:
    """The user's list, best first.

    Args:
        user_id: the user's own key.
        graph: the database.
        k: length of the list, 1 to 1,000; it is shorter when fewer products are allowed.
        rules: own rules besides those that always hold.
        note: is told, a line each, what a reader of the list should know; it costs a read or two.

    Raises:
        NotFound: there is no such user.
        BadConfig: k is out of range.
    """
    check_k(k)
    state = read_user_state(graph, user_id)
    conditions = conditions_of(rules)
    if state.version is None:
        search = None
        rows = graph.read("recommend_popular", conditions=conditions, user_id=state.user, k=k)
    else:
        rows, search = best_products(graph, state, k, conditions)
    if note is not None:
        if state.version is None:
            note(
                "no embeddings are in the graph yet, so this is what most people hold; "
                "type: kinfolio writeback"
            )
        _note_unknown(graph, state, note)
        if len(rows) < k:
            _note_short(graph, state, len(rows), k, conditions, note)
    return Recommendations(
        user=state.user,
        version=state.version,
        search=None if state.source == "popularity" else search,
        source=state.source,
        products=tuple(
            Recommended(rank=rank, product=row["product"], name=row["name"], score=row["score"])
            for rank, row in enumerate(rows, 1)
        ),
    )


def score_of(graph: Graph, user_id: str, product_id: str) -> float | None:
    """The score of one product for a user, whatever the rules say; None where it has no vector.

    Raises:
        NotFound: there is no such user or product.
    """
    return score_for(graph, read_user_state(graph, user_id), product_id)


def score_for(graph: Graph, state: UserState, product_id: str) -> float | None:
    """The same for a user whose state was read already."""
    if state.version is None:
        rows = graph.read("recommend_holders", product_ids=[product_id])
        scores = [float(row["holders"]) for row in rows]
    else:
        rows = graph.read(
            "recommend_score",
            slot=state.slot,
            user_id=state.user,
            product_ids=[product_id],
            query=state.query,
            width=state.width,
        )
        scores = [row["score"] for row in rows]
    if not scores:
        raise unknown_product(graph, product_id)
    return scores[0]


def check_k(k: int) -> None:
    """Refuse a length of a list that makes no sense.

    Raises:
        BadConfig: it is out of range.
    """
    if not 1 <= k <= MAX_K:
        raise BadConfig(f"-k is {k}; give a number of products from 1 to {MAX_K:,}")


def _note_unknown(graph: Graph, state: UserState, note: Note) -> None:
    if state.risk_tolerance is not None and state.country is not None:
        return
    limits = graph.read("recommend_restrictions")[0]
    if state.risk_tolerance is None and limits["has_risk"]:
        note(
            f"the risk tolerance of {state.user} is unknown, so products with a risk level are "
            "left out"
        )
    if state.country is None and limits["has_countries"]:
        note(
            f"the country of {state.user} is unknown, so products sold in certain countries only "
            "are left out"
        )


def _note_short(
    graph: Graph, state: UserState, found: int, k: int, conditions: tuple[str, ...], note: Note
) -> None:
    removed = graph.read(
        "recommend_excluded",
        slot=state.slot,
        conditions=conditions,
        user_id=state.user,
        is_compared=state.version is not None,
    )
    why = ", ".join(f"{row['products']:,} {REMOVED[row['rule']]}" for row in removed)
    note(f"{found} of {k} asked for: " + (why or "the graph holds no more products"))
