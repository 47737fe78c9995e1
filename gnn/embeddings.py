"""The embeddings of a trained model, as the graph stores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embeddings:
    """What a trained model leaves for the graph; see `docs/model.md` for the formula.

    With q(u) = own(u) + sum of the messages of the counted neighbours of u, cut into `heads`
    blocks of `dim` numbers each, every block brought to unit length, the score of product i is
    q(u) . product_vectors[i] + bias[i] + the sum of the links to i from the products that u holds.
    """

    heads: int
    dim: int
    """Width of one head."""
    user_gids: NDArray[np.int64]
    product_gids: NDArray[np.int64]
    user_ids: tuple[str, ...]
    """Of the snapshot; a vector is only ever stored on a node with both this gid and this id."""
    product_ids: tuple[str, ...]
    user_counted: NDArray[np.int64]
    """Shape (num_users,); fingerprint of the counted neighbours in the snapshot, made by
    `kinfolio.gnn.fingerprints.fingerprints(snapshot)`; a user whose fingerprint in the graph is
    another has changed since and is folded in."""
    user_vectors: NDArray[np.float32]
    """Shape (num_users, heads * dim); unit blocks, or zeros where nothing is known."""
    product_vectors: NDArray[np.float32]
    """Shape (num_products, heads * dim); unit blocks divided by the head's temperature."""
    bias: NDArray[np.float32]
    """Shape (num_products,); the popularity term, of mean 0."""
    general: NDArray[np.float32]
    """Shape (heads * dim,); what people hold in general, which adds to a user of whom something is
    known as many times as the root of the number of holdings and weighted ties, or once."""
    tie_weight: float
    """What a tie counts in that number; a holding counts 1."""
    user_own: NDArray[np.float32]
    """Shape (num_users, heads * dim); what the user's own text adds; zeros where there is none."""
    user_messages: NDArray[np.float32]
    """Shape (num_users, heads * dim); what a tie to this user adds."""
    product_messages: NDArray[np.float32]
    """Shape (num_products, heads * dim); what holding this product adds."""
    link_offsets: NDArray[np.int64]
    """Shape (num_products + 1,); the links from product n are those from `link_offsets[n]` on."""
    link_products: NDArray[np.int32]
    """Shape (num_links,); index of the product that a link goes to."""
    link_weights: NDArray[np.float32]
    """Shape (num_links,); what holding the one adds to the score of the other; never negative."""
    model: str
    """Name of the model, for people."""
    metrics: str
    """JSON text of the run's figures."""
    snapshot: str
    """Hash of the snapshot the model was trained on."""
