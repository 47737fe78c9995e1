"""Saved figures of small trainings: restructured code must give the same results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.train import train
from kinfolio.records import Snapshot
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import Words, run_of, with_texts

CONFIG = TrainConfig(dim=8, steps=60, batch=64, budget="10h")


@pytest.mark.parametrize(
    ("snapshot", "config", "tau", "heads", "ndcg", "epochs"),
    [
        (with_texts(make_snapshot(seed=8)), replace(CONFIG, quick=True), 0.07, 2, 0.63973, 0.0),
        (make_snapshot(seed=6, has_valid=False), replace(CONFIG, text="off"), 0.2, 2, 0.75527, 53),
        (with_texts(make_snapshot(seed=4)), CONFIG, 0.3, 2, 0.58999, 52),
    ],
    ids=["closed form", "no validation split", "texts compared"],
)
def test_small_trainings_choose_and_score_as_before(
    snapshot: Snapshot,
    config: TrainConfig,
    tau: float,
    heads: int,
    ndcg: float,
    epochs: float,
    tmp_path: Path,
) -> None:
    run = run_of(tmp_path / "run", snapshot)
    trained = train(run, config, cache=tmp_path / "texts", load=Words)
    assert (trained.tau, trained.choice.heads, trained.choice.text) == (tau, heads, config.quick)
    assert trained.valid.recall == 1
    # Equal to the last digit on the machine that saved them; other processors round otherwise.
    assert trained.valid.ndcg == pytest.approx(ndcg, abs=0.02)
    assert trained.epochs == pytest.approx(epochs, abs=8)
