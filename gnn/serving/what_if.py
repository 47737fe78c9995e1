"""Lists under wishes and under suppositions: as if some holdings were gone, or there.

Ranked over all products by the formula that `recommend` has, so a wish never hides a better product
that an index had not fetched, and a supposition gives what the list would be after the change.
Nothing is written. Own rules see the user's true holdings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady
from kinfolio.gnn.serving.not_found import unknown_product, unknown_user
from kinfolio.gnn.serving.recommend import check_k, score_for
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.user_state import UserState, read_user_state
from kinfolio.records import Recommendations, Recommended, Source, WhatIf, Wishes

NO_WISHES = Wishes()


def recommend_wished(
    graph: Graph, user_id: str, wishes: Wishes, k: int = 10, *, rules: Sequence[Rule] = ()
) -> Recommendations:
    """The best products that the rules allow and the wishes name, best first.

    Raises:
        NotFound: there is no such user.
        NotReady: no version serves.
        BadConfig: k is out of range.
    """
    check_k(k)
    state = _state(user_id, graph)
    return Recommendations(
        user=state.user,
        version=state.version,
        search="exact",
        source=state.source,
        products=_products(state, state.query, graph, k, wishes, (), (), rules),
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
    """The list, and the score of a product, if some holdings were not there and others were.

    Args:
        user_id: the user's own key.
        graph: the database.
        without: products taken as not held.
        added: products taken as held.
        product_id: whose score is wanted before and after.
        k: length of the list.
        rules: own rules besides those that always hold.

    Raises:
        NotFound: there is no such user or product.
        NotReady: no version serves.
        BadConfig: k is out of range.
    """
    check_k(k)
    state = _state(user_id, graph)
    for one in (*without, *added):
        if not graph.read("chat_products", ids=[one], line=""):
            raise unknown_product(graph, one)
    rows = graph.read("what_if_vector", user_id=user_id, without=list(without), added=list(added))
    if not rows:
        raise unknown_user(graph, user_id)
    row = rows[0]
    if row["slot"] != state.slot or row["version"] != state.version:
        raise NotReady("the version changed while this was computed; ask again")
    query = (*row["query"], 1.0, 0.0)
    source: Source = row["source"]
    fresh = tuple(row["added"])
    before = after = None
    if product_id is not None:
        before = score_for(graph, state, product_id)
        after = graph.read(
            "what_if_score",
            slot=state.slot,
            user_id=user_id,
            product_id=product_id,
            without=list(without),
            added=list(fresh),
            query=query,
            width=len(query),
        )[0]["score"]
    return WhatIf(
        user=state.user,
        version=str(state.version),
        source=source,
        without=tuple(without),
        added=tuple(added),
        products=_products(state, query, graph, k, NO_WISHES, without, fresh, rules),
        product=product_id,
        before=before,
        after=after,
    )


def _state(user_id: str, graph: Graph) -> UserState:
    state = read_user_state(graph, user_id)
    if state.version is None:
        raise NotReady("no embeddings are in the graph yet; type: kinfolio writeback")
    return state


def _products(
    state: UserState,
    query: Sequence[float],
    graph: Graph,
    k: int,
    wishes: Wishes,
    without: Sequence[str],
    added: Sequence[str],
    rules: Sequence[Rule],
) -> tuple[Recommended, ...]:
    rows: list[dict[str, Any]] = graph.read(  # Any: a row of a statement
        "what_if_products",
        slot=state.slot,
        conditions=conditions_of(rules),
        user_id=state.user,
        without=list(without),
        added=list(added),
        kinds=list(wishes.kinds),
        not_kinds=list(wishes.not_kinds),
        most_risk=wishes.most_risk,
        left_out=list(wishes.left_out),
        query=query,
        width=len(query),
        length=math.hypot(*query) * state.row_length,
        k=k,
    )
    return tuple(
        Recommended(rank=rank, product=row["product"], name=row["name"], score=row["score"])
        for rank, row in enumerate(rows, 1)
    )
