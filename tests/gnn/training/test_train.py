"""Training: learns structure, never sees held-out edges, leaves a whole run or none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kinfolio.errors import BadConfig, BadInput, NotReady, RunBroken
from kinfolio.gnn.data import interactions_of, split_validation, training_data
from kinfolio.gnn.evaluation.evaluate import evaluate
from kinfolio.gnn.evaluation.recommender import EmbeddingModel
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.memory import explain_out_of_memory
from kinfolio.gnn.training.sampling.edge_dropout import EdgeDropout
from kinfolio.gnn.training.train import read_embeddings, read_servable, train
from kinfolio.snapshot import with_hash, write_snapshot
from tests.gnn.snapshots import make_edges, make_snapshot
from tests.gnn.trained import Words, run_of, with_texts

SMALL = TrainConfig(dim=8, steps=60, text="off", tau=0.3, batch=64, edge_dropout=0.0)


def test_products_of_the_users_taste_rank_first(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    run = run_of(tmp_path / "run", snapshot)
    train(run, SMALL, cache=tmp_path / "texts")
    held = interactions_of(snapshot, "train")
    model = EmbeddingModel(read_embeddings(run)).fit(held)
    scores = model.score(np.arange(snapshot.num_users - 1)).numpy()
    half = (snapshot.num_products - 1) // 2
    even = scores[::2, :half].mean() - scores[::2, half : 2 * half].mean()
    odd = scores[1::2, half : 2 * half].mean() - scores[1::2, :half].mean()
    assert even > 0.5
    assert odd > 0.5


def test_the_same_seed_gives_the_same_model_to_the_last_digit(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    first, second, other = (run_of(tmp_path / name, snapshot) for name in ("a", "b", "c"))
    train(first, SMALL, cache=tmp_path / "texts")
    train(second, SMALL, cache=tmp_path / "texts")
    train(other, replace(SMALL, seed=1), cache=tmp_path / "texts")
    vectors = [read_embeddings(run).product_vectors for run in (first, second, other)]
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


def test_a_training_leaves_the_arithmetic_of_the_program_as_it_was(tmp_path: Path) -> None:
    least = float("2.2e-308")  # halved, it is a number that a training counts as 0
    train(run_of(tmp_path / "run", make_snapshot(seed=4)), SMALL, cache=tmp_path / "texts")
    assert least / 2 > 0


def test_held_out_edges_do_not_change_the_model(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=5)
    holdings, ties = snapshot.holdings, snapshot.ties
    kept, tied = holdings.split != 2, ties.split == 0
    without = with_hash(
        replace(
            snapshot,
            holdings=make_edges(holdings.source[kept], holdings.target[kept], holdings.split[kept]),
            ties=make_edges(ties.source[tied], ties.target[tied], ties.split[tied]),
        )
    )
    runs = [run_of(tmp_path / "with", snapshot), run_of(tmp_path / "without", without)]
    for run in runs:
        train(run, SMALL, cache=tmp_path / "texts")
    first, second = (read_embeddings(run) for run in runs)
    np.testing.assert_array_equal(first.user_vectors, second.user_vectors)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_without_a_validation_split_the_latest_tenth_is_held_back() -> None:
    snapshot = make_snapshot(seed=6, has_valid=False)
    number = len(snapshot.holdings.source)
    timed = replace(
        snapshot, holdings=replace(snapshot.holdings, at=np.arange(number)[::-1].copy())
    )
    back = split_validation(timed, seed=0)
    train_rows = np.flatnonzero(timed.holdings.split == 0)
    assert np.flatnonzero(back).tolist() == train_rows[: len(train_rows) // 10].tolist()
    data = training_data(timed, torch.device("cpu"), back)
    assert data.interactions.multiply(data.validation).nnz == 0
    assert data.interactions.nnz + data.validation.nnz == interactions_of(timed, "train").nnz


def test_without_a_validation_split_the_refit_uses_all_of_train(
    tmp_path: Path,
) -> None:
    snapshot = make_snapshot(seed=6, has_valid=False)
    run = run_of(tmp_path / "run", snapshot)
    train(run, SMALL, cache=tmp_path / "texts")
    info = json.loads(run.info.read_text())
    assert info["data"]["training_interactions"] == interactions_of(snapshot, "train").nnz


def test_of_the_three_best_temperatures_the_best_in_full_training_is_taken(
    tmp_path: Path,
) -> None:
    snapshot = make_snapshot(seed=4)
    config = replace(SMALL, tau=0.0, heads=1, links="off")
    run = run_of(tmp_path / "run", snapshot)
    chosen = train(run, config, cache=tmp_path / "texts")
    info = json.loads(run.info.read_text())
    taus = info["choice"]["taus"]
    assert not info["choice"]["is_race"]
    assert len(set(taus)) == 3
    assert info["tau"] in taus
    for tau in taus:
        beside = run_of(tmp_path / f"tau {tau}", snapshot)
        found = train(beside, replace(config, tau=tau), cache=tmp_path / "texts")
        assert chosen.valid.value >= found.valid.value


def test_texts_are_compared_with_none_at_a_given_temperature_too(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", with_texts(make_snapshot(seed=4)))
    config = replace(SMALL, text="auto")
    choice = train(run, config, cache=tmp_path / "texts", load=Words).choice
    assert {trial.text for trial in choice.trials} == {True, False}
    assert {trial.tau for trial in choice.trials} == {0.3}


def test_dropped_holdings_are_zero_in_both_directions_and_ties_stay() -> None:
    data = training_data(make_snapshot(seed=4), torch.device("cpu"))
    of_edges, of_holdings = EdgeDropout(data, 0.25).draw(np.random.default_rng(1))
    assert set(of_holdings.tolist()) == {0.0, np.float32(1 / 0.75)}
    assert 0.6 < float((of_holdings > 0).float().mean()) < 0.9
    whole = data.matrix.to_dense()
    factors = torch.sparse_csr_tensor(
        data.matrix.crow_indices(), data.matrix.col_indices(), of_edges, size=whole.shape
    ).to_dense()
    assert torch.equal(factors, factors.T)
    tied = whole[: data.num_users, : data.num_users] > 0
    assert tied.any()
    assert (factors[: data.num_users, : data.num_users][tied] == 1).all()
    held = factors[torch.from_numpy(data.user), data.num_users + torch.from_numpy(data.product)]
    assert torch.equal(held, of_holdings)


def test_evaluate_measures_model_and_baselines_in_every_group(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    run = run_of(tmp_path / "run", snapshot)
    train(run, SMALL, cache=tmp_path / "texts")
    found = evaluate(run, compare="baselines")
    assert set(found.models) == {"kinfolio", "popularity", "ties' mean", "EASE"}
    assert found.users["all"] == np.count_nonzero(np.diff(interactions_of(snapshot, "test").indptr))
    assert found.models["kinfolio"]["warm"].ndcg > found.models["popularity"]["warm"].ndcg


def test_an_evaluation_without_test_interactions_says_so(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    split = np.where(snapshot.holdings.split == 2, 0, snapshot.holdings.split).astype(np.int8)
    snapshot = with_hash(replace(snapshot, holdings=replace(snapshot.holdings, split=split)))
    run = run_of(tmp_path / "run", snapshot)
    train(run, SMALL, cache=tmp_path / "texts")
    with pytest.raises(BadInput, match="no interaction is marked test"):
        evaluate(run)


def test_a_model_of_another_snapshot_is_not_measured(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    train(run, SMALL, cache=tmp_path / "texts")
    write_snapshot(make_snapshot(seed=5), run.snapshot)
    with pytest.raises(RunBroken, match="another snapshot"):
        evaluate(run)


def test_an_interrupted_training_leaves_the_older_model(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    train(run, SMALL, cache=tmp_path / "texts")
    before = run.model.read_bytes(), run.info.read_bytes()

    def stop(step: str, done: int, total: int) -> None:
        if "head 2" in step and done > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(run, replace(SMALL, seed=3), cache=tmp_path / "texts", progress=stop)
    assert (run.model.read_bytes(), run.info.read_bytes()) == before


@pytest.mark.parametrize(
    "at",
    [
        ("trying tau 0.15", 30),
        ("head 1 of 2", 45),
        ("head 2 of 2", 45),
        ("final head 1", 5),
    ],
)
def test_an_interrupted_training_resumes_to_the_same_model(
    at: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinfolio.gnn.training.checkpoints.INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr("kinfolio.gnn.training.head_trainer.EVALUATE_EVERY", 20)
    config = replace(SMALL, tau=0.0, budget="1h", patience=9)
    snapshot = make_snapshot(seed=4, has_valid=False)
    whole, cut = run_of(tmp_path / "whole", snapshot), run_of(tmp_path / "cut", snapshot)
    all_steps: list[str] = []
    train(whole, config, cache=tmp_path / "texts", progress=lambda *step: all_steps.append(step[0]))

    def stop(step: str, done: int, total: int) -> None:
        if at[0] in step and done >= at[1]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(cut, config, cache=tmp_path / "texts", progress=stop)
    steps: list[str] = []
    train(cut, config, cache=tmp_path / "texts", progress=lambda *step: steps.append(step[0]))
    assert 0 < len(steps) < len(all_steps)
    one, other = read_embeddings(whole), read_embeddings(cut)
    for name in ("user_vectors", "product_vectors", "product_messages", "bias", "link_weights"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert not (cut.folder / "checkpoints").exists()


def test_a_damaged_checkpoint_is_not_resumed(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))

    def stop(step: str, done: int, total: int) -> None:
        if "head 2" in step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(run, SMALL, cache=tmp_path / "texts", progress=stop)
    files = list((run.folder / "checkpoints").glob("*.pt"))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:50])
    train(run, SMALL, cache=tmp_path / "texts")
    read_embeddings(run)


def test_stopped_early_the_best_model_so_far_is_written_and_can_be_resumed(
    tmp_path: Path,
) -> None:
    config = replace(SMALL, steps=150, heads=2, links="off")
    whole = run_of(tmp_path / "whole", make_snapshot(seed=4))
    train(whole, config, cache=tmp_path / "texts")
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    seen_steps: list[str] = []

    def on_step(step: str, done: int, total: int) -> None:
        seen_steps.append(step)

    def is_stopped() -> bool:
        return any("head 2" in step for step in seen_steps)

    stopped = train(run, config, cache=tmp_path / "texts", is_stopped=is_stopped, progress=on_step)
    assert stopped.has_stopped
    assert run.need_info()["stopped"]
    assert stopped.valid.recall > 0
    assert len(read_embeddings(run).user_vectors[0]) >= SMALL.dim
    assert sum("head 2" in step for step in seen_steps) == 1
    again = train(run, config, cache=tmp_path / "texts")
    assert not again.has_stopped
    one, other = read_embeddings(whole), read_embeddings(run)
    np.testing.assert_array_equal(one.product_vectors, other.product_vectors)


def test_stopped_before_any_training_nothing_is_written(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    config = replace(SMALL, tau=0.0)
    with pytest.raises(KeyboardInterrupt):
        train(run, config, cache=tmp_path / "texts", is_stopped=lambda: True)
    assert not run.model.exists()


def test_what_the_budget_does_not_allow_is_skipped_and_reported(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    open_config = TrainConfig(text="off", steps=120, batch=64, links="off", heads=1)
    trained = train(run, replace(open_config, budget="0.1s"), cache=tmp_path / "texts")
    assert "dim 128" in trained.choice.skipped
    assert trained.choice.steps == 100
    ample = train(run, replace(open_config, budget="1h"), cache=tmp_path / "texts")
    assert ample.choice.skipped == ()
    assert ample.choice.steps == 120
    assert {trial.dim for trial in ample.choice.trials} == {64, 128}
    open_heads = replace(open_config, heads=0, dim=8)
    trained = train(run, replace(open_heads, budget="0.1s"), cache=tmp_path / "texts")
    assert trained.choice.heads == 1
    assert "2 heads" in trained.choice.skipped
    ample = train(run, replace(open_heads, budget="1h"), cache=tmp_path / "texts")
    assert ample.choice.heads == 2


def test_out_of_memory_says_which_width_would_fit() -> None:
    def train_too_wide() -> None:
        with explain_out_of_memory(10**9, 128, torch.device("cpu")):
            torch.empty(10**14)

    with pytest.raises(NotReady, match="would fit; use a machine with more memory"):
        train_too_wide()
    with (
        pytest.raises(NotReady, match=r"type: kinfolio train --dim 64$"),
        explain_out_of_memory(1000, 128, torch.device("cpu")),
    ):
        torch.empty(10**14)


def test_a_model_trained_on_valid_is_not_served(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    train(run, replace(SMALL, final=True), cache=tmp_path / "texts")
    with pytest.raises(BadConfig, match="trained on interactions marked valid"):
        read_servable(run)
    train(run, SMALL, cache=tmp_path / "texts")
    read_servable(run)


def test_a_run_without_run_json_is_reported_as_half_written(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    with pytest.raises(NotReady, match="no trained model yet"):
        read_embeddings(run)
    train(run, SMALL, cache=tmp_path / "texts")
    run.info.unlink()
    with pytest.raises(RunBroken, match="half written"):
        read_embeddings(run)


def test_a_damaged_model_file_is_reported_in_one_sentence(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    train(run, SMALL, cache=tmp_path / "texts")
    run.model.write_bytes(run.model.read_bytes()[:100])
    with pytest.raises(RunBroken, match="cannot be read as a model"):
        read_embeddings(run)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("dim", 1),
        ("heads", 17),
        ("steps", -1),
        ("lr", 0.0),
        ("tau", -1.0),
        ("cold", 1.0),
        ("edge_dropout", 1.0),
    ],
)
def test_an_option_out_of_range_is_named(option: str, value: float) -> None:
    with pytest.raises(BadConfig, match=f"--{option.replace('_', '-')} is {value}"):
        TrainConfig(**{option: value})  # type: ignore[arg-type]  # the names vary


def test_a_snapshot_without_training_interactions_is_refused(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    split = np.full_like(snapshot.holdings.split, 2)
    snapshot = with_hash(replace(snapshot, holdings=replace(snapshot.holdings, split=split)))
    with pytest.raises(BadInput, match="no training interactions"):
        train(run_of(tmp_path / "run", snapshot), SMALL, cache=tmp_path / "texts")
