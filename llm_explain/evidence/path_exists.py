"""Check that a path of an explanation exists in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kinfolio.records import Step

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph


def path_exists(graph: Graph, path: Sequence[Step], user_id: str) -> bool:
    """Return whether the graph contains the path.

    A node without an id matches any node of its label except the user's own. Held-out
    relationships (split `valid` or `test`) do not count.

    The path alternates nodes and relationships, in the names of the standard model.
    """
    if not path or path[0].id is None or len(path) % 2 == 0:
        return False
    nodes = [
        row["node"] for row in graph.read("explain_path_start", label=path[0].label, id=path[0].id)
    ]
    names = graph.names
    pairs = names.pairs(path)
    for (kind, relationship), (end, node) in zip(pairs[1::2], pairs[2::2], strict=True):
        if not nodes or kind.type is None or end.label is None:
            break
        rows = graph.read(
            "explain_path_step",
            nodes=nodes,
            type=relationship.type,
            split=names.split(kind.type),
            is_out=relationship.direction == "out",
            label=node.label,
            key=names.key(end.label),
            id=node.id,
            user_id=user_id,
        )
        nodes = [row["node"] for row in rows]
    return bool(nodes)
