"""A model as it serves a newer graph: its vectors for the users and products of a later snapshot.

As in the graph, a user is the sum of the messages of what they hold and are tied to now, plus the
global user and what the model knows of their texts. Products that came after the training have no
row here: comparisons leave them out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.evaluation.recommender import link_matrix
from kinfolio.gnn.model.propagation import adjacency
from kinfolio.records import Snapshot


def as_served(
    trained: Embeddings, snapshot: Snapshot, interactions: csr_array
) -> tuple[Embeddings, NDArray[np.bool_]]:
    """Return the embeddings in the order of a snapshot, and which of its products they know.

    Args:
        trained: the model.
        snapshot: of the same graph, later or not.
        interactions: what counts as held: ones, shape (num_users, num_products).
    """
    users = _places(trained.user_gids, trained.user_ids, snapshot.user_gids, snapshot.user_ids)
    products = _places(
        trained.product_gids, trained.product_ids, snapshot.product_gids, snapshot.product_ids
    )
    links = _moved_links(trained, products)
    moved = replace(
        trained,
        user_gids=snapshot.user_gids,
        user_ids=snapshot.user_ids,
        product_gids=snapshot.product_gids,
        product_ids=snapshot.product_ids,
        user_own=_moved(trained.user_own, users),
        user_messages=_moved(trained.user_messages, users),
        product_messages=_moved(trained.product_messages, products),
        product_vectors=_moved(trained.product_vectors, products),
        bias=_moved(trained.bias, products),
        link_offsets=links.indptr.astype(np.int64),
        link_products=links.indices.astype(np.int32),
        link_weights=links.data.astype(np.float32),
    )
    return replace(moved, user_vectors=_user_vectors(moved, snapshot, interactions)), products >= 0


def _places(
    old_gids: NDArray[np.int64],
    old_ids: tuple[str, ...],
    gids: NDArray[np.int64],
    ids: tuple[str, ...],
) -> NDArray[np.int64]:
    """Return the old row of each node; -1 where there is none of the same number and id."""
    row_of = {key: row for row, key in enumerate(zip(old_gids.tolist(), old_ids, strict=True))}
    keys = zip(gids.tolist(), ids, strict=True)
    return np.array([row_of.get(key, -1) for key in keys], np.int64)


def _moved(rows: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the rows at the places; zeros for -1."""
    found = np.zeros((len(places), *rows.shape[1:]), rows.dtype)
    found[places >= 0] = rows[places[places >= 0]]
    return found


def _moved_links(trained: Embeddings, places: NDArray[np.int64]) -> csr_array:
    is_known = places >= 0
    ones = np.ones(int(is_known.sum()), np.float32)
    shape = (len(places), len(trained.product_ids))
    move = csr_array((ones, (np.flatnonzero(is_known), places[is_known])), shape=shape)
    return csr_array(move @ link_matrix(trained) @ move.T)


def _user_vectors(
    model: Embeddings, snapshot: Snapshot, interactions: csr_array
) -> NDArray[np.float32]:
    """Return the sum that a user is, in unit blocks: shape (num_users, heads * dim)."""
    ties, held = snapshot.ties, interactions.tocoo()
    counts = ties.split == 0
    weights, degrees = adjacency(
        snapshot.num_users,
        snapshot.num_products,
        (held.coords[0].astype(np.int32), held.coords[1].astype(np.int32)),
        (ties.source[counts], ties.target[counts]),
    )
    number = snapshot.num_users
    weights, degrees = csr_array(weights[:number]), degrees[:number]
    # A stored message of a user has the weight of a tie already.
    tied = csr_array(weights[:, :number]) @ model.user_messages / np.float32(model.tie_weight)
    total = weights[:, number:] @ model.product_messages + tied + model.user_own
    is_known = total.any(axis=1)
    reach = np.where(degrees > 0, np.sqrt(degrees), 1.0) * is_known
    total += reach[:, None] * model.global_user
    blocks = total.reshape(number, model.heads, model.dim)
    length = np.linalg.norm(blocks, axis=2, keepdims=True)
    unit = np.divide(blocks, length, out=np.zeros_like(blocks), where=length > 1e-12)
    vectors: NDArray[np.float32] = unit.reshape(number, -1).astype(np.float32)
    return vectors
