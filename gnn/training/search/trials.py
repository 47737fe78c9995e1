"""Short trainings of candidates, and what steps cost."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache

import numpy as np

from kinfolio.gnn.training.context import TrainingContext
from kinfolio.gnn.training.head_trainer import HeadTrainer
from kinfolio.gnn.training.heads import HeadSpec
from kinfolio.gnn.training.inputs import TrainingInputs
from kinfolio.gnn.training.search.candidates import (
    DIMS,
    FIRST_TAU,
    Candidate,
    Trial,
    first_cold_rate,
)

_STEPS = 150
"""Shorter trials mislead: the order of temperatures is not settled before."""
_BATCH = 4096
"""Maximum batch of a trial; the order is the same as with twice as many."""
_TIMED_STEPS = 8
_EVALUATION_OVERHEAD = 1.15
"""Cost of a training relative to its steps alone."""


class Trials:
    """Trains each candidate once and keeps the results."""

    def __init__(self, inputs: TrainingInputs, context: TrainingContext) -> None:
        self._inputs, self._context = inputs, context
        self._cold_score = inputs.cold_score(context.config.dim or DIMS[0])
        self.done: dict[Candidate, Trial] = {}
        self.step_seconds = cache(self._measure_step)
        """CPU seconds of a step of a full training by (dim, has_text), measured once."""

    def run(self, candidate: Candidate) -> Trial:
        """Train a candidate, unless it was trained before.

        Raises:
            KeyboardInterrupt: the user asked to finish early.
        """
        if candidate in self.done:
            return self.done[candidate]
        context, config = self._context, self._context.config
        if context.budget.is_stopped():
            raise KeyboardInterrupt
        text = f" with text, cold {candidate.cold:g}" if candidate.text else ""
        batch = min(config.batch_size(len(self._inputs.data.user)), _BATCH)
        trained = HeadTrainer(
            self._inputs,
            self._spec(candidate, 0 if config.quick else min(_STEPS, config.steps)),
            replace(config, batch=batch),
            checkpoints=context.checkpoints,
            on_step=context.callback(f"trying tau {candidate.tau:g}{text}, dim {candidate.dim}"),
            cold_score=None if candidate.text else self._cold_score,
        ).run_until(_STEPS)
        assert trained.valid is not None
        context.budget.spend(trained.cpu_seconds)
        trial = Trial(
            tau=candidate.tau,
            text=candidate.text,
            dim=candidate.dim,
            cold=candidate.cold,
            recall=trained.valid.recall,
            ndcg=trained.valid.ndcg,
            cpu_seconds=round(trained.cpu_seconds, 2),
        )
        self.done[candidate] = trial
        return trial

    def full_cost(self, candidate: Candidate, number: float, steps: float | None = None) -> float:
        """Return the CPU seconds of a number of full trainings.

        Args:
            candidate: width and use of texts.
            number: of trainings.
            steps: of each; None: as configured.
        """
        config = self._context.config
        if config.quick:
            return 0.0
        steps = config.steps if steps is None else steps
        seconds = self.step_seconds(candidate.dim, candidate.text)
        return number * steps * _EVALUATION_OVERHEAD * seconds

    def _measure_step(self, dim: int, has_text: bool) -> float:
        context = self._context
        key = {"measured": "seconds of a step", "dim": dim, "has_text": has_text}
        saved = context.checkpoints.load(key)
        if saved is not None:
            seconds = float(saved["seconds"])
        else:
            clock: list[float] = []
            candidate = Candidate(FIRST_TAU, has_text, dim, first_cold_rate(context.config))
            HeadTrainer(
                self._inputs,
                self._spec(candidate, _TIMED_STEPS, stop_at=_TIMED_STEPS),
                context.config,
                on_step=lambda *_: clock.append(time.process_time()),
            ).run_until(_TIMED_STEPS)
            seconds = float(np.median(np.diff(clock)))
            context.checkpoints.save(key, {"seconds": seconds})
        context.budget.spend(_TIMED_STEPS * seconds)
        return seconds

    def _spec(self, candidate: Candidate, steps: int, stop_at: int | None = None) -> HeadSpec:
        config = self._context.config
        return HeadSpec(
            role="trial",
            tau=candidate.tau,
            has_text=candidate.text,
            dim=candidate.dim,
            cold=candidate.cold,
            edge_dropout=max(0.0, config.edge_dropout),
            seed=config.seed,
            steps=steps,
            stop_at=stop_at,
        )
