"""Embeddings into the graph as a new version, in the slot that does not serve.

Filled, indexed, counted and measured first, then made active in one transaction: a crash at any
point leaves the old version serving, and the next write-back fills the slot again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.vectors import takes_vectors
from kinfolio.errors import BadConfig, NotReady, ServerError
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.publishing.records import WrittenBack
from kinfolio.gnn.publishing.slot_index import await_index, make_index, measure_index
from kinfolio.gnn.publishing.slots import NodeKind, Writer, clear, keep_hold, nodes_there, taken
from kinfolio.gnn.publishing.stored_rows import (
    Batch,
    link_batches,
    markets_of,
    product_batches,
    product_rows,
    row_length,
    user_batches,
)
from kinfolio.gnn.publishing.versions import activate, found_versions
from kinfolio.records import Progress, Slot, no_progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_WIDTH = 4_096
"""Of a vector index of Neo4j."""
_STORE = {
    "users": ("write_back_users", "write_back_users_lists"),
    "products": ("write_back_products", "write_back_products_lists"),
}


def write_back(
    graph: Graph,
    embeddings: Embeddings,
    *,
    name: str | None = None,
    progress: Progress = no_progress,
) -> WrittenBack:
    """What was stored as the version that serves from now on.

    Args:
        graph: the graph that they were trained on; it may have grown or shrunk since.
        embeddings: what training left.
        name: of the version; None makes one from the time.
        progress: is told of each step.

    Raises:
        BadConfig: the name is taken, or the vectors are too wide.
        NotReady: the graph is not the one of the snapshot, or another write-back is at work.
    """
    start = time.perf_counter()
    _check_finite(embeddings)
    products = product_rows(embeddings)
    if products.shape[1] > MAX_WIDTH:
        raise BadConfig(
            f"vectors of {products.shape[1]} numbers are wider than the {MAX_WIDTH} that a "
            "vector index takes; train again with a smaller --dim or fewer heads"
        )
    graph.schema("write_back_slots")
    found = {version["slot"]: version for version in found_versions(graph)}
    slot = _idle(found)
    version = _new_version(embeddings, name, slot, found)
    stale_products, is_product, countries = _compare(
        graph, slot, "products", embeddings.product_gids, embeddings.product_ids
    )
    stale_users, is_user, _ = _compare(
        graph, slot, "users", embeddings.user_gids, embeddings.user_ids
    )
    markets = markets_of(countries)
    with taken(graph, slot, found.get(slot), version) as writer:
        # Made anew: other dimensions need it, and filling at once beats 17,000 updates.
        graph.schema("write_back_drop_index", slot=slot)
        clear(graph, writer, "products", stale_products)
        clear(graph, writer, "users", stale_users)
        as_vectors = takes_vectors(graph)
        num_products, num_linked, done = int(is_product.sum()), 0, 0
        total = num_products + int(is_user.sum())
        step = f"writing into slot {slot}"
        progress(step, done, total)
        for size in _write(
            graph,
            writer,
            product_batches(embeddings, products, is_product, markets, slot, as_vectors=as_vectors),
            as_vectors,
        ):
            done += size
            progress(step, done, total)
        # The server fills the index on one core while the rest is written on the other.
        make_index(graph, writer, products.shape[1])
        for batch in link_batches(embeddings, is_product):
            progress("writing links", 0, 0)
            _write_one(graph, writer, "write_back_similar", batch)
            num_linked += batch.size
        for size in _write(
            graph,
            writer,
            user_batches(embeddings, is_user, slot, as_vectors=as_vectors),
            as_vectors,
        ):
            done += size
            progress(step, done, total)
        await_index(graph, writer, num_products, progress)
        stored = _counted(graph, slot, is_product, is_user, num_linked)
        progress("measuring the index", 0, 1)
        quality = measure_index(embeddings, products, is_product, is_user, graph, slot)
        progress("measuring the index", 1, 1)
        ready = graph.write(
            "write_back_ready",
            writer=writer.token,
            users=int(stored["with_vector"]),
            products=num_products,
            open_share=stored["open_share"],
            risk_levels=stored["risk_levels"],
            length=row_length(products),
            linked=num_linked,
            recall=quality.recall,
            fetch=quality.fetch,
            markets=sorted(
                {market for market, is_in in zip(markets, is_product, strict=True) if is_in}
            ),
        )
        if not ready:
            raise writer.lost()
        activate(graph, version["name"])
    return WrittenBack(
        version=version["name"],
        slot=slot,
        users=int(stored["with_vector"]),
        products=num_products,
        index_recall_at_10=quality.recall,
        seconds=round(time.perf_counter() - start, 3),
    )


def _check_finite(embeddings: Embeddings) -> None:
    for numbers in (
        embeddings.product_vectors,
        embeddings.bias,
        embeddings.product_messages,
        embeddings.user_vectors,
        embeddings.user_messages,
        embeddings.general,
        embeddings.user_own,
        embeddings.link_weights,
    ):
        if not np.isfinite(numbers).all():
            raise NotReady(
                "the model holds numbers that are not finite; train it again with a lower --lr"
            )


def _idle(found: dict[Slot, dict[str, Any]]) -> Slot:
    active = next((slot for slot, version in found.items() if version["state"] == "active"), None)
    if active is not None:
        return "b" if active == "a" else "a"
    # Nothing serves: an empty or half-written slot before one that could be gone back to.
    states = {slot: found.get(slot, {}).get("state", "") for slot in ("a", "b")}
    return "b" if states["a"] == "ready" != states["b"] else "a"


def _new_version(
    embeddings: Embeddings, name: str | None, slot: Slot, found: dict[Slot, dict[str, Any]]
) -> dict[str, Any]:
    now = datetime.now(UTC)
    # What was cut off in this slot is replaced, so its name is free.
    taken_names = {
        version["name"]
        for place, version in found.items()
        if place != slot or version["state"] != "writing"
    }
    if name is None:
        name = stem = now.strftime("%Y%m%d-%H%M%S")
        while name in taken_names:
            name = f"{stem}-{int(name.removeprefix(stem).lstrip('-') or 1) + 1}"
    if not name.strip() or not name.isprintable() or name in taken_names:
        raise BadConfig(f"{name!r} cannot name a version: give a name that none has yet")
    return {
        "name": name,
        "slot": slot,
        "model": embeddings.model,
        "similarity": "dot",
        "heads": embeddings.heads,
        "dim": embeddings.dim,
        "general": embeddings.general.astype(np.float64).tolist(),
        "tie_weight": embeddings.tie_weight,
        "property": f"embedding_{slot}",
        "index": f"product_embedding_{slot}",
        "metrics": embeddings.metrics,
        "created_at": now.isoformat(timespec="milliseconds"),
        "snapshot": embeddings.snapshot,
        "users": 0,
        "products": 0,
    }


def _compare(
    graph: Graph, slot: Slot, kind: NodeKind, gids: NDArray[np.int64], ids: tuple[str, ...]
) -> tuple[list[int], NDArray[np.bool_], list[list[Any]]]:
    """The gids to take old vectors off; which rows are in the graph; countries of each.

    Raises:
        NotReady: a node of the same gid has another id, or none of them is there.
    """
    row_of = {int(gid): row for row, gid in enumerate(gids)}
    is_there = np.zeros(len(gids), np.bool_)
    countries: list[list[Any]] = [[]] * len(gids)
    stale = []
    for gid, node_id, is_filled, sold in nodes_there(graph, slot, kind):
        row = row_of.get(gid)
        if row is None:
            if is_filled:
                stale.append(gid)
        elif ids[row] != node_id:
            raise NotReady(
                f"the graph is not the one the model was trained on (number {gid} of its {kind} "
                f"is {node_id!r}, the snapshot says {ids[row]!r}); "
                "export and train again, or load the folder of the snapshot"
            )
        else:
            is_there[row] = True
            countries[row] = sold
    if not is_there.any() and (kind == "products" or len(gids)):
        raise NotReady(
            f"the graph holds none of the {len(gids):,} {kind} the model was trained on; "
            "type: kinfolio load FOLDER, then export and train"
        )
    return stale, is_there, countries


def _write(
    graph: Graph, writer: Writer, batches: Iterator[Batch], as_vectors: bool
) -> Iterator[int]:
    """Write batch by batch: the number of nodes of each."""
    for batch in batches:
        name, name_with_lists = _STORE[batch.kind]
        _write_one(graph, writer, name if as_vectors else name_with_lists, batch)
        yield batch.size


def _write_one(graph: Graph, writer: Writer, name: str, batch: Batch) -> None:
    answer = graph.write(name, slot=writer.slot, writer=writer.token, **batch.parameters)
    if answer[0]["written"] == 0:
        keep_hold(graph, writer)


def _counted(
    graph: Graph,
    slot: Slot,
    is_product: NDArray[np.bool_],
    is_user: NDArray[np.bool_],
    num_linked: int,
) -> dict[str, Any]:  # Any: columns of a statement
    """What is in the slot, when the graph holds what was sent.

    Raises:
        ServerError: it does not; users or products were changed meanwhile.
    """
    stored = graph.read("write_back_counts", slot=slot)[0]
    sent = {
        "products": ("products", int(is_product.sum())),
        "products with links": ("linked", num_linked),
        "users": ("users", int(is_user.sum())),
    }
    for kind, (column, number) in sent.items():
        if stored[column] != number:
            raise ServerError(
                f"{number:,} {kind} were sent and {stored[column]:,} are in slot {slot}: the graph "
                "was changed meanwhile; type: kinfolio writeback"
            )
    return stored
