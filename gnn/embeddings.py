"""The embeddings of a trained model, and the model file that stores them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import RunBroken
from kinfolio.run import whole_file

_STORED_NAMES = {"user_fingerprints": "user_counted", "global_user": "general"}
"""Names in the model file, where they differ from those of the fields."""


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


def save_embeddings(
    embeddings: Embeddings,
    path: Path,
    *,
    parameters: Mapping[str, NDArray[np.generic]] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a model file (safetensors), whole or not at all.

    Args:
        embeddings: what the graph will store.
        path: of the file.
        parameters: further arrays, such as the parameters of the heads.
        metadata: further entries of the header.
    """
    from safetensors.numpy import save_file

    arrays: dict[str, NDArray[np.generic]] = {}
    header: dict[str, str] = {}
    for item in fields(Embeddings):
        name, value = _STORED_NAMES.get(item.name, item.name), getattr(embeddings, item.name)
        if isinstance(value, np.ndarray):
            arrays[name] = np.ascontiguousarray(value)
        else:
            header[name] = json.dumps(value)
    with whole_file(path) as temporary:
        save_file(
            arrays | dict(parameters or {}), temporary, metadata=header | dict(metadata or {})
        )


def load_embeddings(path: Path) -> Embeddings:
    """Read the embeddings of a model file.

    Raises:
        RunBroken: the file is damaged or of another version.
    """
    from safetensors import SafetensorError, safe_open

    values: dict[str, object] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            for item in fields(Embeddings):
                name = _STORED_NAMES.get(item.name, item.name)
                if name in header:
                    value = json.loads(header[name])
                    values[item.name] = tuple(value) if isinstance(value, list) else value
                else:
                    values[item.name] = file.get_tensor(name)
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise RunBroken(
            f"{path} cannot be read as a model ({error}); type: kinfolio train --run {path.parent}"
        ) from error
    return Embeddings(**values)  # type: ignore[arg-type]  # fields as they were saved
