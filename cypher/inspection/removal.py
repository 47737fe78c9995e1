"""Removal of kinfolio's data from a graph with other names."""

from __future__ import annotations

from dataclasses import dataclass

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.mapping.names import OWN_LABEL, own_properties
from kinfolio.errors import BadConfig, if_interrupted
from kinfolio.records import Progress, no_progress

NODES_AT_ONCE = 5_000
_REMOVING = {
    "users": "map_remove_users",
    "products": "map_remove_products",
    "lists": "map_remove_lists",
}
_DROPPING = {"index": "map_drop_index", "constraint": "map_drop_constraint"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Counts and names of removed objects."""

    users: int
    """Users with removed properties."""
    products: int
    versions: int
    lists: int
    """Relationships of stored lists."""
    indexes: tuple[str, ...]
    """Names of the indexes and constraints."""


def remove(graph: Graph, *, progress: Progress = no_progress) -> Removal:
    """Remove kinfolio's properties, versions, stored lists, indexes and constraints.

    Idempotent: safe to run again after an interruption.

    Raises:
        BadConfig: the graph was opened without a mapping.
    """
    if graph.mapping is None:
        raise BadConfig("the labels to clear are unknown; give the mapping with --mapping FILE")
    counts = {}
    with if_interrupted("a part is removed; to remove the rest, type the same command"):
        # Versions first, so that incomplete data is never served.
        versions = graph.write("map_remove_versions")[0]["removed"]
        indexes = tuple(_drop_indexes(graph))
        for name, statement in _REMOVING.items():
            counts[name] = 0
            while number := graph.write(statement, size=NODES_AT_ONCE)[0]["removed"]:
                counts[name] += number
                progress(f"clearing {name}", counts[name], 0)
    return Removal(versions=versions, indexes=indexes, **counts)


def _drop_indexes(graph: Graph) -> list[str]:
    """Drop indexes and constraints on kinfolio's properties; return their names."""
    mapping = graph.mapping
    assert mapping is not None
    mine = {mapping.users.label, mapping.products.label}
    own = set(own_properties())
    dropped = []
    for row in graph.read("map_constraints"):
        is_own = OWN_LABEL in row["labels"] or (
            mine & set(row["labels"]) and own & set(row["keys"])
        )
        if is_own:
            graph.schema(_DROPPING[row["kind"]], name=row["name"])
            dropped.append(str(row["name"]))
    return dropped
