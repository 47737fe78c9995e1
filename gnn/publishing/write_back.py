"""The step `write_back`: store embeddings in the graph as a new version, in the inactive slot.

The slot is filled, indexed, counted and measured, then activated in one transaction: a crash at any
point leaves the old version active, and the next write-back fills the slot again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.environment import operator
from kinfolio.errors import BadConfig, NotReady, if_interrupted, quoted
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.provenance import version_facts
from kinfolio.gnn.publishing.filling import Nodes, SlotFilling
from kinfolio.gnn.publishing.slot_index import IndexQuality, measure_index
from kinfolio.gnn.publishing.slots import NodeKind, read_nodes, write_access
from kinfolio.gnn.publishing.stored_rows import product_rows
from kinfolio.gnn.publishing.trial import try_out
from kinfolio.gnn.publishing.versions import (
    activate,
    awaits_approval,
    found_versions,
    refuse_split,
    settle,
)
from kinfolio.records import NO_TIME, Progress, Slot, no_progress
from kinfolio.run import Run
from kinfolio.tabular import Tabular

MAX_WIDTH = 4_096
"""Limit of a Neo4j vector index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBack(Tabular):
    """Result of one write-back."""

    version: str
    slot: Slot
    users: int
    """Number of users with a vector."""
    products: int
    index_recall_at_10: float | None
    """Recall of the vector index; None without users."""
    seconds: float
    state: Literal["active", "awaits approval"]
    """It awaits approval with `KINFOLIO_APPROVAL=required`; the version before still serves."""
    replaced: str | None
    """The version that awaited approval in the slot, if there was one."""


def write_back(
    graph: Graph,
    embeddings: Embeddings,
    *,
    name: str | None = None,
    progress: Progress = no_progress,
    check_sums: bool = True,
    run: Run | None = None,
    by: str | None = None,
) -> WrittenBack:
    """Store embeddings as a new version, try it out and activate it, unless it awaits approval.

    The graph may have grown or shrunk since the training. Without a name, the version is named by
    the time. `check_sums=False` is for users' vectors that are not the sums of messages. The
    version records `run`, of which the embeddings are, and who writes: `by`, or the operating
    system's user. It replaces one that awaits approval in the slot.

    Raises:
        BadConfig: the name is taken, or the vectors are too wide.
        NotReady: the graph is not the one of the snapshot, another write-back is running, or the
            lists of the new version are wrong, which is then not activated.
    """
    start = time.perf_counter()
    vectors = _checked_rows(embeddings)
    graph.schema("write_back_slots")
    settle(graph)
    # The newest of a slot, which a constraint keeps unique.
    found = {version.get("slot"): version for version in reversed(found_versions(graph))}
    slot = _idle_slot(found)
    refuse_split(found.get(slot))
    in_slot = found.get(slot, {})
    replaced = str(in_slot["name"]) if awaits_approval(in_slot) else None
    version = _new_version(embeddings, name, slot, found)
    products = _compare(graph, slot, "products", embeddings.product_gids, embeddings.product_ids)
    users = _compare(graph, slot, "users", embeddings.user_gids, embeddings.user_ids)
    version |= version_facts(graph, embeddings, run, operator(by), progress)
    version["unsummed"] = None if check_sums else True
    with (
        if_interrupted(
            f"version {quoted(version['name'])} is incomplete and does not serve, the one before "
            "still does; the next kinfolio writeback replaces it"
        ),
        write_access(graph, slot, found.get(slot), version) as writer,
    ):
        filling = SlotFilling(graph, writer, embeddings, vectors, products, users, progress)
        num_users, quality = _fill(filling, version["name"], check_sums)
    if not version["awaits_approval"]:
        with if_interrupted("the version is whole; kinfolio versions tells which one serves"):
            activate(graph, version["name"])
    return WrittenBack(
        version=version["name"],
        slot=slot,
        users=num_users,
        products=products.count,
        index_recall_at_10=quality.recall,
        seconds=round(time.perf_counter() - start, 3),
        state="awaits approval" if version["awaits_approval"] else "active",
        replaced=replaced,
    )


def _fill(filling: SlotFilling, name: str, check_sums: bool) -> tuple[int, IndexQuality]:
    """Fill, measure and try a slot; return the number of users with a vector, and the index's."""
    graph, embeddings, vectors = filling.graph, filling.embeddings, filling.vectors
    products, users = filling.products.is_present, filling.users.is_present
    num_linked = filling.write()
    stored = filling.count(num_linked)
    filling.progress("measuring the index", 0, 1)
    quality = measure_index(embeddings, vectors, products, users, graph, filling.writer.slot)
    filling.progress("measuring the index", 1, 1)
    filling.describe(stored, quality)
    filling.progress("trying the new version", 0, 1)
    try_out(graph, name, embeddings, vectors, users, check_sums)
    filling.progress("trying the new version", 1, 1)
    filling.mark_ready()
    return int(stored["with_vector"]), quality


