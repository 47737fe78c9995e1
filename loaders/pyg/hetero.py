"""A snapshot as PyG's `HeteroData`, for custom models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kinfolio.loaders.pyg.imports import pyg_warnings_ignored
from kinfolio.records import SPLITS, Edges, Snapshot

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData


def to_hetero_data(snapshot: Snapshot) -> HeteroData:
    """Return the graph with node types `user` and `product`; rows are the snapshot's.

    Every edge type has `edge_index` (int64, shape (2, num_edges)), `at` (int64, milliseconds since
    1970 or `NO_TIME`):

    - `(user, holds, product)`: also `rating` (float32, NaN if there is none) and `train_mask`,
      `valid_mask`, `test_mask`. `counted_edge_index` has the training edges only: pass messages
      along it, or held-out edges leak.
    - `(user, tied_to, user)`: directed, with the same masks and `counted_edge_index`.
    - `(user, wrote, product)`: one edge per review, with `text` (list of str), `describes_user` and
      `describes_product` (bool): its use in training.

    `data["product"].text` and `data["product"].name` are lists of str; `gid` is the row number in
    the database.
    """
    import torch

    with pyg_warnings_ignored():
        from torch_geometric.data import HeteroData

    data = HeteroData()
    for kind, ids, gids in (
        ("user", snapshot.user_ids, snapshot.user_gids),
        ("product", snapshot.product_ids, snapshot.product_gids),
    ):
        data[kind].num_nodes = len(ids)
        data[kind].gid = torch.from_numpy(gids.copy())
        data[kind].id = list(ids)
    data["product"].name = list(snapshot.product_names)
    data["product"].text = list(snapshot.product_texts)
    _add_edges(data, ("user", "holds", "product"), snapshot.holdings)
    data["user", "holds", "product"].rating = torch.from_numpy(snapshot.holdings.rating.copy())
    _add_edges(data, ("user", "tied_to", "user"), snapshot.ties)
    reviews = snapshot.reviews
    wrote = data["user", "wrote", "product"]
    wrote.edge_index = torch.from_numpy(
        np.stack([reviews.user, reviews.product]).astype(np.int64, copy=False)
    )
    wrote.at = torch.from_numpy(reviews.at.copy())
    wrote.text = list(reviews.text)
    wrote.describes_user = torch.from_numpy(reviews.describes_user.copy())
    wrote.describes_product = torch.from_numpy(reviews.describes_product.copy())
    return data


def _add_edges(data: HeteroData, kind: tuple[str, str, str], edges: Edges) -> None:
    import torch

    store = data[kind]
    store.edge_index = torch.from_numpy(np.stack([edges.source, edges.target]).astype(np.int64))
    store.at = torch.from_numpy(edges.at.copy())
    for number, split in enumerate(SPLITS):
        store[f"{split}_mask"] = torch.from_numpy(edges.split == number)
    store.counted_edge_index = store.edge_index[:, store.train_mask]
