"""Texts beside the heads: when they add something, and that what they add is exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.blend import candidates
from kinfolio.gnn.blend.blend import Blend, blended, offset_of_unseen
from kinfolio.gnn.blend.candidates import validation_users
from kinfolio.gnn.blend.text_block import TextBlock, TextWeights, choose_text
from kinfolio.gnn.data import held_in, training_data
from kinfolio.gnn.evaluation.recommender import EmbeddingModel
from kinfolio.gnn.ranking import Quality, figures_of, top
from kinfolio.gnn.training import train as train_module
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.records import NO_TIME
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, Words, run_of, with_texts

CPU = torch.device("cpu")


def test_texts_are_added_where_the_heads_know_nothing_and_not_where_they_know_all() -> None:
    data = training_data(make_snapshot(seed=4), CPU)
    size = data.num_users + data.num_products
    half = (data.num_products - 1) // 2
    rows = torch.zeros(size, 3)
    for product in range(data.num_products):
        rows[data.num_users + product, int(product >= half)] = 1
    block = TextBlock(rows, data)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=data.held.shape)).float()
    known = torch.from_numpy(data.wanted.toarray()) * 10
    assert choose_text(lambda users: noise[users], data, block).seen > 0
    assert choose_text(lambda users: known[users], data, block) == TextWeights()
    # Texts that say the same of all products never show.
    same = TextBlock(torch.ones(size, 3) / 3**0.5, data)
    assert choose_text(lambda users: known[users], data, same) == TextWeights()


def test_more_users_are_asked_only_where_the_first_are_better_off_with_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(candidates, "_MOST_USERS", 10)
    data = training_data(make_snapshot(seed=4, num_users=60), CPU)
    rows = torch.zeros(data.num_users + data.num_products, 3)
    half = (data.num_products - 1) // 2
    rows[data.num_users :][
        torch.arange(data.num_products), torch.arange(data.num_products) // half
    ] = 1
    block = TextBlock(rows, data)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=data.held.shape)).float()
    known = torch.from_numpy(data.wanted.toarray()) * 10
    asked: set[int] = set()

    def chosen_by(scores: Tensor) -> TextWeights:
        def score(users: NDArray[np.int64]) -> Tensor:
            asked.update(users.tolist())
            return scores[users].clone()

        return choose_text(score, data, block)

    assert chosen_by(known) == TextWeights()
    assert len(asked) == 10
    assert chosen_by(noise).seen > 0
    assert len(asked) >= 30


def test_a_part_cut_at_random_raises_no_products_that_nobody_holds() -> None:
    snapshot = make_snapshot(seed=4)
    held = snapshot.holdings
    # All holdings of a few products are in the validation part, which has no times.
    split = np.where((held.target % 7 == 0) & (held.split == 0), 1, held.split).astype(np.int8)
    holdings = replace(held, split=split, at=np.full_like(held.at, NO_TIME))
    data = training_data(replace(snapshot, holdings=holdings), CPU)
    unseen = data.product_degree == 0
    # A score that puts all of them first, as texts that read like what was cut off would.
    bias = torch.from_numpy(np.where(unseen, 9.0, 0.0)).float()
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=data.held.shape)).float()

    def score(users: NDArray[np.int64]) -> Tensor:
        return noise[users] + bias

    without = Quality.of(
        figures_of(lambda users: noise[users], data.held, data.wanted, apart=data.apart)
    )
    assert Quality.of(figures_of(score, data.held, data.wanted, apart=data.apart)) == without
    blend = Blend(offset=offset_of_unseen(score, data))
    users = validation_users(data)
    first = top(blended(score, data, blend, None), users, data.held, 1)
    assert not unseen[first].any()


def test_unseen_products_have_a_weight_of_their_own() -> None:
    data = training_data(make_snapshot(seed=4), CPU)
    text = functional.normalize(torch.randn(data.num_users + data.num_products, 4), dim=1)
    block = TextBlock(text, data)
    rows = block.rows(TextWeights(seen=2.0, unseen=3.0))
    lengths = rows.norm(dim=1).numpy()
    np.testing.assert_allclose(lengths, np.where(data.product_degree == 0, 3, 2), rtol=1e-5)


def test_what_is_stored_gives_the_score_with_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On so few people it is chance what is chosen; what follows holds for any choice but 0.
    monkeypatch.setattr(train_module, "choose_text", lambda *_: TextWeights(seen=0.7, unseen=0.4))
    snapshot = with_texts(make_snapshot(seed=4))
    run = run_of(tmp_path / "run", snapshot)
    config = replace(SMALL, text="off", heads=2, quick=True, links="off")
    train(run, config, cache=tmp_path / "texts", load=Words)
    assert read_embeddings(run).heads == 2
    trained = train(run, replace(config, text="auto"), cache=tmp_path / "texts", load=Words)
    stored = read_embeddings(run)
    assert trained.blend.text.seen > 0
    assert stored.heads == 3
    held = held_in(snapshot, "train")
    users = np.flatnonzero(np.diff(held.indptr))
    reach = np.sqrt(np.diff(held.indptr)[users])[:, None]
    sums = (held @ stored.product_messages)[users] + stored.user_own[users]
    sums += reach * stored.general
    blocks = sums.reshape(len(users), 3, -1)
    # The last block is the texts': nothing but what is held goes into it.
    block = blocks[:, 2] / np.maximum(np.linalg.norm(blocks[:, 2], axis=1, keepdims=True), 1e-12)
    mine = stored.user_vectors[users].reshape(len(users), 3, -1)[:, 2]
    np.testing.assert_allclose(block, mine, atol=1e-5)
    scores = EmbeddingModel(stored).fit(held).score(users)
    texts = mine @ stored.product_vectors.reshape(len(stored.bias), 3, -1)[:, 2].T
    assert np.abs(texts).max() > 0.01
    assert np.isfinite(scores.numpy()).all()
