"""Comparisons: complete tables, ablations trained once, warnings about omitted ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinfolio.errors import BadConfig, BadInput, RunBroken
from kinfolio.gnn.data import interactions_of
from kinfolio.gnn.evaluation.ablations import ablation_configs, fit_ablations
from kinfolio.gnn.evaluation.evaluate import Evaluation, evaluate
from kinfolio.gnn.text.features import TextRows, shuffled
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.run import Run, read_json, write_json
from kinfolio.snapshot import with_hash
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, Words, trained, with_texts


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Evaluation, list[str]]:
    """A run on users of two tastes, its evaluation with ablations, and the warnings."""
    folder = tmp_path_factory.mktemp("controls")
    run = trained(folder, with_texts(make_snapshot(seed=4, num_users=60)))
    warnings: list[str] = []
    found = evaluate(
        run, compare="ablations", cache=folder / "texts", load=Words, warn=warnings.append
    )
    return run, found, warnings


def test_the_table_is_complete(evaluated: tuple[Run, Evaluation, list[str]]) -> None:
    _, found, _ = evaluated
    assert list(found.models) == [
        "kinfolio",
        "popularity",
        "ties' mean",
        "text mean",
        "EASE",
        "EASE+text",
        "graph only",
        "text only",
        "shuffled text",
    ]
    assert found.kinfolio == "fusion"
    for groups in found.models.values():
        assert set(groups) == set(found.users)
        for one in groups.values():
            assert {f"{name}@{k}" for name in ("recall", "mrr", "novelty") for k in (5, 10, 20)} < (
                set(one.values)
            )
    assert found.users["all"] == np.count_nonzero(
        np.diff(interactions_of(with_texts(make_snapshot(seed=4, num_users=60)), "test").indptr)
    )


def test_differences_are_those_of_the_metrics_and_lie_in_their_intervals(
    evaluated: tuple[Run, Evaluation, list[str]],
) -> None:
    _, found, _ = evaluated
    for model, groups in found.differences.items():
        for group, measures in groups.items():
            for measure, one in measures.items():
                ours, theirs = found.models["kinfolio"][group], found.models[model][group]
                assert one.difference == pytest.approx(
                    ours.values[measure] - theirs.values[measure], abs=1e-9
                )
                assert one.low - 1e-9 <= one.difference <= one.high + 1e-9
    assert "kinfolio" not in found.differences


def test_bands_add_up_to_all_lists_and_all_held_out_holdings(
    evaluated: tuple[Run, Evaluation, list[str]],
) -> None:
    _, found, _ = evaluated
    for parts in found.by_band.values():
        assert sum(parts["listed"]) == pytest.approx(1)
        assert sum(parts["held_out"]) == pytest.approx(1)


def test_the_cost_is_announced_before_ablations_are_trained_and_they_are_trained_once(
    evaluated: tuple[Run, Evaluation, list[str]], tmp_path: Path
) -> None:
    run, _, warnings = evaluated
    assert any(
        "training 3 controls (graph only, text only, shuffled text)" in one for one in warnings
    )
    warnings.clear()
    ablations = fit_ablations(run, cache=tmp_path / "none", load=_no_encoder, warn=warnings.append)
    assert set(ablations) == {"graph only", "text only", "shuffled text"}
    assert not warnings


def test_ablations_of_an_older_training_are_not_used(
    evaluated: tuple[Run, Evaluation, list[str]], tmp_path: Path
) -> None:
    run, _, _ = evaluated
    info = read_json(run.info)
    try:
        write_json(run.info, {**info, "config": {**info["config"], "seed": 7}})
        assert not fit_ablations(run, cache=tmp_path / "none", only_trained=True)
    finally:
        write_json(run.info, info)
    assert len(fit_ablations(run, cache=tmp_path / "none", only_trained=True)) == 3


def test_each_ablation_changes_one_thing() -> None:
    info = _run_info(_as_config(SMALL), reads=True)
    assert ablation_configs(info) == {
        "graph only": replace(SMALL, text="off"),
        "text only": replace(SMALL, ids=False),
        "shuffled text": replace(SMALL, shuffled_text=True),
    }
    # A run without texts is itself `graph only`.
    without = ablation_configs(_run_info(_as_config(SMALL), reads=False))
    assert list(without) == ["fusion", "text only", "shuffled text"]


def test_a_config_of_another_version_is_refused() -> None:
    with pytest.raises(RunBroken, match="another version of kinfolio"):
        ablation_configs(_run_info({"dim": 3}, reads=True))


def test_without_ids_vectors_span_no_more_than_the_texts_do(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    alike = with_hash(replace(snapshot, product_texts=("one text",) * 2 + ("other",) * 13))
    vectors = {}
    for ids in (True, False):
        run = trained(tmp_path / str(ids), alike, replace(SMALL, ids=ids))
        # The first block is the head; another holds texts alone.
        vectors[ids] = read_embeddings(run).product_vectors[:, : SMALL.dim]
    # Two texts, of which the mean is taken off, leave one direction.
    assert np.linalg.matrix_rank(vectors[False], tol=1e-3) == 1
    assert np.linalg.matrix_rank(vectors[True], tol=1e-3) == SMALL.dim


def test_a_config_without_any_input_is_refused() -> None:
    with pytest.raises(BadConfig, match="leaves nothing to train"):
        TrainConfig(ids=False, text="off")


def test_shuffled_texts_stay_among_users_and_among_products() -> None:
    nodes = np.arange(20, dtype=np.float32)[:, None]
    rows = TextRows(mixed=nodes, users=nodes[None, :12], products=np.stack([nodes[12:]] * 2))
    found = shuffled(rows, seed=1)
    assert sorted(found.mixed[:12].ravel()) == list(range(12))
    assert sorted(found.mixed[12:].ravel()) == list(range(12, 20))
    assert not np.array_equal(found.mixed, nodes)
    # All kinds of a node's text move together.
    np.testing.assert_array_equal(found.users[0], found.mixed[:12])
    np.testing.assert_array_equal(found.products, np.stack([found.mixed[12:]] * 2))
    np.testing.assert_array_equal(found.mixed, shuffled(rows, seed=1).mixed)


def test_without_texts_the_baselines_of_text_are_absent_with_a_warning(tmp_path: Path) -> None:
    run = trained(tmp_path, make_snapshot(seed=4), replace(SMALL, text="auto"))
    warnings: list[str] = []
    found = evaluate(run, compare="ablations", cache=tmp_path / "texts", warn=warnings.append)
    assert list(found.models) == ["kinfolio", "popularity", "ties' mean", "EASE"]
    assert any("no texts" in one for one in warnings)


def test_a_run_trained_without_texts_does_not_read_them(tmp_path: Path) -> None:
    run = trained(tmp_path, with_texts(make_snapshot(seed=4)), replace(SMALL, text="off"))
    warnings: list[str] = []
    found = evaluate(
        run, compare="baselines", cache=tmp_path / "none", load=_no_encoder, warn=warnings.append
    )
    assert "text mean" not in found.models
    assert warnings == ["trained with --text off: text mean and EASE+text are left out"]


def test_a_run_trained_on_valid_excludes_it_from_lists_and_is_not_measured_on_it(
    tmp_path: Path,
) -> None:
    snapshot = make_snapshot(seed=4)
    run = trained(tmp_path, snapshot, replace(SMALL, text="off"))
    before = evaluate(run, compare="baselines")
    info = read_json(run.info)
    write_json(run.info, {**info, "learned_from": ["train", "valid"]})
    after = evaluate(run, compare="baselines")
    interactions = interactions_of(snapshot, "train") + interactions_of(snapshot, "valid")
    warm = (np.diff(interactions.indptr) > 0) & (
        np.diff(interactions_of(snapshot, "test").indptr) > 0
    )
    assert after.users["warm"] == np.count_nonzero(warm)
    # Interactions of `valid` count for popularity and are excluded from lists.
    assert after.models["popularity"] != before.models["popularity"]
    with pytest.raises(BadInput, match="has learned from valid too"):
        evaluate(run, split="valid")


def test_baselines_choose_hyperparameters_without_a_validation_split(tmp_path: Path) -> None:
    run = trained(tmp_path, with_texts(make_snapshot(seed=6, has_valid=False)))
    found = evaluate(run, compare="baselines", cache=tmp_path / "texts", load=Words)
    assert {"EASE+text", "text mean"} < set(found.models)


def test_a_run_stores_its_training_curve(evaluated: tuple[Run, Evaluation, list[str]]) -> None:
    run, _, _ = evaluated
    (curve,) = read_json(run.info)["history"]
    assert [one["step"] for one in curve] == [50, 60]
    assert all(one["loss"] > 0 for one in curve)
    best = max(curve, key=lambda one: one["recall"] * one["ndcg"])
    info = read_json(run.info)
    passes = best["step"] * 64 / info["data"]["training_interactions"]
    assert info["epochs"] == pytest.approx(passes, abs=0.01)


def _run_info(config: dict[str, object], *, reads: bool) -> Any:
    """The parts of `run.json` that ablations use."""
    return {
        "config": config,
        "choice": {"text": reads},
        "blend": {"text": {"seen": 0.0, "unseen": 0.0}},
    }


def _no_encoder(name: str) -> Words:
    raise AssertionError("all texts should be in the cache")


def _as_config(config: TrainConfig) -> dict[str, object]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}
