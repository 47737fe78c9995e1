"""The vector index of a slot: create it, wait for it, measure its recall."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, ServerBusy, ServerError, ServerUnreachable, WrongPassword
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.publishing.index_changes import change_index
from kinfolio.gnn.publishing.stored_rows import with_bias
from kinfolio.records import Progress, Slot, no_progress

RECALL_AT = 10
RECALL_USERS = 100
MIN_RECALL, MIN_RECALL_OF_MANY = 0.995, 0.99
MANY_PRODUCTS = 50_000
"""Above this number of products, the lower recall is sufficient: the higher one takes too long."""
FETCHES = (50, 100, 150, 200, 300, 500, 800)
"""Numbers of products to request, until recall is sufficient."""
INDEX_SECONDS = 3_600
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.05, 0.5
SCORE_TOLERANCE = 1e-5
"""Scores closer than this are equal to the index, which computes in 32 bits."""


@dataclass(frozen=True, slots=True)
class IndexQuality:
    """Recall of the index."""

    recall: float | None
    """Recall@10 at `fetch` requested products, or at the most tried; None without users."""
    fetch: int | None
    """Number of products to request; None: recall is insufficient, search exactly."""


def drop_unfit_index(graph: Graph, slot: Slot, width: int) -> None:
    """Drop the slot's index if it failed or has another width.

    Otherwise it remains: after a change of the schema the server plans every statement again, at
    once for all callers.
    """
    if not _is_fit(graph, slot, width):
        change_index(graph, "write_back_drop_index", slot)


def _is_fit(graph: Graph, slot: Slot, width: int) -> bool:
    states = graph.read("write_back_index_state", index=f"product_embedding_{slot}")
    return bool(states) and states[0]["state"] != "FAILED" and states[0]["width"] == width


def make_index(graph: Graph, slot: Slot, width: int) -> None:
    """Create the slot's index; the server fills it in the background."""
    try:
        change_index(graph, "write_back_index", slot, width=width)
    except (ServerBusy, ServerUnreachable, WrongPassword):
        raise
    except KinfolioError:
        # The server does not support these index settings (5.26).
        change_index(graph, "write_back_index_plain", slot, width=width)


def await_index(
    graph: Graph,
    slot: Slot,
    num_products: int,
    progress: Progress = no_progress,
    beat: Callable[[], None] = lambda: None,
) -> None:
    """Wait until the slot's index is filled; `beat` is called meanwhile.

    Raises:
        ServerError: it failed, or took longer than an hour.
    """
    progress("filling the index", 0, num_products)
    index = f"product_embedding_{slot}"
    give_up, wait = time.monotonic() + INDEX_SECONDS, FIRST_POLL_SECONDS
    while time.monotonic() < give_up:
        beat()
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
        time.sleep(wait)
        wait = min(1.5 * wait, LAST_POLL_SECONDS)
    raise ServerError(
        f"the index {index} was not filled in {INDEX_SECONDS} seconds; "
        "give the server more memory and run kinfolio writeback again"
    )


def rebuild_index(graph: Graph, slot: Slot, width: int, num_products: int) -> bool:
    """Build the slot's index again if it is missing, failed or of another width."""
    if _is_fit(graph, slot, width):
        return False
    change_index(graph, "write_back_drop_index", slot)
    make_index(graph, slot, width)
    await_index(graph, slot, num_products)
    return True


def measure_index(
    embeddings: Embeddings,
    products: NDArray[np.float32],
    is_product: NDArray[np.bool_],
    is_user: NDArray[np.bool_],
    graph: Graph,
    slot: Slot,
) -> IndexQuality:
    """Measure recall@10 of the index for up to 100 users.

    A product with the score of the tenth best counts as one of the ten.
    """
    users = np.flatnonzero(is_user & embeddings.user_vectors.any(axis=1))
    stored = np.flatnonzero(is_product)
    if not len(users):
        return IndexQuality(None, None)
    sample = users[np.unique(np.linspace(0, len(users) - 1, RECALL_USERS).astype(int))]
    queries = with_bias(embeddings.user_vectors[sample])
    scores = queries.astype(np.float64) @ products[stored].T.astype(np.float64)
    k = min(RECALL_AT, len(stored))
    least = np.partition(scores, -k, axis=1)[:, -k]
    column = {int(gid): place for place, gid in enumerate(embeddings.product_gids[stored])}
    enough = MIN_RECALL if len(stored) <= MANY_PRODUCTS else MIN_RECALL_OF_MANY
    recall = 0.0
    for fetch in FETCHES:
        hits = 0
        for row in nearest(graph, slot, queries.tolist(), fetch):
            of_user = scores[row["row"]]
            places = [column[gid] for gid in row["found"] if gid in column]
            hits += min(k, int((of_user[places] >= least[row["row"]] - SCORE_TOLERANCE).sum()))
        recall = round(hits / (k * len(sample)), 6)
        if recall >= enough:
            return IndexQuality(recall, fetch)
        if fetch >= len(stored):
            break
    return IndexQuality(recall, None)


def nearest(
    graph: Graph, slot: Slot, rows: list[list[float]], fetch: int
) -> list[dict[str, Any]]:  # Any: rows of a statement
    """Return the nearest products of each row in the slot's index."""
    try:
        return graph.read("write_back_nearest", slot=slot, rows=rows, width=len(rows[0]), k=fetch)
    except (ServerUnreachable, WrongPassword):
        raise
    except ServerError:
        return graph.read("write_back_nearest_nodes", slot=slot, rows=rows, k=fetch)
