"""What a training leaves: the model file, then `run.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.gnn.blend import blend
from kinfolio.gnn.data import pair_keys
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.model_file import HELD_BACK
from kinfolio.gnn.ranking import Quality
from kinfolio.gnn.training.context import TrainingContext
from kinfolio.gnn.training.ensemble import Ensemble
from kinfolio.gnn.training.search.candidates import NUM_HEADS, Choice
from kinfolio.gnn.training.search.race import RaceResult
from kinfolio.os_errors import os_errors
from kinfolio.records import Snapshot
from kinfolio.run import Run, write_json
from kinfolio.storage.document import checksum
from kinfolio.storage.temporaries import temporary
from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained(Tabular):
    """What a training did, and its quality on the validation set."""

    epochs: float
    """Passes over the training interactions of the longest head."""
    valid: Quality
    seconds: float
    cpu_seconds: float
    """What the budget is counted in."""
    tau: float
    choice: Choice
    blend: dict[str, Any]  # plain values
    """Weights of all terms."""
    has_stopped: bool
    """Whether the user asked to finish early."""


@dataclass(frozen=True, slots=True, eq=False)
class Validated:
    """The model before the last fit, to be compared with the next one on what was held back."""

    ensemble: Ensemble
    embeddings: Embeddings
    held_back: NDArray[np.int64]

    @classmethod
    def of(
        cls, ensemble: Ensemble, snapshot: Snapshot, held_back: NDArray[np.bool_] | None
    ) -> Validated | None:
        """Return the model, or None where nothing was held back: then the model itself serves.

        The terms of the ensemble change with the last fit, so it is computed before.
        """
        if held_back is None:
            return None
        metrics = _metrics(ensemble.valid)
        embeddings = ensemble.embeddings(snapshot, json.dumps(metrics))
        return cls(ensemble, embeddings, pair_keys(snapshot, held_back))

    def write(self, path: Path) -> None:
        """Write the model with the keys of what was held back."""
        self.ensemble.save(self.embeddings, path, {HELD_BACK: self.held_back})


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """All that a finished training holds."""

    context: TrainingContext
    planned: Choice
    race: RaceResult
    ensemble: Ensemble
    seconds: float
    validated: Validated | None = None

    def summary(self) -> Trained:
        """Return the record of the training."""
        context, members = self.context, self.ensemble.members
        num_interactions = len(self.ensemble.data.user)
        longest = max(one.best_step for one in members)
        epochs = longest * context.config.batch_size(num_interactions) / num_interactions
        return Trained(
            epochs=round(epochs, 2),
            valid=self.ensemble.valid,
            seconds=self.seconds,
            cpu_seconds=round(context.budget.spent, 1),
            tau=self.race.tau,
            choice=self._choice(),
            blend=blend.report(self.ensemble.terms),
            has_stopped=context.budget.is_stopped(),
        )

    def _choice(self) -> Choice:
        """Return what the search planned, updated by what was trained."""
        choice, race = self.planned, self.race
        skipped, final_steps = choice.skipped, choice.final_steps
        if len(race.heads) > choice.heads:
            skipped = tuple(name for name in skipped if name != f"{NUM_HEADS} heads")
        if self.ensemble.is_refitted:
            final_steps = self.ensemble.members[0].spec.steps
        return replace(
            choice,
            heads=max(choice.heads, len(race.heads)),
            text=race.heads[0].spec.has_text,
            final_steps=final_steps,
            skipped=skipped + race.skipped,
        )

    def write(self, run: Run, snapshot: Snapshot, versions: dict[str, str]) -> Trained:
        """Write the model file and `run.json`, without which a run is unfinished."""
        trained, context = self.summary(), self.context
        metrics = _metrics(trained.valid)
        embeddings = self.ensemble.embeddings(snapshot, json.dumps(metrics))
        report = _report(self, trained, snapshot) | {"metrics": metrics, "versions": versions}
        # Both files are written before the first takes its place.
        with (
            os_errors(run.folder, cure="give another --run"),
            temporary(run.folder, ".model.new-", is_folder=True) as new,
        ):
            model, info = new / run.model.name, new / run.info.name
            self.ensemble.save(embeddings, model)
            report["checksums"] = {model.name: checksum(model)}
            if self.validated is not None:
                validated = new / run.validated.name
                self.validated.write(validated)
                report["checksums"][validated.name] = checksum(validated)
                validated.replace(run.validated)
            else:
                run.validated.unlink(missing_ok=True)
            write_json(info, report)
            model.replace(run.model)
            info.replace(run.info)
        if not trained.has_stopped:
            context.checkpoints.clear()
        return trained


def _metrics(valid: Quality) -> dict[str, dict[str, float]]:
    return {"valid": {"recall@20": valid.recall, "ndcg@20": valid.ndcg}}


def _report(
    outcome: Outcome, trained: Trained, snapshot: Snapshot
) -> dict[str, Any]:  # a JSON document
    context, budget, ensemble = outcome.context, outcome.context.budget, outcome.ensemble
    has_learned_valid = ensemble.is_refitted and context.has_valid_split
    return {
        "config": asdict(context.config),
        "tau": trained.tau,
        "choice": trained.choice.report() | outcome.race.report(),
        "blend": trained.blend,
        "budget": {
            "cpu_seconds": budget.seconds,
            "spent": round(budget.spent, 1),
            "spent_until": {name: round(at, 1) for name, at in budget.spent_until.items()},
        },
        "learned_from": ["train", "valid"] if has_learned_valid else ["train"],
        "held_back": outcome.validated is not None,
        "stopped": trained.has_stopped,
        "history": [[asdict(point) for point in one.history] for one in ensemble.members],
        "epochs": trained.epochs,
        "seconds": trained.seconds,
        "data": {
            "snapshot": snapshot.hash,
            "users": snapshot.num_users,
            "products": snapshot.num_products,
            "training_interactions": len(ensemble.data.user),
        },
    }
