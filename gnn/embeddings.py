"""The embeddings of a trained model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kinfolio.records import NO_TIME


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embeddings:
    """What a trained model writes to the graph; `docs/model.md` has the formula.

    With q(u) = own(u) + sum of the messages of the counted neighbours of u + the global user, cut
    into `heads` blocks of `dim` numbers, each normalised to unit length, the score of product i is
    q(u) . product_vectors[i] + bias[i] + the sum of the links to i from the products that u holds.
    """

    heads: int
    dim: int
    """Width of one head."""
    user_gids: NDArray[np.int64]
    product_gids: NDArray[np.int64]
    user_ids: tuple[str, ...]
    """Ids in the snapshot; a vector is stored only on a node with both this gid and this id."""
    product_ids: tuple[str, ...]
    user_fingerprints: NDArray[np.int64]
    """Shape (num_users,); fingerprint of the counted neighbours in the snapshot, by
    `kinfolio.gnn.fingerprints`; a user whose fingerprint in the graph differs is folded in."""
    user_vectors: NDArray[np.float32]
    """Shape (num_users, heads * dim); unit blocks, or zeros for unknown users."""
    product_vectors: NDArray[np.float32]
    """Shape (num_products, heads * dim); unit blocks divided by the head's temperature."""
    bias: NDArray[np.float32]
    """Shape (num_products,); the popularity term, of mean 0."""
    global_user: NDArray[np.float32]
    """Shape (heads * dim,); the global mean user (prior). A user of whom something is known adds it
    sqrt(holdings + tie_weight * ties) times, or once."""
    tie_weight: float
    """Weight of a tie in that number; that of a holding is 1."""
    user_own: NDArray[np.float32]
    """Shape (num_users, heads * dim); what the user's own text adds; zeros without text."""
    user_messages: NDArray[np.float32]
    """Shape (num_users, heads * dim); what a tie to this user adds."""
    product_messages: NDArray[np.float32]
    """Shape (num_products, heads * dim); what holding this product adds."""
    link_offsets: NDArray[np.int64]
    """Shape (num_products + 1,); links from product n start at `link_offsets[n]`."""
    link_products: NDArray[np.int32]
    """Shape (num_links,); index of the product that a link points to."""
    link_weights: NDArray[np.float32]
    """Shape (num_links,); what holding one product adds to the score of the other, at least 0."""
    model: str
    """Name of the model."""
    metrics: str
    """Metrics of the run, as JSON text."""
    snapshot: str
    """Hash of the snapshot the model was trained on."""
    cut: int = NO_TIME
    """Ties dated later did not count in the training; milliseconds since 1970, or `NO_TIME`."""
    recipe: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    """Bytes of the recipe for new products, see `gnn/recipe.py`; empty in models of before."""
    reference: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    """Bytes of the distributions of the training, see `gnn/reference.py`; empty in models of
    before."""
