"""Users of a subgraph to export: those that a statement returns, or those around a user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, TypeVar

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, BadInput, NotFound, quoted

GIDS_PER_QUERY = 2_000
"""Users or products in one query."""

_Id = TypeVar("_Id", int, str)


def users_of_statement(graph: Graph, statement: str) -> list[int]:
    """Return the row numbers of the users that a custom statement returns, ascending.

    It runs in a read-only transaction. Its column `user`, or its first one, contains nodes of users
    or their ids.

    Raises:
        BadInput: it writes, or returns something else.
    """
    columns, rows = graph.run_text("--subgraph", statement)
    if not columns:
        raise BadInput("--subgraph returns nothing; end it with RETURN and the users")
    column = "user" if "user" in columns else columns[0]
    values = [row[columns.index(column)] for row in rows]
    ids: set[str] = set()
    nodes: set[str] = set()
    for value in values:
        if isinstance(value, str):
            ids.add(value)
        elif getattr(value, "labels", None) is not None:
            nodes.add(value.element_id)
        else:
            raise BadInput(
                f"the column {quoted(column)} of --subgraph gives {_format(value)}; "
                "users were expected, as nodes or as their ids"
            )
    found: set[int] = set()
    found_ids: set[str] = set()
    found_nodes: set[str] = set()
    for some_ids, some_nodes in zip_longest(parts(ids), parts(nodes)):
        row = graph.read("export_named_users", ids=some_ids or [], nodes=some_nodes or [])[0]
        found.update(row["gids"], row["node_gids"])
        found_ids.update(row["ids"])
        found_nodes.update(row["nodes"])
    if ids - found_ids:
        raise NotFound(
            f"--subgraph gives the text {quoted(min(ids - found_ids))}, which is no user's id; "
            "return users as nodes or as their ids"
        )
    if nodes - found_nodes:
        raise BadInput(
            f"--subgraph gives {len(nodes - found_nodes)} nodes that are no users; "
            "return users only"
        )
    if not found:
        raise BadInput("--subgraph gives no users; try the statement in a browser first")
    return sorted(found)


def users_around(graph: Graph, user: str, hops: int) -> list[int]:
    """Return the row numbers of the users at most `hops` from a user, itself included, ascending.

    A hop is a tie of either direction, or a product that both users hold.

    Raises:
        NotFound: there is no such user.
        BadConfig: `hops` is below 0.
    """
    if hops < 0:
        raise BadConfig(f"--hops is {hops}; 0 or more was expected")
    start = graph.read("export_named_users", ids=[user], nodes=[])[0]["gids"]
    if not start:
        raise NotFound(f"there is no user {quoted(user)} in the graph; check --around")
    found, frontier = set(start), set(start)
    seen_products: set[int] = set()
    for _ in range(hops):
        users = _collect(graph, "export_tied_users", frontier)
        products = _collect(graph, "export_held_products", frontier) - seen_products
        seen_products |= products
        frontier = (users | _collect(graph, "export_holders", products)) - found
        found |= frontier
        if not frontier:
            break
    return sorted(found)


def products_of_users(graph: Graph, users: list[int]) -> list[int]:
    """Return the row numbers of the products that users hold or have reviewed, ascending."""
    return sorted(_collect(graph, "export_products_of_users", users))


def parts(ids: Iterable[_Id], size: int = GIDS_PER_QUERY) -> Iterator[list[_Id]]:
    """Sort ids or row numbers and split them into lists for one query each."""
    ordered = sorted(ids)
    for first in range(0, len(ordered), size):
        yield ordered[first : first + size]


def _collect(graph: Graph, name: str, gids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for some in parts(gids):
        found.update(graph.read(name, gids=some)[0]["gids"])
    return found


def _format(value: Any) -> str:
    # Any: a value of any type that a statement can return.
    return "nothing (null)" if value is None else f"{str(value)[:60]!r}"
