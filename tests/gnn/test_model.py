"""The sum behind a score: the sparse kernel, the heads, and the shares they fall into."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from kinfolio.gnn.blend import Blend
from kinfolio.gnn.data import TrainingData, training_data
from kinfolio.gnn.embeddings import embeddings_of
from kinfolio.gnn.model import FusionHead
from kinfolio.gnn.propagation import TIE_WEIGHT, Propagation, adjacency, normalised, to_torch
from kinfolio.records import Snapshot
from tests.gnn.snapshots import make_snapshot

CPU = torch.device("cpu")


def dense(snapshot: Snapshot) -> np.ndarray:
    """The normalised adjacency by plain loops: the twin of the sparse one."""
    size = snapshot.num_users + snapshot.num_products
    weights = np.zeros((size, size))
    for user, product, split in zip(
        snapshot.holdings.source, snapshot.holdings.target, snapshot.holdings.split, strict=True
    ):
        if split == 0:
            weights[user, snapshot.num_users + product] = 1
    for one, other, split in zip(
        snapshot.ties.source, snapshot.ties.target, snapshot.ties.split, strict=True
    ):
        if split == 0 and one != other:
            weights[min(one, other), max(one, other)] = TIE_WEIGHT
    weights += weights.T
    degree = weights.sum(axis=1)
    scale = np.array([1 / np.sqrt(value) if value else 0 for value in degree])
    matrix: np.ndarray = scale[:, None] * weights * scale[None, :]
    return matrix


def make_head(data: TrainingData, seed: int, has_text: bool = True) -> FusionHead:
    generator = torch.Generator().manual_seed(seed)
    size = data.num_users + data.num_products
    # Two kinds of text of products, one of users.
    text = functional.normalize(torch.randn(size, 6, generator=generator), dim=1)
    more = functional.normalize(torch.randn(data.num_products, 6, generator=generator), dim=1)
    kinds = (text[None, : data.num_users], torch.stack([text[data.num_users :], more]))
    head = FusionHead(
        num_users=data.num_users,
        start=torch.randn(data.num_products, 6, generator=generator),
        text=kinds if has_text else None,
        degree=torch.from_numpy(data.product_degree),
        tau=0.2 + 0.1 * seed,
    )
    head.popularity.data = torch.tensor([-0.4, 0.3])
    return head


def test_the_sum_of_layers_and_its_gradient_equal_the_dense_ones() -> None:
    snapshot = make_snapshot(seed=1)
    data = training_data(snapshot, CPU)
    x = torch.randn(len(data.degrees), 5, dtype=torch.float32, requires_grad=True)
    pull = torch.randn(len(data.degrees), 5)
    sums = Propagation()(x, data.matrix, 2)
    (sums * pull).sum().backward()
    matrix = torch.from_numpy(dense(snapshot)).float()
    assert x.grad is not None
    torch.testing.assert_close(sums, x + matrix @ x + matrix @ (matrix @ x))
    torch.testing.assert_close(x.grad, pull + matrix.T @ pull + matrix.T @ (matrix.T @ pull))


def test_a_pair_of_people_counts_once_whatever_the_direction_of_their_ties() -> None:
    none = np.zeros(0, np.int32)
    both = adjacency(
        3, 1, (none, none), (np.array([0, 1, 0], np.int32), np.array([1, 0, 1], np.int32))
    )
    one = adjacency(3, 1, (none, none), (np.array([1], np.int32), np.array([0], np.int32)))
    np.testing.assert_array_equal(both[0].toarray(), one[0].toarray())
    assert both[1].tolist() == [TIE_WEIGHT, TIE_WEIGHT, 0, 0]


def test_a_node_without_neighbours_gets_nothing_from_the_others() -> None:
    weights, degrees = adjacency(
        2, 2, (np.array([0], np.int32), np.array([0], np.int32)), (np.zeros(0, np.int32),) * 2
    )
    matrix = to_torch(normalised(weights, degrees), CPU)
    result = Propagation()(torch.ones(4, 1), matrix, 1)
    assert result.ravel().tolist() == [2, 1, 2, 1]


@pytest.mark.parametrize("has_text", [True, False])
def test_the_sum_of_own_part_and_messages_gives_the_heads_own_score(has_text: bool) -> None:
    snapshot = make_snapshot(seed=2)
    data = training_data(snapshot, CPU)
    heads = [make_head(data, seed, has_text) for seed in (0, 1)]
    stored = embeddings_of(heads, data, snapshot, "{}", Blend(), None)
    matrix = torch.from_numpy(dense(snapshot)).float()
    expected = torch.zeros(data.num_users, data.num_products)
    for head in heads:
        x = head.inputs()
        z = functional.normalize(x + matrix @ x + matrix @ (matrix @ x), dim=1)
        expected += z[: data.num_users] @ z[data.num_users :].T / head.tau + head.bias()
    wanted = expected.detach().numpy()
    counted_ties = {
        (int(one), int(other))
        for a, b, split in zip(
            snapshot.ties.source, snapshot.ties.target, snapshot.ties.split, strict=True
        )
        if split == 0 and a != b
        for one, other in ((a, b), (b, a))
    }
    for user in range(data.num_users):
        sums = stored.user_own[user].astype(np.float64)
        for product in data.product[data.user == user]:
            sums = sums + stored.product_messages[product]
        for one, other in counted_ties:
            if one == user:
                sums = sums + stored.user_messages[other]
        blocks = sums.reshape(2, 6)
        length = np.linalg.norm(blocks, axis=1, keepdims=True)
        query = (blocks / np.where(length > 1e-9, length, 1)).ravel()
        scores = stored.product_vectors @ query + stored.bias
        # The stored popularity term is moved to mean 0, which moves all scores alike.
        np.testing.assert_allclose(
            scores - scores.mean(), wanted[user] - wanted[user].mean(), atol=2e-5
        )
        np.testing.assert_allclose(stored.user_vectors[user], query, atol=2e-5)


def test_renaming_users_and_products_permutes_the_vectors() -> None:
    snapshot = make_snapshot(seed=3)
    data = training_data(snapshot, CPU)
    head = make_head(data, 0)
    order = np.random.default_rng(0).permutation(data.num_products)
    moved_snapshot = make_snapshot(seed=3, product_order=order)
    moved_data = training_data(moved_snapshot, CPU)
    moved = make_head(moved_data, 0)
    # Product p of the first graph is product order[p] of the second.
    place = torch.from_numpy(np.concatenate([np.arange(data.num_users), data.num_users + order]))
    assert head.products_text is not None
    assert moved.products_text is not None
    moved.products_text[:, torch.from_numpy(order)] = head.products_text.clone()
    moved.ids.data[torch.from_numpy(order)] = head.ids.data.clone()
    torch.testing.assert_close(moved(moved_data.matrix)[place], head(data.matrix))