def _checked_rows(embeddings: Embeddings) -> NDArray[np.float32]:
    """Return `product_rows` of a model that the graph can store and serve."""
    _check_model(embeddings)
    vectors = product_rows(embeddings)
    if vectors.shape[1] > MAX_WIDTH:
        raise BadConfig(
            f"vectors of {vectors.shape[1]} numbers are wider than the {MAX_WIDTH} that a "
            "vector index takes; train again with a smaller --dim or fewer heads"
        )
    return vectors


def _check_model(embeddings: Embeddings) -> None:
    width = embeddings.heads * embeddings.dim
    rows = {"user": len(embeddings.user_gids), "product": len(embeddings.product_gids)}
    for name in (
        "user_vectors",
        "user_own",
        "user_messages",
        "product_vectors",
        "product_messages",
    ):
        shape = getattr(embeddings, name).shape
        if shape != (rows[name.split("_")[0]], width):
            raise NotReady(
                f"the model is damaged: its {name} are {' x '.join(map(str, shape))} numbers, not "
                f"{rows[name.split('_')[0]]} x heads {embeddings.heads} x dim {embeddings.dim}; "
                "train it again"
            )
    if embeddings.global_user.shape != (width,):
        raise NotReady(
            f"the model is damaged: its global user has {embeddings.global_user.size} numbers, not "
            f"heads {embeddings.heads} x dim {embeddings.dim}; train it again"
        )
    for field in fields(embeddings):
        numbers = getattr(embeddings, field.name)
        if isinstance(numbers, np.ndarray) and not np.isfinite(numbers).all():
            raise NotReady(
                "the model has numbers that are not finite; train it again with a lower --lr"
            )


def _idle_slot(found: dict[Any, dict[str, Any]]) -> Slot:
    active = next(
        (slot for slot, version in found.items() if version.get("state") == "active"), None
    )
    if active is not None:
        return "b" if active == "a" else "a"
    # No active version: an empty or half-written slot before one that rollback could activate.
    states = {slot: found.get(slot, {}).get("state", "") for slot in ("a", "b")}
    return "b" if states["a"] == "ready" != states["b"] else "a"


def _new_version(
    embeddings: Embeddings, name: str | None, slot: Slot, found: dict[Any, dict[str, Any]]
) -> dict[str, Any]:
    now = datetime.now(UTC)
    # An interrupted version in this slot is replaced, so its name is free.
    taken_names = {
        version.get("name")
        for other, version in found.items()
        if other != slot or version.get("state") != "writing"
    }
    if name is None:
        name = stem = now.strftime("%Y%m%d-%H%M%S")
        while name in taken_names:
            name = f"{stem}-{int(name.removeprefix(stem).lstrip('-') or 1) + 1}"
    if not name.strip() or not name.isprintable() or name in taken_names:
        raise BadConfig(f"{quoted(name)} cannot name a version: give a name that none has yet")
    return {
        "name": name,
        "slot": slot,
        "model": embeddings.model,
        "similarity": "dot",
        "heads": embeddings.heads,
        "dim": embeddings.dim,
        "general": embeddings.global_user.astype(np.float64).tolist(),
        "tie_weight": embeddings.tie_weight,
        "property": f"embedding_{slot}",
        "index": f"product_embedding_{slot}",
        "metrics": embeddings.metrics,
        "created_at": now.isoformat(timespec="milliseconds"),
        "snapshot": embeddings.snapshot,
        "cut": None if embeddings.cut == NO_TIME else embeddings.cut,
        "users": 0,
        "products": 0,
    }


def _compare(
    graph: Graph, slot: Slot, kind: NodeKind, gids: NDArray[np.int64], ids: tuple[str, ...]
) -> Nodes:
    """Compare the nodes of the embeddings with those of the graph.

    Raises:
        NotReady: a node of the same gid has another id, or none of the nodes is in the graph.
    """
    row_of = {int(gid): row for row, gid in enumerate(gids)}
    is_present = np.zeros(len(gids), np.bool_)
    countries: list[list[Any]] = [[]] * len(gids)
    stale = []
    for gid, node_id, is_filled, sold in read_nodes(graph, slot, kind):
        row = row_of.get(gid)
        if row is None:
            if is_filled:
                stale.append(gid)
        elif ids[row] != node_id:
            raise NotReady(
                f"the graph is not the one the model was trained on (number {gid} of its {kind} "
                f"is {quoted(node_id)}, in the snapshot {quoted(ids[row])}); "
                "export and train again, or load the folder of the snapshot"
            )
        else:
            is_present[row] = True
            countries[row] = sold
    if not is_present.any() and (kind == "products" or len(gids)):
        raise NotReady(
            f"the graph has none of the {len(gids):,} {kind} the model was trained on; "
            "type: kinfolio load FOLDER, then export and train"
        )
    return Nodes(stale, is_present, countries)
