"""The race: what is trained in full, what decides, and that it resumes to the same heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from kinfolio.gnn.data import TrainingData, training_data
from kinfolio.gnn.model.svd_init import SvdInit
from kinfolio.gnn.training.budget import Budget
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.context import TrainingContext
from kinfolio.gnn.training.head_trainer import HeadTrainer
from kinfolio.gnn.training.heads import HeadSpec, TrainedHead
from kinfolio.gnn.training.inputs import TextTensors, TrainingInputs
from kinfolio.gnn.training.search.candidates import Choice
from kinfolio.gnn.training.search.race import (
    MIN_STEPS,
    Race,
    RaceResult,
    affordable_steps,
    lowest_near_best,
)
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.run import read_json
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import run_of

CPU = torch.device("cpu")
CONFIG = TrainConfig(dim=8, steps=80, tau=0.3, batch=64, heads=1, patience=9, edge_dropout=0.0)
CHOICE = Choice(
    taus=(0.3,),
    is_race=False,
    text=False,
    other_text=0.0,
    dim=8,
    heads=1,
    cold=0.1,
    steps=80,
    final_steps=80,
    trials=(),
    skipped=(),
)
Steps = dict[str, int]
"""Last step reported under each label."""


@pytest.fixture(autouse=True)
def frequent_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinfolio.gnn.training.head_trainer.EVALUATE_EVERY", 20)
    monkeypatch.setattr("kinfolio.gnn.training.checkpoints.INTERVAL_SECONDS", 0.0)


def inputs_of(data: TrainingData, texts: TextTensors | None = None, dim: int = 8) -> TrainingInputs:
    return TrainingInputs(
        data=data,
        text=None if texts is None else lambda _: texts,
        initial_ids=SvdInit(data.interactions, dim),
    )


def head_alone(
    inputs: TrainingInputs,
    config: TrainConfig,
    tau: float,
    *,
    has_text: bool = False,
    steps: int | None = None,
) -> TrainedHead:
    """The first head of a race, trained without interruption."""
    steps = config.steps if steps is None else steps
    spec = HeadSpec(
        role="alone",
        tau=tau,
        has_text=has_text,
        dim=config.dim,
        cold=0.1,
        seed=0,
        steps=steps,
    )
    cold_score = None if has_text else inputs.cold_score(config.dim)
    return HeadTrainer(inputs, spec, config, cold_score=cold_score).run_until(steps)


def run_race(
    inputs: TrainingInputs,
    choice: Choice,
    folder: Path,
    *,
    config: TrainConfig = CONFIG,
    budget: float = 1e9,
    interrupt: Callable[[str, int], bool] = lambda label, step: False,
) -> tuple[RaceResult, Steps]:
    steps: Steps = {}

    def on_step(name: str, done: int, _: int) -> None:
        label = name.split(", loss")[0]
        steps[label] = done
        if interrupt(label, done):
            raise KeyboardInterrupt

    context = TrainingContext(
        config=config,
        budget=Budget(budget),
        checkpoints=Checkpoints(folder / "checkpoints", {}),
        on_step=on_step,
    )
    return Race(inputs, context, choice).run(), steps


def assert_same_head(one: TrainedHead, other: TrainedHead) -> None:
    assert one.history == other.history
    for left, right in zip(one.head.parameters(), other.head.parameters(), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("interrupted_at", [None, 30, 70])
def test_in_a_race_the_worse_temperature_stops_halfway(
    interrupted_at: int | None, tmp_path: Path
) -> None:
    inputs = inputs_of(training_data(make_snapshot(seed=4), CPU))
    halfway = {}
    for tau in (0.7, 0.3):
        curve = head_alone(inputs, CONFIG, tau).history
        halfway[tau] = max((one.recall or 0) * (one.ndcg or 0) for one in curve if one.step <= 40)
    choice = replace(CHOICE, taus=(0.7, 0.3), is_race=True)
    if interrupted_at is not None:
        with pytest.raises(KeyboardInterrupt):
            run_race(
                inputs,
                choice,
                tmp_path,
                interrupt=lambda label, step: "tau 0.3" in label and step == interrupted_at,
            )
    result, steps = run_race(inputs, choice, tmp_path)
    assert halfway[0.3] > halfway[0.7]
    assert result.tau == 0.3
    if interrupted_at is None:
        assert steps == {"head 1 of 1, tau 0.7": 40, "head 1 of 1, tau 0.3": 80}
    else:
        assert steps == {"head 1 of 1, tau 0.3": 80}
    assert_same_head(result.heads[0], head_alone(inputs, CONFIG, 0.3))


@pytest.mark.parametrize("interrupted_at", [None, 30, 70])
@pytest.mark.parametrize("is_informative", [True, False])
@pytest.mark.parametrize("has_text", [True, False])
def test_texts_that_trials_do_not_separate_are_used_if_they_improve_significantly(
    has_text: bool, is_informative: bool, interrupted_at: int | None, tmp_path: Path
) -> None:
    data = training_data(make_snapshot(seed=4, num_users=80, num_products=81), CPU)
    config = replace(CONFIG, dim=32)
    # Texts that predict the validation set, and texts that are noise.
    users = torch.randn((data.num_users, config.dim), generator=torch.manual_seed(1))
    products = torch.randn((data.num_products, config.dim), generator=torch.manual_seed(2))
    if is_informative:
        users = functional.normalize(torch.from_numpy(data.validation @ products.numpy()))
    kinds = functional.normalize(users)[None], functional.normalize(products)[None]
    inputs = inputs_of(data, TextTensors(torch.cat(kinds, dim=1)[0], *kinds), config.dim)
    choice = replace(CHOICE, dim=config.dim, text=has_text, other_text=1.0)
    is_changed = has_text != is_informative
    if interrupted_at is not None and (is_changed or interrupted_at <= 40):
        with pytest.raises(KeyboardInterrupt):
            run_race(
                inputs,
                choice,
                tmp_path,
                config=config,
                interrupt=lambda label, step: "texts" in label and step == interrupted_at,
            )
    result, steps = run_race(inputs, choice, tmp_path, config=config)
    with_text, without = (result.text_trials[use].value for use in (True, False))
    if is_informative:
        assert with_text > without
    else:
        # Better by chance, by less than two standard errors.
        assert without < with_text < 1.3 * without
    if interrupted_at is None:
        other = f"head 1 of 1, tau 0.3 {'without' if has_text else 'with'} texts"
        assert steps == {
            "head 1 of 1, tau 0.3": 40 if is_changed else 80,
            other: 80 if is_changed else 40,
        }
    assert_same_head(result.heads[0], head_alone(inputs, config, 0.3, has_text=is_informative))


def test_without_time_texts_stay_as_the_search_chose(tmp_path: Path) -> None:
    data = training_data(make_snapshot(seed=4), CPU)
    texts = functional.normalize(torch.randn(1, data.num_users + data.num_products, 8), dim=2)
    kinds = texts[:, : data.num_users], texts[:, data.num_users :]
    inputs = inputs_of(data, TextTensors(texts[0], *kinds))
    hurried, _ = run_race(inputs, replace(CHOICE, other_text=1.0), tmp_path, budget=1e-9)
    assert not hurried.heads[0].spec.has_text
    assert hurried.skipped == ("texts in full",)
    assert run_race(inputs, CHOICE, tmp_path / "separated")[0].text_trials == {}


def test_edge_dropout_is_used_where_it_is_better_and_there_is_time(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    config = TrainConfig(dim=8, steps=60, text="off", tau=0.3, batch=64, links="off", heads=2)
    config = replace(config, budget="1h")
    run = run_of(tmp_path / "run", snapshot)
    trained = train(run, config, cache=tmp_path / "texts")
    assert "edge dropout" not in trained.choice.skipped
    choice = read_json(run.info)["choice"]
    tried = {
        trial["edge_dropout"]: trial["recall"] * trial["ndcg"]
        for trial in choice["edge_dropout_trials"]
    }
    assert set(tried) == {0.0, 0.5}
    assert tried[0.0] != tried[0.5]
    assert tried[choice["edge_dropout"]] == max(tried.values())
    for rate in tried:
        fixed = run_of(tmp_path / f"fixed {rate}", snapshot)
        train(fixed, replace(config, edge_dropout=rate), cache=tmp_path / "texts")
        assert read_json(fixed.info)["choice"]["edge_dropout_trials"] == []
        is_same = np.array_equal(
            read_embeddings(fixed).product_vectors, read_embeddings(run).product_vectors
        )
        assert is_same == (rate == choice["edge_dropout"])
    hurried = train(run, replace(config, budget="0.1s"), cache=tmp_path / "texts")
    assert "edge dropout" in hurried.choice.skipped
    assert run.need_info()["choice"]["edge_dropout"] == 0


def test_heads_get_the_steps_that_those_before_them_show_to_be_affordable() -> None:
    inputs = inputs_of(training_data(make_snapshot(seed=4), CPU))
    head = head_alone(inputs, CONFIG, 0.3, steps=200)
    for number in (1, 2):
        seconds = 1.5 * head.cpu_seconds * number
        steps = affordable_steps([head], number, 10_000, seconds)
        assert steps == pytest.approx(1.5 * head.trained_steps, abs=1)
    assert affordable_steps([head], 1, 120, 1e9) == 120
    assert affordable_steps([head], 1, 10_000, 0.0) == MIN_STEPS
    untrained = head_alone(inputs, CONFIG, 0.3, steps=0)
    assert affordable_steps([untrained], 1, 70, 0.0) == 70


def test_of_temperatures_near_the_best_the_lowest_is_taken() -> None:
    assert lowest_near_best({0.1: 0.1081, 0.15: 0.1149, 0.2: 0.115, 0.3: 0.114}) == 0.15
    assert lowest_near_best({0.1: 0.1, 0.15: 0.115}) == 0.15
