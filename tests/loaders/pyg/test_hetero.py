"""A snapshot as a PyG graph."""

from __future__ import annotations

import numpy as np
import torch

from kinfolio.loaders import to_hetero_data
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot


def edges(pairs: list[tuple[int, int]], split: list[int]) -> Edges:
    return Edges(
        source=np.array([source for source, _ in pairs], np.int32),
        target=np.array([target for _, target in pairs], np.int32),
        split=np.array(split, np.int8),
        at=np.full(len(pairs), NO_TIME),
        rating=np.full(len(pairs), np.nan, np.float32),
    )


def snapshot() -> Snapshot:
    return Snapshot(
        user_ids=("u1", "u2", "u3"),
        product_ids=("A", "B"),
        user_gids=np.array([0, 1, 9]),
        product_gids=np.array([0, 1]),
        product_names=("Amber", "Birch"),
        product_texts=("Amber. fund", "Birch"),
        holdings=edges([(0, 0), (1, 0), (1, 1), (2, 1)], [0, 0, 1, 2]),
        ties=edges([(0, 1), (2, 0)], [0, 2]),
        reviews=Reviews(
            user=np.array([2], np.int32),
            product=np.array([0], np.int32),
            at=np.array([5]),
            text=("fine",),
            describes_user=np.array([False]),
            describes_product=np.array([True]),
        ),
        cut=NO_TIME,
        hash="",
    )


def test_hetero_data_has_the_node_and_edge_types_of_the_graph() -> None:
    data = to_hetero_data(snapshot())
    assert data.validate()
    assert data.node_types == ["user", "product"]
    assert data.edge_types == [
        ("user", "holds", "product"),
        ("user", "tied_to", "user"),
        ("user", "wrote", "product"),
    ]
    assert (data["user"].num_nodes, data["product"].num_nodes) == (3, 2)
    assert data["user"].gid.tolist() == [0, 1, 9]
    assert data["product"].text == ["Amber. fund", "Birch"]
    assert data["user", "holds", "product"].edge_index.dtype == torch.int64
    assert data["user", "holds", "product"].edge_index.tolist() == [[0, 1, 1, 2], [0, 0, 1, 1]]
    assert data["user", "wrote", "product"].edge_index.tolist() == [[2], [0]]
    assert data["user", "wrote", "product"].describes_product.tolist() == [True]


def test_each_edge_is_in_exactly_one_mask() -> None:
    data = to_hetero_data(snapshot())
    for kind in (("user", "holds", "product"), ("user", "tied_to", "user")):
        store = data[kind]
        masks = torch.stack([store.train_mask, store.valid_mask, store.test_mask])
        assert masks.sum(dim=0).eq(1).all()
    assert data["user", "holds", "product"].test_mask.tolist() == [False, False, False, True]


def test_counted_edges_are_the_training_edges() -> None:
    data = to_hetero_data(snapshot())
    assert data["user", "holds", "product"].counted_edge_index.tolist() == [[0, 1], [0, 0]]
    assert data["user", "tied_to", "user"].counted_edge_index.tolist() == [[0], [1]]


def test_changing_hetero_data_does_not_change_the_snapshot() -> None:
    source = snapshot()
    data = to_hetero_data(source)
    data["user"].gid[0] = 99
    data["user", "holds", "product"].at[0] = 99
    assert source.user_gids[0] == 0
    assert source.holdings.at[0] == NO_TIME
