"""Inventory of a graph: labels, types and properties, sampled if it is large. Read-only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.mapping.names import OWN_LABEL, OWN_TYPES, own_properties
from kinfolio.errors import NotReady

SAMPLE = 5_000
"""Maximum number of nodes per label and relationships per type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A property in a sample."""

    name: str
    filled: int
    types: tuple[str, ...]
    least: Any
    """Any: a value of the property."""
    most: Any
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """A type and two labels that it connects."""

    type: str
    source: str
    target: str
    links: int
    """Relationships between the two, extrapolated from the sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Labels, types and properties of a graph."""

    labels: dict[str, int]
    types: dict[str, int]
    ends: tuple[Endpoints, ...]
    keys: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    """By label."""
    link_keys: dict[tuple[str, str, str], tuple[Key, ...]] = field(default_factory=dict)
    """By type and both labels."""

    def keys_of(self, ends: Endpoints) -> tuple[Key, ...]:
        """Return the properties of the relationships between two labels."""
        return self.link_keys[ends.type, ends.source, ends.target]


def inspect(graph: Graph) -> Inventory:
    """Return the inventory of a graph without kinfolio's own names.

    Raises:
        NotReady: it has no relationships.
    """
    labels = {row["label"]: row["nodes"] for row in graph.read("map_labels")}
    labels.pop(OWN_LABEL, None)
    rows = graph.read("map_types")
    types = {row["type"]: row["links"] for row in rows if row["type"] not in OWN_TYPES}
    if not types:
        raise NotReady(
            "the graph has no relationships and thus no holdings; type: kinfolio load FOLDER"
        )
    ends = [
        Endpoints(
            type=kind,
            source=row["source"],
            target=row["target"],
            links=round(row["links"] / min(total, SAMPLE) * total),
        )
        for kind, total in types.items()
        for row in graph.read("map_endpoints", type=kind, sample=SAMPLE)
    ]
    return Inventory(
        labels=labels,
        types=types,
        ends=tuple(ends),
        keys={
            label: _keys(graph.read("map_node_keys", label=label, sample=SAMPLE))
            for label in labels
        },
        link_keys={
            (kind, source, target): _keys(
                graph.read("map_link_keys", type=kind, source=source, target=target, sample=SAMPLE)
            )
            for kind, source, target in ((one.type, one.source, one.target) for one in ends)
        },
    )


def _keys(rows: list[dict[str, Any]]) -> tuple[Key, ...]:
    return tuple(
        Key(
            name=row["key"],
            filled=row["filled"],
            types=tuple(sorted(row["types"])),
            least=row["least"],
            most=row["most"],
            longest=row["longest"] or 0,
        )
        for row in rows
        if row["key"] not in own_properties()
    )
