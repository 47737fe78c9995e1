"""Versions of the embeddings in the graph: list, activate, roll back, drop."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotFound, NotReady
from kinfolio.gnn.publishing.slots import clear, read_nodes, write_access
from kinfolio.records import Slot
from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Tabular):
    """One set of embeddings in the graph."""

    name: str
    slot: Slot
    state: Literal["writing", "ready", "active"]
    model: str = ""
    heads: int = 0
    dim: int = 0
    users: int = 0
    products: int = 0
    created_at: str = ""
    snapshot: str = ""
    metrics: str = "{}"


def list_versions(graph: Graph) -> tuple[Version, ...]:
    """Return all versions in the graph, newest first; at most one a slot."""
    return tuple(_version(found) for found in found_versions(graph))


def found_versions(graph: Graph) -> list[dict[str, Any]]:
    """Return the properties of all versions, newest first, including a writer's own."""
    return [row["version"] for row in graph.read("version_list")]


def activate(graph: Graph, name: str) -> None:
    """Activate a ready version in place of the active one, in one transaction.

    Raises:
        NotReady: there is no ready version of that name.
    """
    if not graph.write("version_activate", version=name):
        raise NotReady(f"version {name!r} is not ready to serve; type: kinfolio versions")


def rollback(graph: Graph) -> Version:
    """Activate the other version and return it.

    Raises:
        NotReady: there is no other version.
    """
    for version in list_versions(graph):
        if version.state == "ready":
            activate(graph, version.name)
            return next(v for v in list_versions(graph) if v.name == version.name)
    raise NotReady(
        "there is no other version to go back to; `kinfolio versions` lists what there is, "
        "and the next `kinfolio writeback` keeps the one that serves now"
    )


def drop(graph: Graph, name: str) -> Version:
    """Remove a version: its vectors, index, stored lists and node.

    Raises:
        NotFound: there is no version of that name.
        BadConfig: it is the active one.
        NotReady: it is being written.
    """
    found = {version["name"]: version for version in found_versions(graph)}
    if name not in found:
        names = ", ".join(repr(other) for other in found) or "none at all"
        raise NotFound(f"there is no version {name!r} in the graph; there is {names}")
    version = _version(found[name])
    if version.state == "active":
        raise BadConfig(
            f"version {name!r} serves now and cannot be dropped; "
            "type: kinfolio versions rollback, or write another back first"
        )
    with write_access(graph, version.slot, found[name], asdict(version)) as writer:
        graph.schema("version_forget_lists", version=name)
        graph.schema("write_back_drop_index", slot=version.slot)
        for kind in ("users", "products"):
            nodes = read_nodes(graph, version.slot, kind)
            clear(graph, writer, kind, [gid for gid, _, is_filled, _ in nodes if is_filled])
        if not graph.write("version_delete", writer=writer.token):
            raise writer.lost()
    return version


def _version(found: dict[str, Any]) -> Version:
    return Version(**{key: found[key] for key in Version.__dataclass_fields__ if key in found})
