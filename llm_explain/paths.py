"""Whether a path of an explanation is there in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kinfolio.records import Step

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph


def path_exists(graph: Graph, path: Sequence[Step], user_id: str) -> bool:
    """Whether the graph has nodes and relationships in the order of the path.

    A node without an id stands for any node of its label, but never for the asker: at least one
    must be there, and the same one at that place of the whole path. Held-out relationships (split
    `valid` or `test`) do not count.

    Args:
        graph: the graph.
        path: nodes and relationships in turn, beginning and ending with a node.
        user_id: the asker.
    """
    if not path or path[0].id is None or len(path) % 2 == 0:
        return False
    rows = graph.read("explain_start", label=path[0].label, id=path[0].id)
    nodes = [row["node"] for row in rows]
    for relationship, node in zip(path[1::2], path[2::2], strict=True):
        if not nodes or relationship.type is None or node.label is None:
            break
        rows = graph.read(
            "explain_step",
            nodes=nodes,
            type=relationship.type,
            is_out=relationship.direction == "out",
            label=node.label,
            id=node.id,
            user_id=user_id,
        )
        nodes = [row["node"] for row in rows]
    return bool(nodes)
