"""An earlier run whose choices a training repeats, on a newer snapshot of the same graph.

Nothing is searched: temperature, width, texts, cold rate, edge dropout and number of heads are
those of the run. What it held back as the validation set is held back again, with a part of what
is new, so that both models can be compared on interactions that neither has learned from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from kinfolio.errors import NotReady, RunBroken, shell_command
from kinfolio.gnn.data import VALIDATION_FRACTION, has_times, pair_keys, validation_mask
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.model_file import read_model, read_validated
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.search.candidates import Choice
from kinfolio.records import Snapshot
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot
from kinfolio.storage.run_info import RunInfo


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Earlier:
    """The parts of an earlier run that a training repeats."""

    info: RunInfo
    embeddings: Embeddings = field(repr=False)
    """Of the model that has not learned from the validation set."""
    learned: NDArray[np.int64]
    """Keys by `pair_keys` of the interactions that model has learned from, ascending."""
    held_back: NDArray[np.int64]
    """Keys of those held back from it until the last fit; empty where the split `valid` exists."""
    repeats: bool = True
    """Whether its choices are repeated; otherwise they are searched anew."""

    @classmethod
    def read(cls, run: Run, *, repeats: bool = True) -> Earlier:
        """Read a finished run and its snapshot.

        Raises:
            NotReady: it is of an older kinfolio, which does not say what it held back.
            RunBroken: it is damaged, or its snapshot is another than that of the training.
        """
        info, embeddings = read_model(run)
        again = shell_command("export", "--run", run.folder)
        snapshot = read_snapshot(run.need_snapshot())
        if snapshot.hash != embeddings.snapshot:
            raise RunBroken(
                f"{run.folder} has another snapshot than the one its model was trained on; to "
                f"begin anew, type: {again}, then train and writeback"
            )
        if "held_back" not in info:
            raise NotReady(
                f"{run.folder} was trained by an older kinfolio, which did not keep what a newer "
                f"model is compared with; to begin anew, type: {again}, then train and writeback"
            )
        keys = pair_keys(snapshot, snapshot.holdings.split == 0)
        held_back = np.zeros(0, np.int64)
        if info["held_back"]:
            embeddings, held_back = read_validated(run)
        learned = np.setdiff1d(keys, held_back)
        return cls(
            info=info,
            embeddings=embeddings,
            learned=learned,
            held_back=held_back,
            repeats=repeats,
        )

    @property
    def config(self) -> TrainConfig:
        """The config of the run with everything that was chosen; texts are as in `choice`."""
        choice, config = self.info["choice"], replace(config_of(self.info), final=False)
        if not self.repeats:
            return replace(config, dim=0, heads=0, tau=0.0, cold=-1.0, edge_dropout=-1.0)
        return replace(
            config,
            dim=choice["dim"],
            heads=choice["heads"],
            tau=self.info["tau"],
            cold=choice["cold"],
            edge_dropout=choice["edge_dropout"],
        )

    @property
    def choice(self) -> Choice | None:
        """The heads to train; None: to be searched."""
        if not self.repeats:
            return None
        found = self.info["choice"]
        return Choice(
            taus=(self.info["tau"],),
            is_race=False,
            text=found["text"],
            other_text=0.0,
            dim=found["dim"],
            heads=found["heads"],
            cold=found["cold"],
            steps=found["steps"],
            final_steps=found["final_steps"],
            trials=(),
            skipped=(),
        )

    def validation_mask(self, snapshot: Snapshot, seed: int) -> NDArray[np.bool_] | None:
        """Return the interactions to hold back; None where the snapshot has a validation split.

        The latest where all have times; otherwise those held back before, and a part of the new.
        """
        mask = validation_mask(snapshot, seed)
        if mask is None or has_times(snapshot) or not len(self.held_back):
            return mask
        is_train = snapshot.holdings.split == 0
        keys = pair_keys(snapshot, np.ones(len(is_train), np.bool_))
        is_new = ~np.isin(keys, self.learned) & ~np.isin(keys, self.held_back)
        chosen = np.random.default_rng(seed).random(len(keys)) < VALIDATION_FRACTION
        again: NDArray[np.bool_] = np.isin(keys, self.held_back)
        again |= is_new & chosen
        again &= is_train
        return again


def config_of(info: RunInfo) -> TrainConfig:
    """Return the config of a run.

    Raises:
        RunBroken: it is that of another version, or damaged.
    """
    config = info["config"]
    try:
        if set(config) == {field.name for field in fields(TrainConfig)}:
            return TypeAdapter(TrainConfig).validate_json(json.dumps(config), strict=True)
    except ValidationError:
        pass
    raise RunBroken(
        "the run was trained by another version of kinfolio, or the config in its run.json is "
        "damaged, so that nothing can be trained as it was; train it again"
    )
