"""`kinfolio runs`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kinfolio.gnn.training.train import train
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, run_of

SHORT = replace(SMALL, text="off")


def test_runs_are_listed_best_first_and_unfinished_ones_are_skipped(
    tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, config in (("good", SHORT), ("quick", replace(SHORT, quick=True, links="off"))):
        run = run_of(tmp_path / "runs" / name, make_snapshot(seed=4))
        train(run, config, cache=tmp_path / "texts")
    (tmp_path / "runs" / "empty").mkdir()
    answer = cli("runs", "--json")
    rows = json.loads(answer.stdout)["runs"]
    assert {row["run"] for row in rows} == {"runs/good", "runs/quick"}
    assert rows[0]["recall@20"] >= rows[1]["recall@20"]
    assert "runs/empty is skipped: " in answer.stderr
    lines = cli("runs", "runs/good").stdout.splitlines()
    assert lines[0].split("\t")[0] == "run"
    assert len(lines) == 2


def test_tensorboard_reads_the_curves_of_a_run(tmp_path: Path, cli: Callable[..., Any]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = run_of(tmp_path / "runs" / "good", make_snapshot(seed=4))
    train(run, SHORT, cache=tmp_path / "texts")
    # Writing twice does not double a step.
    for _ in range(2):
        cli("runs", str(run.folder), "--tensorboard", str(tmp_path / "curves"))
    found = EventAccumulator(str(tmp_path / "curves" / "good" / "head 1"))
    found.Reload()
    (tmp_path / "file").touch()
    answer = cli("runs", str(run.folder), "--tensorboard", str(tmp_path / "file/curves"))
    assert "file cannot be written: it is a file, a folder was expected" in answer.stderr
    assert str(run.folder) in answer.stdout
    evaluations = run.need_info()["history"][0]
    assert [event.step for event in found.Scalars("loss")] == [one["step"] for one in evaluations]
    assert found.Scalars("recall")[-1].value == pytest.approx(evaluations[-1]["recall"])


def test_without_runs_the_next_step_is_printed(
    tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "type: kinfolio train" in cli("runs").stderr
