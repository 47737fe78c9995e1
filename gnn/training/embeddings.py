"""From trained heads to what the graph stores, and that on disk."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from torch import Tensor
from torch.nn import functional

from kinfolio.errors import RunBroken
from kinfolio.gnn.blend.blend import Blend, extra_bias
from kinfolio.gnn.blend.reviewers import Reviewers
from kinfolio.gnn.blend.text_block import TextBlock
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.fingerprints import fingerprints
from kinfolio.gnn.model.head import HOPS, FusionHead
from kinfolio.gnn.model.propagation import TIE_WEIGHT
from kinfolio.records import Snapshot
from kinfolio.run import whole_file

MODEL = "kinfolio fusion, linear, text + graph"


def embeddings_of(
    heads: list[FusionHead],
    data: TrainingData,
    snapshot: Snapshot,
    metrics: str,
    blend: Blend,
    links: csr_array | None,
    block: TextBlock | None = None,
    reviewers: Reviewers | None = None,
) -> Embeddings:
    """The heads' vectors, messages and popularity term.

    With D the weighted degree, z_u sqrt(D_u) = sqrt(D_u) p / 3 + sqrt(D_u) x_u / 3 + sum of
    w_un g_n / sqrt(D_n) over the neighbours n: what people hold in general, the user's own part,
    and the messages. The common factor sqrt(D_u) does not change a cosine.
    """
    num_users = data.num_users
    degrees = torch.from_numpy(data.degrees.astype(np.float32)).to(data.matrix.device)
    scale = torch.where(degrees > 0, degrees, 1).sqrt()[:, None]
    users, products, own, messages, general = [], [], [], [], []
    bias = torch.zeros(data.num_products, device=data.matrix.device)
    with torch.no_grad():
        for number, head in enumerate(heads):
            z = functional.normalize(head(data.matrix), dim=1)
            users.append(z[:num_users])
            vectors = z[num_users:] / head.tau
            if reviewers is not None:
                vectors += blend.reviewers * reviewers.rows[number]
            products.append(vectors)
            own.append(head.sent()[:num_users] / (HOPS + 1) * scale[:num_users])
            messages.append(head.messages(data.matrix) / scale)
            general.append(head.general[None] / (HOPS + 1))
            bias += head.bias()
        if block is not None and blend.text:
            users.append(block.users)
            products.append(block.rows(blend.text))
            own.append(torch.zeros_like(block.users))
            general.append(torch.zeros_like(block.users[:1]))
            # A tie says nothing of texts.
            messages.append(
                torch.cat([torch.zeros_like(block.users), block.products.to(bias.device)])
            )
        bias += torch.from_numpy(extra_bias(blend, data)).to(bias.device)
        bias -= bias.mean()
    stored = _numpy(messages)
    added = links if links is not None else _no_links(data.num_products)
    return Embeddings(
        heads=len(users),
        dim=heads[0].dim,
        user_ids=snapshot.user_ids,
        product_ids=snapshot.product_ids,
        user_gids=snapshot.user_gids,
        product_gids=snapshot.product_gids,
        user_counted=fingerprints(snapshot),
        user_vectors=_numpy(users),
        product_vectors=_numpy(products),
        bias=bias.cpu().numpy(),
        general=_numpy(general)[0],
        tie_weight=TIE_WEIGHT,
        user_own=_numpy(own),
        user_messages=stored[:num_users] * np.float32(TIE_WEIGHT),
        product_messages=stored[num_users:],
        link_offsets=added.indptr.astype(np.int64),
        link_products=added.indices.astype(np.int32),
        link_weights=added.data.astype(np.float32),
        model=MODEL,
        metrics=metrics,
        snapshot=snapshot.hash,
    )


def _no_links(num_products: int) -> csr_array:
    return csr_array(coo_array((num_products, num_products), dtype=np.float32))


def _numpy(blocks: list[Tensor]) -> NDArray[np.float32]:
    joined: NDArray[np.float32] = torch.cat(blocks, dim=1).cpu().numpy()
    return joined


def save_embeddings(embeddings: Embeddings, heads: list[FusionHead], path: Path) -> None:
    """Write embeddings and the heads' parameters as one safetensors file, whole or not at all."""
    from safetensors.numpy import save_file

    arrays: dict[str, NDArray[np.generic]] = {}
    meta: dict[str, str] = {}
    for item in fields(Embeddings):
        value = getattr(embeddings, item.name)
        if isinstance(value, np.ndarray):
            arrays[item.name] = np.ascontiguousarray(value)
        else:
            meta[item.name] = json.dumps(value)
    for number, head in enumerate(heads):
        for name, parameter in head.named_parameters():
            arrays[f"head_{number}.{name}"] = parameter.detach().cpu().numpy()
        meta[f"head_{number}.tau"] = json.dumps(head.tau)
    with whole_file(path) as temporary:
        save_file(arrays, temporary, metadata=meta)


def load_embeddings(path: Path) -> Embeddings:
    """The embeddings in a model file.

    Raises:
        RunBroken: the file is damaged or of another version.
    """
    from safetensors import SafetensorError, safe_open

    values: dict[str, object] = {}
    try:
        with safe_open(path, framework="numpy") as stored:
            meta = stored.metadata() or {}
            for item in fields(Embeddings):
                if item.name in meta:
                    value = json.loads(meta[item.name])
                    values[item.name] = tuple(value) if isinstance(value, list) else value
                else:
                    values[item.name] = stored.get_tensor(item.name)
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise RunBroken(
            f"{path} cannot be read as a model ({error}); type: kinfolio train --run {path.parent}"
        ) from error
    return Embeddings(**values)  # type: ignore[arg-type]  # fields as they were saved
