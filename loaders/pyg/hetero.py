"""A snapshot as PyG's `HeteroData`, for people who bring their own model."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from kinfolio.records import SPLITS, Edges, Snapshot

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData


def to_hetero_data(snapshot: Snapshot) -> HeteroData:
    """The graph with node types `user` and `product`; rows are the snapshot's.

    Every edge type has `edge_index` (int64, shape (2, num_edges)), `at` (int64, milliseconds since
    1970 or `NO_TIME`):

    - `(user, holds, product)`: also `rating` (float32, NaN where there is none) and `train_mask`,
      `valid_mask`, `test_mask`, which part the edges among them. `counted_edge_index` holds the
      edges of the training part alone: pass messages along it, or the answer leaks.
    - `(user, tied_to, user)`: as the source directs them, with the same masks and
      `counted_edge_index`; an edge outside `train_mask` must not reach training.
    - `(user, wrote, product)`: one edge a review, `text` (list of str) with `describes_user` and
      `describes_product` (bool): what training may use it for.

    `data["product"].text` and `data["product"].name` are lists of str; `gid` numbers the nodes in
    the database.
    """
    import torch

    with warnings.catch_warnings():
        # PyG decorates with torch.jit.script, which torch calls deprecated; no business of users.
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        from torch_geometric.data import HeteroData

    data = HeteroData()
    data["user"].num_nodes = snapshot.num_users
    data["user"].gid = torch.from_numpy(snapshot.user_gids.copy())
    data["user"].id = list(snapshot.user_ids)
    data["product"].num_nodes = snapshot.num_products
    data["product"].gid = torch.from_numpy(snapshot.product_gids.copy())
    data["product"].id = list(snapshot.product_ids)
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
