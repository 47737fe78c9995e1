"""The versions of the embeddings in the graph: which there are, which serves, back, and away."""

from __future__ import annotations

from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotFound, NotReady
from kinfolio.gnn.publishing.records import Version
from kinfolio.gnn.publishing.slots import clear, nodes_there, taken


def list_versions(graph: Graph) -> tuple[Version, ...]:
    """All versions in the graph, newest first; at most one a slot."""
    return tuple(_version(found) for found in found_versions(graph))


def found_versions(graph: Graph) -> list[dict[str, Any]]:
    """Properties of all versions, newest first, with those that only a writer needs."""
    return [row["version"] for row in graph.read("version_list")]


def activate(graph: Graph, name: str) -> None:
    """Let a ready version serve in place of the one that does now, in one transaction.

    Raises:
        NotReady: there is no ready version of that name any more.
    """
    if not graph.write("version_activate", version=name):
        raise NotReady(f"version {name!r} is not ready to serve; type: kinfolio versions")


def rollback(graph: Graph) -> Version:
    """The version that serves now, after going back to the other one.

    Raises:
        NotReady: there is no other version to go back to.
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
    """The version that was removed: its vectors, its index, its stored lists and its node.

    Raises:
        NotFound: there is no version of that name.
        BadConfig: it is the one that serves.
        NotReady: it is being written now.
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
    kept = {key: found[name][key] for key in Version.__dataclass_fields__ if key in found[name]}
    with taken(graph, version.slot, found[name], kept) as writer:
        graph.schema("version_forget_lists", version=name)
        graph.schema("write_back_drop_index", slot=version.slot)
        for kind in ("users", "products"):
            there = nodes_there(graph, version.slot, kind)
            clear(graph, writer, kind, [gid for gid, _, is_filled, _ in there if is_filled])
        if not graph.write("version_delete", writer=writer.token):
            raise writer.lost()
    return version


def _version(found: dict[str, Any]) -> Version:
    return Version(
        name=found["name"],
        slot=found["slot"],
        state=found["state"],
        model=found.get("model", ""),
        heads=found.get("heads", 0),
        dim=found.get("dim", 0),
        users=found.get("users", 0),
        products=found.get("products", 0),
        created_at=found.get("created_at", ""),
        snapshot=found.get("snapshot", ""),
        metrics=found.get("metrics", "{}"),
    )
