"""Errors for users and products that do not exist, with a similar id as a suggestion."""

from __future__ import annotations

import re

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.errors import NotFound, quoted

_DECIMALS = re.compile(r"(?<=\d)\.0*$")
"""Of a whole number that a file has as a float."""


def user_not_found(graph: Graph | Reads, user_id: str) -> NotFound:
    """Return the error for a user that does not exist."""
    return _not_found(graph, "recommend_close_user_ids", "user", user_id)


def product_not_found(graph: Graph | Reads, product_id: str) -> NotFound:
    """Return the error for a product that does not exist."""
    return _not_found(graph, "recommend_close_product_ids", "product", product_id)


def _not_found(graph: Graph | Reads, statement: str, kind: str, node_id: str) -> NotFound:
    integer = re.sub(_DECIMALS, "", node_id)
    similar = [row["id"] for row in graph.read(statement, id=integer)]
    hint = f"did you mean {quoted(similar[0])}?" if similar else f"give the id of a loaded {kind}"
    if similar == [integer] != [node_id]:
        hint = f"there is {quoted(integer)}: a column of whole numbers is stored without decimals"
    return NotFound(f"there is no {kind} {quoted(node_id)} in the graph; {hint}")
