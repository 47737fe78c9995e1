"""The sum behind a score: the sparse kernel, the heads, and the shares they fall into."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch.nn import functional

from kinfolio.gnn.blend.blend import refit_blend
from kinfolio.gnn.blend.cold_start import ColdStart
from kinfolio.gnn.blend.links import Links
from kinfolio.gnn.blend.popularity import Popularity
from kinfolio.gnn.blend.reviewers import Reviewers
from kinfolio.gnn.blend.term import Pool
from kinfolio.gnn.blend.text_block import TextBlock, TextWeights
from kinfolio.gnn.data import TrainingData, training_data
from kinfolio.gnn.model.head import FusionHead
from kinfolio.gnn.model.propagation import (
    TIE_WEIGHT,
    Propagation,
    adjacency,
    from_products,
    half_precision,
    normalize_adjacency,
    to_torch,
)
from kinfolio.gnn.model.sampled_softmax import Batch
from kinfolio.gnn.ranking import Quality
from kinfolio.gnn.text.encoder import unit
from kinfolio.gnn.training.ensemble import Ensemble
from kinfolio.gnn.training.head_trainer import score_heads
from kinfolio.gnn.training.heads import HeadSpec, TrainedHead
from kinfolio.records import Snapshot
from tests.gnn.snapshots import make_edges, make_snapshot, reviews_of_the_last_product

CPU = torch.device("cpu")


def dense(snapshot: Snapshot) -> np.ndarray:
    """The normalize_adjacency adjacency by plain loops, to compare the sparse one with."""
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
        ids=torch.randn(data.num_products, 6, generator=generator),
        text=kinds if has_text else None,
        degree=torch.from_numpy(data.product_degree),
        tau=0.2 + 0.1 * seed,
    )
    head.popularity.data = torch.tensor([-0.4, 0.3])
    head.global_user.data = torch.randn(6, generator=generator)
    head.message_offset.data = torch.randn(data.num_products, 6, generator=generator)
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


@pytest.mark.parametrize("has_ties", [True, False])
def test_without_user_inputs_half_the_matrix_products_give_the_same_sums(
    has_ties: bool,
) -> None:
    snapshot = make_snapshot(seed=1)
    if not has_ties:
        snapshot = replace(snapshot, ties=make_edges(*np.zeros((2, 0), np.int64)))
    data = training_data(snapshot, CPU)
    x, y = (torch.randn(data.num_products, 5, requires_grad=True) for _ in range(2))
    pull = torch.randn(len(data.degrees), 5)
    sums = from_products(x, y, data.matrix, data.num_users)
    of_x, of_y = torch.autograd.grad((sums * pull).sum(), (x, y))
    matrix = torch.from_numpy(dense(snapshot)).float()
    own, sent = (torch.cat([torch.zeros(data.num_users, 5), part.detach()]) for part in (x, y))
    torch.testing.assert_close(sums, own + matrix @ sent + matrix @ (matrix @ sent))
    torch.testing.assert_close(of_x, pull[data.num_users :])
    expected = matrix.T @ pull + matrix.T @ (matrix.T @ pull)
    torch.testing.assert_close(of_y, expected[data.num_users :])


@pytest.mark.parametrize("has_ties", [True, False])
@pytest.mark.parametrize("has_text_of_users", [True, False])
def test_propagation_in_16_bits_is_close_to_that_in_32(
    has_ties: bool, has_text_of_users: bool
) -> None:
    snapshot = make_snapshot(seed=1)
    if not has_ties:
        snapshot = replace(snapshot, ties=make_edges(*np.zeros((2, 0), np.int64)))
    data = training_data(snapshot, CPU)
    head = make_head(data, 0, has_text=has_text_of_users)
    # As small as gradients are; float16 knows nothing below 6e-8.
    pull = torch.randn(len(data.degrees), head.dim) * 1e-8
    found = []
    for matrix in (data.matrix, half_precision(data.matrix)):
        sums = head._sums(*head._products(None), matrix)
        found.append(
            (sums, *torch.autograd.grad((sums * pull).sum(), (head.ids, head.message_offset)))
        )
    for exact, near in zip(*found, strict=True):
        assert near.dtype == torch.float32
        assert 0 < float((near - exact).detach().norm() / exact.detach().norm()) < 0.01


@pytest.mark.parametrize("has_16_bits", [False, True])
def test_the_loss_scores_a_user_without_the_positive_product(has_16_bits: bool) -> None:
    snapshot = make_snapshot(seed=3)
    # One more user, who holds only the first product and has no ties.
    holdings = snapshot.holdings
    alone = len(snapshot.user_ids)
    snapshot = replace(
        snapshot,
        user_ids=(*snapshot.user_ids, "alone"),
        user_gids=np.append(snapshot.user_gids, snapshot.user_gids.max() + 1),
        holdings=make_edges(
            np.append(holdings.source, alone), np.append(holdings.target, holdings.target[0])
        ),
    )
    data = training_data(snapshot, CPU)
    head = make_head(data, 0, has_text=False)
    users = torch.from_numpy(data.user.astype(np.int64))
    products = torch.from_numpy(data.product.astype(np.int64))
    matrix = torch.from_numpy(dense(snapshot)).float()
    # What cancels out but for rounding counts as nothing.
    edges = matrix[users, data.num_users + products] * (1 + 3e-7)
    every = torch.arange(data.num_products)
    once = torch.zeros(data.num_products)
    hops = half_precision(data.matrix) if has_16_bits else data.matrix
    loss = head.loss(hops, Batch(users, products, edges, every, once))

    of_users, is_seen = torch.zeros(data.num_users, head.dim), 1 - head.is_cold[:, None]
    x, y = (
        torch.cat([of_users, ids * is_seen]) for ids in (head.ids, head.ids + head.message_offset)
    )
    sums = x + matrix @ y + matrix @ (matrix @ y)
    queries = sums[users] - edges[:, None] * y[data.num_users + products]
    assert float(queries[users == alone].detach().abs().max()) < 1e-5
    queries = torch.where((users == alone)[:, None], 0, queries + head.global_user)
    cosines = functional.normalize(queries, dim=1) @ functional.normalize(sums, dim=1).T
    logits = cosines[:, data.num_users :] / head.tau + head.bias()
    expected = functional.cross_entropy(logits, products)
    torch.testing.assert_close(loss, expected, rtol=1e-3 if has_16_bits else 1.3e-6, atol=1e-5)
    gradient = torch.autograd.grad(loss, head.ids)[0]
    assert float(gradient.abs().max()) < 10


def test_a_tie_counts_once_in_any_direction_and_number() -> None:
    none = np.zeros(0, np.int32)
    both = adjacency(
        3, 1, (none, none), (np.array([0, 1, 0], np.int32), np.array([1, 0, 1], np.int32))
    )
    one = adjacency(3, 1, (none, none), (np.array([1], np.int32), np.array([0], np.int32)))
    np.testing.assert_array_equal(both[0].toarray(), one[0].toarray())
    assert both[1].tolist() == [TIE_WEIGHT, TIE_WEIGHT, 0, 0]


def test_an_isolated_node_receives_nothing() -> None:
    weights, degrees = adjacency(
        2, 2, (np.array([0], np.int32), np.array([0], np.int32)), (np.zeros(0, np.int32),) * 2
    )
    matrix = to_torch(normalize_adjacency(weights, degrees), CPU)
    result = Propagation()(torch.ones(4, 1), matrix, 1)
    assert result.ravel().tolist() == [2, 1, 2, 1]


def counted_ties(snapshot: Snapshot) -> set[tuple[int, int]]:
    """Ties that count, both ways, each once."""
    ties = zip(snapshot.ties.source, snapshot.ties.target, snapshot.ties.split, strict=True)
    return {
        (int(one), int(other))
        for a, b, split in ties
        if split == 0 and a != b
        for one, other in ((a, b), (b, a))
    }


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("inputs", ["ids", "texts", "ids and texts", "ids beside texts"])
def test_the_contributions_of_all_neighbours_sum_to_the_score(
    inputs: str, number: int, has_links: bool
) -> None:
    snapshot = make_snapshot(seed=2 + number, reviews=reviews_of_the_last_product())
    data = training_data(snapshot, CPU)
    heads = [make_head(data, seed, "texts" in inputs) for seed in range(number)]
    for head in heads:
        for ids in (head.ids, head.message_offset):
            ids.data *= "ids" in inputs
    rng = np.random.default_rng(number)
    pool = Pool(data=data, heads=heads, heads_score=score_heads(heads, data.matrix))
    if inputs == "ids beside texts":
        rows = rng.normal(size=(data.num_users + data.num_products, 6)).astype(np.float32)
        pool.text = torch.from_numpy(unit(rows))
    reviewers, text, links = Reviewers(), TextBlock(), Links()
    popularity, cold_start = Popularity(), ColdStart()
    reviewers.weight, popularity.weight, cold_start.weight = 0.4, 0.2, -0.3
    text.weights = TextWeights(seen=0.7, unseen=1.9)
    terms = refit_blend([reviewers, text, links, popularity, cold_start], pool)
    assert reviewers.rows[0][-1].any()
    if has_links:
        dense_links = rng.random((data.num_products, data.num_products))
        links.set_matrix(csr_array((dense_links * (dense_links > 0.6)).astype(np.float32)), data)
    spec = HeadSpec(role="head", tau=0.3, has_text=True, dim=6, cold=0, seed=0, steps=0)
    members = [
        TrainedHead(head=head, spec=spec, best_step=0, valid=None, cpu_seconds=0) for head in heads
    ]
    ensemble = Ensemble(members, data, terms, Quality(recall=0, ndcg=0))
    scores = ensemble.score()(np.arange(data.num_users)).numpy()
    stored = ensemble.embeddings(snapshot, "{}")
    bias = sum(head.bias().detach().numpy() for head in heads)
    bias = bias + popularity.bias().numpy() + cold_start.bias().numpy()
    ties = counted_ties(snapshot)
    blocks = (stored.heads, stored.dim)
    for user in range(data.num_users):
        held = data.product[data.user == user]
        pieces = [stored.user_own[user], *stored.product_messages[held]]
        tied = [stored.user_messages[other] for one, other in ties if one == user]
        pieces += tied
        messages = np.array(pieces, np.float64)
        if messages.any():
            reach = len(held) + stored.tie_weight * len(tied)
            messages = np.vstack([messages, np.sqrt(reach or 1.0) * stored.global_user])
        sums = messages.sum(axis=0).reshape(blocks)
        length = np.linalg.norm(sums, axis=1)
        scale = np.divide(1, length, out=np.zeros_like(length), where=length > 1e-9)
        for product in range(data.num_products):
            vector = stored.product_vectors[product].reshape(blocks)
            parts = np.einsum("phd,hd,h->p", messages.reshape(-1, *blocks), vector, scale)
            first, last = (stored.link_offsets[held + end] for end in (0, 1))
            of_links = sum(
                float(stored.link_weights[place])
                for start, stop in zip(first, last, strict=True)
                for place in range(start, stop)
                if stored.link_products[place] == product
            )
            total = parts.sum() + of_links + stored.bias[product]
            # The stored popularity term has mean 0, which shifts all scores alike.
            assert total == pytest.approx(scores[user, product] - bias.mean(), abs=1e-5)


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
    moved.message_offset.data[torch.from_numpy(order)] = head.message_offset.data.clone()
    torch.testing.assert_close(moved(moved_data.matrix)[place], head(data.matrix))
