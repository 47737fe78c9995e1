"""A user's best allowed products: by the vector index where that is faster, else over all of them.

The index is asked for more than is wanted, and for twice as many as long as the rules leave too
few; what it finds is put to the rules as the graph is now. Which of them are asked while searching
depends on what they left at the write-back. When it cannot fill the list, the exact search does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal
from weakref import WeakKeyDictionary

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, ServerUnreachable, WrongPassword
from kinfolio.gnn.serving.user_state import UserState

EXACT_BELOW = 3_000
"""Products; measured: the two take the same time at some 3,000."""
LINKED = 100
"""Products to which the user's holdings are linked most, looked at besides what the index finds."""
MOST_FETCHED = 3_200
"""Asking the index for more takes longer than the exact search."""
ENOUGH_PASS = 0.5
"""Share of the products: a rule that leaves as many costs less when it is asked afterwards."""

Found = list[dict[str, Any]]
"""Any: product, name and score of each."""
_Asks = Literal["market", "risk", "all"]
_Way = Literal["recommend_index", "recommend_index_nodes"]
_WAYS: tuple[_Way, ...] = ("recommend_index", "recommend_index_nodes")
_known: WeakKeyDictionary[Graph, dict[str | None, _Way]] = WeakKeyDictionary()
"""What server and index were found to understand, for each version."""


def best_products(
    graph: Graph, state: UserState, k: int, conditions: Sequence[str] = ()
) -> tuple[Found, Literal["exact", "index"]]:
    """The k best allowed products, and how they were found.

    Args:
        state: of the user; a version must serve.
        graph: the database.
        k: how many.
        conditions: own rules, as Cypher about `u` and `p`.
    """
    if state.fetch is not None and state.products > EXACT_BELOW:
        found = _by_index(state, graph, k, state.fetch, conditions)
        if found is not None:
            return found, "index"
    return graph.read(
        "recommend_exact",
        slot=state.slot,
        conditions=tuple(conditions),
        user_id=state.user,
        query=state.query,
        width=state.width,
        length=state.length,
        k=k,
    ), "exact"


def _by_index(
    state: UserState, graph: Graph, k: int, fetch: int, conditions: Sequence[str]
) -> Found | None:
    # All that is held may stand before the first product of the list.
    n = max(fetch, 2 * k, k + state.out)
    if n > MOST_FETCHED:
        return None
    asks, share = _worth_asking(state)
    answer = _asked(state, graph, k, min(math.ceil(n / share), MOST_FETCHED), asks, conditions)
    while answer is not None and len(answer["products"]) < k:
        # The rules left fewer than expected: ask all of them while searching, then for more.
        if asks == "all":
            if answer["seen"] < n or 2 * n > MOST_FETCHED:
                return None
            n *= 2
        asks = "all"
        answer = _asked(state, graph, k, n, asks, conditions)
    if answer is None:
        return None
    return [
        {"product": product, "name": name, "score": score}
        for product, name, score in zip(
            answer["products"], answer["names"], answer["scores"], strict=True
        )
    ]


def _worth_asking(state: UserState) -> tuple[_Asks, float]:
    """What to ask while searching, and the share of the products that the rest left."""
    if state.open_share * state.risk_share >= ENOUGH_PASS:
        return "market", state.open_share * state.risk_share
    if state.open_share >= ENOUGH_PASS:
        return "risk", state.open_share
    return "all", 1.0


def _asked(
    state: UserState, graph: Graph, k: int, n: int, asks: _Asks, conditions: Sequence[str]
) -> dict[str, Any] | None:  # Any: a row of a statement
    parameters = {
        "user_id": state.user,
        "query": state.query,
        "width": state.width,
        "length": state.length,
        "markets": state.markets,
        "risk": state.risk_tolerance,
        "asks": asks,
        "n": n,
        "m": max(LINKED, n) if state.linked else 0,
        "k": k,
    }
    ways = _known.setdefault(graph, {})
    known = ways.get(state.version)
    for way in (known,) if known else _WAYS:
        try:
            rows = graph.read(way, slot=state.slot, conditions=tuple(conditions), **parameters)
        except (ServerUnreachable, WrongPassword):
            raise
        except KinfolioError:
            # Not understood by this server, or without an index: then another way, or exactly.
            continue
        ways[state.version] = way
        return rows[0] if rows else {"products": [], "names": [], "scores": [], "seen": 0}
    return None
