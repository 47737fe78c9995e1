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
    `valid` or `test`) do not count. The path has the names of the standard model, whatever the
    graph calls them.

    Args:
        graph: the graph.
        path: nodes and relationships in turn, beginning and ending with a node.
        user_id: the asker.
    """
    if not path or path[0].id is None or len(path) % 2 == 0:
        return False
    rows = graph.read("explain_path_start", label=path[0].label, id=path[0].id)
    nodes = [row["node"] for row in rows]
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
