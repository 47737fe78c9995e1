"""The training of a refresh: as the run of the version that serves, then compared with it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kinfolio.api.refreshing.records import RefreshConfig
from kinfolio.errors import FileError, NotReady, RunBroken
from kinfolio.gnn.evaluation.gate import Gate, compare_runs
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.earlier import Earlier
from kinfolio.gnn.training.train import train
from kinfolio.records import Progress
from kinfolio.run import Run
from kinfolio.storage.manifest import read_manifest


def train_again(
    run: Run, serving: Run, config: RefreshConfig, cache: Path, progress: Progress
) -> Gate:
    """Train on the snapshot of a run as the serving run was trained; compare the two models.

    A training that is done already, or was interrupted, is not repeated.
    """
    earlier = Earlier.read(serving, repeats=not config.search)
    settings = replace(earlier.config, **_given(config))
    if not _is_trained(run, settings):
        train(run, settings, cache=cache, progress=progress, earlier=earlier)
    progress("comparing the two models", 0, 0)
    return compare_runs(earlier, run)


def train_first(run: Run, config: RefreshConfig, cache: Path, progress: Progress) -> None:
    """Train the first model of a graph, all hyperparameters searched."""
    settings = TrainConfig(**_given(config))
    if not _is_trained(run, settings):
        train(run, settings, cache=cache, progress=progress)


def _given(config: RefreshConfig) -> dict[str, Any]:  # values of the fields of `TrainConfig`
    found = {name: getattr(config, name) for name in ("budget", "seed", "device")}
    return {name: value for name, value in found.items() if value is not None}


def _is_trained(run: Run, settings: TrainConfig) -> bool:
    try:
        info = run.need_info()
        snapshot = read_manifest(run.snapshot)["hash"]
    except (NotReady, RunBroken, FileError):
        return False
    return (info["config"], info["data"]["snapshot"]) == (asdict(settings), snapshot)
