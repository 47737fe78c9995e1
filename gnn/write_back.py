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
from kinfolio.errors import BadConfig, NotReady, ServerError
from kinfolio.gnn.slots import NodeKind, Writer, clear, keep_hold, nodes_there, taken
from kinfolio.gnn.versions import activate, found_versions
from kinfolio.records import Embeddings, Progress, Slot, WrittenBack, no_progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH_NUMBERS = 500_000
"""Numbers in one transaction: some 2,000 rows of 258."""
MAX_WIDTH = 4_096
"""Of a vector index of Neo4j."""
RECALL_USERS = 200
RECALL_AT = 10
INDEX_SECONDS = 3_600
POLL_SECONDS = 0.1
SCORE_TOLERANCE = 1e-5
"""Scores closer than this are one and the same to the index, which computes in 32 bits."""


def write_back(
    embeddings: Embeddings,
    graph: Graph,
    *,
    name: str | None = None,
    progress: Progress = no_progress,
) -> WrittenBack:
    """What was stored as the version that serves from now on.

    Args:
        embeddings: what training left.
        graph: the graph that they were trained on; it may have grown or shrunk since.
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
    stale_products, is_product = _compare(
        graph, slot, "products", embeddings.product_gids, embeddings.product_ids
    )
    stale_users, is_user = _compare(graph, slot, "users", embeddings.user_gids, embeddings.user_ids)
    with taken(graph, slot, found.get(slot), version) as writer:
        # Made anew: other dimensions need it, and filling at once beats 17,000 updates.
        graph.schema("write_back_drop_index", slot=slot)
        clear(graph, writer, "products", stale_products)
        clear(graph, writer, "users", stale_users)
        total = int(is_product.sum()) + int(is_user.sum())
        done = 0
        for kind, rows in _rows(embeddings, products, is_product, is_user):
            progress(f"writing into slot {slot}", done, total)
            _write(graph, writer, kind, rows)
            done += len(rows)
        progress(f"writing into slot {slot}", total, total)
        _fill_index(graph, writer, products.shape[1], int(is_product.sum()), progress)
        stored = _count(graph, slot, is_product, is_user)
        progress("measuring the index", 0, 1)
        recall = index_recall(embeddings, products, is_product, is_user, graph, slot)
        progress("measuring the index", 1, 1)
        ready = graph.write(
            "write_back_ready",
            writer=writer.token,
            users=stored,
            products=int(is_product.sum()),
            recall=recall,
        )
        if not ready:
            raise writer.lost()
        activate(graph, version["name"])
    return WrittenBack(
        version=version["name"],
        slot=slot,
        users=stored,
        products=int(is_product.sum()),
        index_recall_at_10=recall,
        seconds=round(time.perf_counter() - start, 3),
    )


def product_rows(embeddings: Embeddings) -> NDArray[np.float32]:
    """What is stored of each product: vector, bias, and what brings all rows to one length.

    With rows of one length, nearest by cosine is best by score, so a cosine index serves.

    Returns:
        float32, shape (num_products, heads * dim + 2).
    """
    scored = np.column_stack([embeddings.product_vectors, embeddings.bias]).astype(np.float64)
    squares = (scored**2).sum(axis=1)
    longest = max(float(squares.max(initial=0.0)), 1.0)
    return np.column_stack([scored, np.sqrt(longest - squares)]).astype(np.float32)


def index_recall(
    embeddings: Embeddings,
    products: NDArray[np.float32],
    is_product: NDArray[np.bool_],
    is_user: NDArray[np.bool_],
    graph: Graph,
    slot: Slot,
) -> float | None:
    """Part of the exact ten best products that the index finds, over up to 200 users.

    A product that scores as the tenth best counts as one of the ten. None without users.
    """
    known = np.flatnonzero(is_user & embeddings.user_vectors.any(axis=1))
    if not len(known):
        return None
    chosen = known[np.unique(np.linspace(0, len(known) - 1, RECALL_USERS).astype(int))]
    queries = _with_bias(embeddings.user_vectors[chosen])
    stored = np.flatnonzero(is_product)
    scores = queries.astype(np.float64) @ products[stored].T.astype(np.float64)
    k = min(RECALL_AT, len(stored))
    least = np.partition(scores, -k, axis=1)[:, -k]
    rows = graph.read(
        "write_back_found", slot=slot, rows=queries.tolist(), width=products.shape[1], k=k
    )
    column = {int(gid): place for place, gid in enumerate(embeddings.product_gids[stored])}
    hits = sum(
        scores[row["row"], column[gid]] >= least[row["row"]] - SCORE_TOLERANCE
        for row in rows
        for gid in row["found"]
    )
    return round(float(hits) / (k * len(chosen)), 6)


def _check_finite(embeddings: Embeddings) -> None:
    for numbers in (
        embeddings.product_vectors,
        embeddings.bias,
        embeddings.product_messages,
        embeddings.user_vectors,
        embeddings.user_messages,
        embeddings.user_own,
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
) -> tuple[list[int], NDArray[np.bool_]]:
    """The gids to take old vectors off, and which rows of the model are in the graph.

    Raises:
        NotReady: a node of the same gid has another id, or none of them is there.
    """
    row_of = {int(gid): row for row, gid in enumerate(gids)}
    is_there = np.zeros(len(gids), np.bool_)
    stale = []
    for gid, node_id, is_filled in nodes_there(graph, slot, kind):
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
    if not is_there.any() and (kind == "products" or len(gids)):
        raise NotReady(
            f"the graph holds none of the {len(gids):,} {kind} the model was trained on; "
            "type: kinfolio load FOLDER, then export and train"
        )
    return stale, is_there


def _with_bias(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    ends = np.tile(np.array([1.0, 0.0], np.float32), (len(vectors), 1))
    return np.hstack([vectors, ends]).astype(np.float32)


def _rows(
    embeddings: Embeddings,
    products: NDArray[np.float32],
    is_product: NDArray[np.bool_],
    is_user: NDArray[np.bool_],
) -> Iterator[tuple[NodeKind, list[dict[str, Any]]]]:
    """What is sent to the graph, a transaction's worth at a time."""
    size = max(1, BATCH_NUMBERS // products.shape[1])
    places = np.flatnonzero(is_product)
    for start in range(0, len(places), size):
        yield (
            "products",
            [
                {
                    "gid": int(embeddings.product_gids[row]),
                    "id": embeddings.product_ids[row],
                    "embedding": products[row].tolist(),
                    "message": _unless_zero(embeddings.product_messages[row]),
                }
                for row in places[start : start + size]
            ],
        )
    places = np.flatnonzero(is_user)
    for start in range(0, len(places), size):
        yield "users", [_user(embeddings, row) for row in places[start : start + size]]


def _user(embeddings: Embeddings, row: int) -> dict[str, Any]:
    vector = _unless_zero(embeddings.user_vectors[row])
    return {
        "gid": int(embeddings.user_gids[row]),
        "id": embeddings.user_ids[row],
        "counted": int(embeddings.user_counted[row]),
        "embedding": None if vector is None else [*vector, 1.0, 0.0],
        "message": _unless_zero(embeddings.user_messages[row]),
        "own": _unless_zero(embeddings.user_own[row]),
    }


def _unless_zero(vector: NDArray[np.float32]) -> list[float] | None:
    return vector.tolist() if vector.any() else None


def _write(graph: Graph, writer: Writer, kind: NodeKind, rows: list[dict[str, Any]]) -> None:
    answer = graph.write(f"write_back_{kind}", slot=writer.slot, rows=rows, writer=writer.token)
    if answer[0]["written"] == 0:
        keep_hold(graph, writer)


def _fill_index(
    graph: Graph, writer: Writer, width: int, num_products: int, progress: Progress
) -> None:
    progress("filling the index", 0, num_products)
    graph.schema("write_back_index", slot=writer.slot, width=width)
    index = f"product_embedding_{writer.slot}"
    give_up = time.monotonic() + INDEX_SECONDS
    while time.monotonic() < give_up:
        keep_hold(graph, writer)
        states = graph.read("write_back_index_state", index=index)
        if not states or states[0]["state"] == "FAILED":
            raise ServerError(
                f"the database could not fill the index {index}; see its log, then type: "
                "kinfolio writeback"
            )
        if states[0]["state"] == "ONLINE":
            progress("filling the index", num_products, num_products)
            return
        progress("filling the index", int(states[0]["percent"] / 100 * num_products), num_products)
        time.sleep(POLL_SECONDS)
    raise ServerError(
        f"the index {index} was not filled in {INDEX_SECONDS} seconds; "
        "give the server more memory and run kinfolio writeback again"
    )


def _count(
    graph: Graph, slot: Slot, is_product: NDArray[np.bool_], is_user: NDArray[np.bool_]
) -> int:
    """The number of users with a vector, when the graph holds what was sent.

    Raises:
        ServerError: it does not; users or products were changed meanwhile.
    """
    stored = graph.read("write_back_counts", slot=slot)[0]
    sent = {"products": int(is_product.sum()), "users": int(is_user.sum())}
    for kind, number in sent.items():
        if stored[kind] != number:
            raise ServerError(
                f"{number:,} {kind} were sent and {stored[kind]:,} are in slot {slot}: the graph "
                "was changed meanwhile; type: kinfolio writeback"
            )
    return int(stored["with_vector"])
