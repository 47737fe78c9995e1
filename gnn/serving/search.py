"""A user's best eligible products, by the vector index where that is faster, else exactly.

Requests more products from the index than the list needs, and twice as many while the rules leave
too few. The rules are applied to the current graph; which of them apply inside the index search
depends on the shares of products that passed at write-back. If the index cannot fill the list, the
exact search does.

A product with a damaged vector fails a statement that compares it. `read_compared` then finds such
products and runs the statement without them: a sound graph pays nothing for the check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal
from weakref import WeakKeyDictionary

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, ServerUnreachable, WrongPassword, quoted
from kinfolio.gnn.serving.user_state import UserState
from kinfolio.gnn.version_state import ServedVersion, damaged
from kinfolio.records import Recommended

EXACT_BELOW = 3_000
"""Number of products; measured: both searches take the same time at about 3,000."""
LINKED = 100
"""Products with the strongest links from the user's holdings, scored besides the index's."""
MOST_FETCHED = 3_200
"""Larger requests to the index take longer than the exact search."""
ENOUGH_PASS = 0.5
"""Share of the products: a rule that passes more costs less after the search than inside it."""

NAMED = 3
"""Damaged products that a message names."""

Found = list[dict[str, Any]]
"""Any: product, name and score of each."""
Warn = Callable[[str], None]
"""Called with a warning about the list."""
_Inside = Literal["market", "risk", "all"]
_Statement = Literal["recommend_index", "recommend_index_nodes"]
_STATEMENTS: tuple[_Statement, ...] = ("recommend_index", "recommend_index_nodes")
_supported: WeakKeyDictionary[Graph, dict[str | None, _Statement]] = WeakKeyDictionary()
"""The statement that server and index support, for each version."""


def best_products(
    graph: Graph,
    state: UserState,
    k: int,
    conditions: Sequence[str] = (),
    warn: Warn | None = None,
) -> tuple[Found, Literal["exact", "index"]]:
    """Return the k best eligible products by the active version, and the kind of search.

    `conditions` are own rules, as Cypher about `u` and `p`.
    """
    if state.fetch is not None and state.products > EXACT_BELOW:
        found = _by_index(graph, state, k, state.fetch, conditions)
        if found is not None:
            return found, "index"
    parameters = state.parameters | {"conditions": tuple(conditions), "k": k}
    return read_compared(graph, state.served, "recommend_exact", parameters, warn), "exact"


def read_compared(
    graph: Graph,
    served: ServedVersion,
    name: str,
    parameters: dict[str, Any],  # Any: as `Graph.read` takes them
    warn: Warn | None = None,
) -> Found:
    """Return the rows of a statement that compares the vectors of all products.

    Products with damaged vectors are left out, with a warning that names some.

    Raises:
        VersionDamaged: a link between products is damaged.
    """
    rows, error = _try_compared(graph, name, parameters | {"damaged": []})
    if rows is not None:
        return rows
    damage = graph.read(
        "version_damaged_products",
        slot=served.slot,
        width=parameters["width"],
        length=served.row_length,
    )[0]
    if damage["vectors"]:
        rows, error = _try_compared(graph, name, parameters | {"damaged": damage["vectors"]})
    if damage["links"] and rows is None:
        raise damaged(served.name, f"{name_some(damage['links'])} with damaged links") from error
    if rows is None:
        raise error or damaged(served.name, "a score is not a finite number")
    if warn is not None:
        warn(
            f"left out: {name_some(damage['vectors'])} with damaged vectors; "
            f"version {quoted(served.name)} is damaged; type: kinfolio versions check"
        )
    return rows


def _try_compared(
    graph: Graph, name: str, parameters: dict[str, Any]
) -> tuple[Found | None, KinfolioError | None]:
    """Return the rows if all scores are finite, or the server's error."""
    try:
        rows = graph.read(name, **parameters)
    except (ServerUnreachable, WrongPassword):
        raise
    except KinfolioError as error:
        return None, error
    return (rows if all(math.isfinite(row.get("score", 0.0)) for row in rows) else None), None


def name_some(products: Sequence[str]) -> str:
    """Return the number of some products and the first few ids."""
    more = ", ..." if len(products) > NAMED else ""
    noun = "product" if len(products) == 1 else "products"
    return f"{len(products):,} {noun} ({', '.join(map(repr, products[:NAMED]))}{more})"


def ranked(rows: Iterable[dict[str, Any]]) -> tuple[Recommended, ...]:
    """Convert rows of products, best first, to the lines of a list."""
    return tuple(
        Recommended(rank=rank, product=row["product"], name=row["name"], score=row["score"])
        for rank, row in enumerate(rows, 1)
    )


def _by_index(
    graph: Graph, state: UserState, k: int, fetch: int, conditions: Sequence[str]
) -> Found | None:
    # All products that the user holds may rank before the first product of the list.
    n = max(fetch, 2 * k, k + state.out)
    if n > MOST_FETCHED:
        return None
    inside, share = _rules_inside(state)
    row = _query_index(graph, state, k, min(math.ceil(n / share), MOST_FETCHED), inside, conditions)
    while row is not None and len(row["products"]) < k:
        # The rules left fewer than expected: apply all of them inside the search, then widen it.
        if inside == "all":
            if row["seen"] < n or 2 * n > MOST_FETCHED:
                return None
            n *= 2
        inside = "all"
        row = _query_index(graph, state, k, n, inside, conditions)
    if row is None or not all(map(math.isfinite, row["scores"])):
        return None  # the exact search finds the damaged product
    return [
        {"product": product, "name": name, "score": score}
        for product, name, score in zip(row["products"], row["names"], row["scores"], strict=True)
    ]


def _rules_inside(state: UserState) -> tuple[_Inside, float]:
    """Return the rules to apply inside the search, and the share that the others pass."""
    if state.open_share * state.risk_share >= ENOUGH_PASS:
        return "market", state.open_share * state.risk_share
    if state.open_share >= ENOUGH_PASS:
        return "risk", state.open_share
    return "all", 1.0


def _query_index(
    graph: Graph, state: UserState, k: int, n: int, inside: _Inside, conditions: Sequence[str]
) -> dict[str, Any] | None:  # Any: a row of a statement
    parameters = state.parameters | {
        "conditions": tuple(conditions),
        "markets": state.markets,
        "risk": state.risk_tolerance,
        "inside": inside,
        "n": n,
        "m": max(LINKED, n) if state.linked else 0,
        "k": k,
    }
    supported = _supported.setdefault(graph, {})
    statement = supported.get(state.version)
    for name in (statement,) if statement else _STATEMENTS:
        try:
            rows = graph.read(name, **parameters)
        except (ServerUnreachable, WrongPassword):
            raise
        except KinfolioError:
            # Not supported by this server, or the index is missing: try the next, then exactly.
            continue
        supported[state.version] = name
        return rows[0] if rows else {"products": [], "names": [], "scores": [], "seen": 0}
    return None
