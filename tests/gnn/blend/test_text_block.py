"""The text block: when it is used, and that its stored contribution is exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.blend import shortlist, text_block
from kinfolio.gnn.blend.cold_start import ColdStart
from kinfolio.gnn.blend.shortlist import validation_users
from kinfolio.gnn.blend.term import Pool
from kinfolio.gnn.blend.text_block import TextVectors, TextWeights, choose_text_weights
from kinfolio.gnn.data import interactions_of, training_data
from kinfolio.gnn.evaluation.recommender import EmbeddingModel
from kinfolio.gnn.ranking import Quality, per_user_metrics, top_k
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.records import NO_TIME
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, Words, run_of, with_texts

CPU = torch.device("cpu")


def test_texts_are_used_with_uninformed_heads_and_not_with_perfect_ones() -> None:
    data = training_data(make_snapshot(seed=4), CPU)
    size = data.num_users + data.num_products
    half = (data.num_products - 1) // 2
    rows = torch.zeros(size, 3)
    for product in range(data.num_products):
        rows[data.num_users + product, int(product >= half)] = 1
    block = TextVectors(rows, data)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=data.interactions.shape)).float()
    known = torch.from_numpy(data.validation.toarray()) * 10
    assert choose_text_weights(lambda users: noise[users], data, block).seen > 0
    assert choose_text_weights(lambda users: known[users], data, block) == TextWeights()
    # Texts that say the same of all products never show.
    same = TextVectors(torch.ones(size, 3) / 3**0.5, data)
    assert choose_text_weights(lambda users: known[users], data, same) == TextWeights()


def test_more_users_are_scored_only_if_texts_improve_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shortlist, "_MAX_USERS", 10)
    data = training_data(make_snapshot(seed=4, num_users=60), CPU)
    rows = torch.zeros(data.num_users + data.num_products, 3)
    half = (data.num_products - 1) // 2
    rows[data.num_users :][
        torch.arange(data.num_products), torch.arange(data.num_products) // half
    ] = 1
    block = TextVectors(rows, data)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=data.interactions.shape)).float()
    known = torch.from_numpy(data.validation.toarray()) * 10
    asked: set[int] = set()

    def chosen_by(scores: Tensor) -> TextWeights:
        def score(users: NDArray[np.int64]) -> Tensor:
            asked.update(users.tolist())
            return scores[users].clone()

        return choose_text_weights(score, data, block)

    assert chosen_by(known) == TextWeights()
    assert len(asked) == 10
    assert chosen_by(noise).seen > 0
    assert len(asked) >= 30


def test_a_random_split_does_not_raise_cold_products() -> None:
    snapshot = make_snapshot(seed=4)
    held = snapshot.holdings
    # All holdings of a few products are in the validation part, which has no times.
    split = np.where((held.target % 7 == 0) & (held.split == 0), 1, held.split).astype(np.int8)
    holdings = replace(held, split=split, at=np.full_like(held.at, NO_TIME))
    data = training_data(replace(snapshot, holdings=holdings), CPU)
    unseen = data.product_degree == 0
    # A score that puts all of them first, as texts that read like what was cut off would.
    bias = torch.from_numpy(np.where(unseen, 9.0, 0.0)).float()
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=data.interactions.shape)).float()

    def score(users: NDArray[np.int64]) -> Tensor:
        return noise[users] + bias

    without = Quality.mean(
        per_user_metrics(
            lambda users: noise[users], data.interactions, data.validation, cold=data.cold_products
        )
    )
    assert (
        Quality.mean(
            per_user_metrics(score, data.interactions, data.validation, cold=data.cold_products)
        )
        == without
    )
    term = ColdStart()
    term.fit(Pool(data=data, heads=[], heads_score=score))
    users = validation_users(data)
    first = top_k(term.add(score), users, data.interactions, 1)
    assert not unseen[first].any()


def test_cold_products_have_their_own_weight() -> None:
    data = training_data(make_snapshot(seed=4), CPU)
    text = functional.normalize(torch.randn(data.num_users + data.num_products, 4), dim=1)
    block = TextVectors(text, data)
    rows = block.weighted(TextWeights(seen=2.0, unseen=3.0))
    lengths = rows.norm(dim=1).numpy()
    np.testing.assert_allclose(lengths, np.where(data.product_degree == 0, 3, 2), rtol=1e-5)


def test_the_stored_embeddings_give_the_score_with_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With so few users the choice is random; the test holds for any weights but 0.
    weights = TextWeights(seen=0.7, unseen=0.4)
    monkeypatch.setattr(text_block, "choose_text_weights", lambda *_: weights)
    snapshot = with_texts(make_snapshot(seed=4))
    run = run_of(tmp_path / "run", snapshot)
    config = replace(SMALL, text="off", heads=2, quick=True, links="off")
    train(run, config, cache=tmp_path / "texts", load=Words)
    assert read_embeddings(run).heads == 2
    trained = train(run, replace(config, text="auto"), cache=tmp_path / "texts", load=Words)
    stored = read_embeddings(run)
    assert trained.blend["text"]["seen"] > 0
    assert stored.heads == 3
    held = interactions_of(snapshot, "train")
    users = np.flatnonzero(np.diff(held.indptr))
    reach = np.sqrt(np.diff(held.indptr)[users])[:, None]
    sums = (held @ stored.product_messages)[users] + stored.user_own[users]
    sums += reach * stored.global_user
    blocks = sums.reshape(len(users), 3, -1)
    # The last block is that of texts: the sum of the products held.
    block = blocks[:, 2] / np.maximum(np.linalg.norm(blocks[:, 2], axis=1, keepdims=True), 1e-12)
    mine = stored.user_vectors[users].reshape(len(users), 3, -1)[:, 2]
    np.testing.assert_allclose(block, mine, atol=1e-5)
    scores = EmbeddingModel(stored).fit(held).score(users)
    texts = mine @ stored.product_vectors.reshape(len(stored.bias), 3, -1)[:, 2].T
    assert np.abs(texts).max() > 0.01
    assert np.isfinite(scores.numpy()).all()
