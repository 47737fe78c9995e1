"""What is said when a user or a product does not exist, with an id that looks like it."""

from __future__ import annotations

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotFound


def unknown_user(graph: Graph, user_id: str) -> NotFound:
    """The error for a user that does not exist."""
    return _unknown(graph, "recommend_close_user_ids", "user", user_id)


def unknown_product(graph: Graph, product_id: str) -> NotFound:
    """The error for a product that does not exist."""
    return _unknown(graph, "recommend_close_product_ids", "product", product_id)


def _unknown(graph: Graph, statement: str, kind: str, wanted: str) -> NotFound:
    near = graph.read(statement, id=wanted)
    cure = f"did you mean {near[0]['id']!r}?" if near else f"give the id of a loaded {kind}"
    return NotFound(f"there is no {kind} {wanted!r} in the graph; {cure}")
