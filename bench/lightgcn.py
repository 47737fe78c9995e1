"""Reference implementations of LightGCN and random snapshots for `training.py`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch_geometric.nn import LightGCN

from kinfolio.gnn.data import TrainingData
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot

LAYERS = 3
Embed = Callable[[], Tensor]
"""Computes the vectors of all nodes, users first."""


def pyg_model(data: TrainingData, width: int) -> tuple[Embed, list[torch.nn.Parameter]]:
    """Return PyG's LightGCN."""
    user = torch.from_numpy(data.user.astype(np.int64))
    product = torch.from_numpy(data.product.astype(np.int64)) + data.num_users
    edges = torch.stack([torch.cat([user, product]), torch.cat([product, user])])
    model = LightGCN(data.num_users + data.num_products, width, LAYERS)
    return lambda: model.get_embedding(edges), list(model.parameters())


def csr_model(data: TrainingData, width: int) -> tuple[Embed, list[torch.nn.Parameter]]:
    """Return LightGCN with torch's CSR product."""
    table = torch.nn.Parameter(torch.randn(data.num_users + data.num_products, width) * 0.1)

    def embed() -> Tensor:
        layer: Tensor = table
        total = table / (LAYERS + 1)
        for _ in range(LAYERS):
            layer = data.matrix @ layer
            total = total + layer / (LAYERS + 1)
        return total

    return embed, [table]


OTHERS = {"PyG LightGCN": pyg_model, "LightGCN by CSR": csr_model}


def step_of(
    data: TrainingData, batch: int, embed: Embed, parameters: list[torch.nn.Parameter], rate: float
) -> Callable[[], None]:
    """Return a step of Bayesian personalised ranking with Adam, as in the paper."""
    rng = np.random.default_rng(0)
    optimizer = torch.optim.Adam(parameters, lr=rate)

    def step() -> None:
        chosen = rng.integers(0, len(data.user), batch)
        rows = embed()
        query = rows[torch.from_numpy(data.user[chosen].astype(np.int64))]
        positive = rows[torch.from_numpy(data.product[chosen].astype(np.int64)) + data.num_users]
        negative = rows[
            torch.from_numpy(rng.integers(0, data.num_products, batch)) + data.num_users
        ]
        loss = -torch.nn.functional.logsigmoid((query * (positive - negative)).sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()

    return step


def make_snapshot(size: int) -> Snapshot:
    """Return random clustered holdings, about 30 per user, with a power law of popularity."""
    rng = np.random.default_rng(0)
    users, products = size // 30, max(1000, size // 100)
    cluster = rng.integers(0, 50, users)
    user = np.repeat(np.arange(users), rng.poisson(33, users) + 1)
    rank = (products / 50 * rng.random(len(user)) ** 2.5).astype(np.int64)
    topic = np.where(rng.random(len(user)) < 0.8, cluster[user], rng.integers(0, 50, len(user)))
    keys = np.unique(user * products + np.minimum(rank * 50 + topic, products - 1))
    keys = np.sort(rng.permutation(keys)[:size])
    count = len(keys)
    empty = np.zeros(0, np.int32)
    edges = Edges(
        source=(keys // products).astype(np.int32),
        target=(keys % products).astype(np.int32),
        split=np.zeros(count, np.int8),
        at=np.full(count, NO_TIME),
        rating=np.full(count, np.nan, np.float32),
    )
    no_ties = Edges(
        source=empty,
        target=empty,
        split=empty.astype(np.int8),
        at=empty.astype(np.int64),
        rating=empty.astype(np.float32),
    )
    return Snapshot(
        user_ids=tuple(map(str, range(users))),
        product_ids=tuple(map(str, range(products))),
        user_gids=np.arange(users),
        product_gids=np.arange(products),
        product_names=("",) * products,
        product_texts=("",) * products,
        holdings=edges,
        ties=no_ties,
        reviews=Reviews(
            user=empty,
            product=empty,
            at=empty.astype(np.int64),
            text=(),
            describes_user=empty.astype(bool),
            describes_product=empty.astype(bool),
        ),
        cut=NO_TIME,
        hash=f"random, {size}",
    )
