"""The race: heads of the finalists, trained in full; the best on the validation set stay.

Another race replaces `Race.run`, which returns a `RaceResult`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from kinfolio.gnn.blend.selection import smallest_within_error
from kinfolio.gnn.ranking import Quality, UserMetrics, per_user_metrics
from kinfolio.gnn.training.context import TrainingContext
from kinfolio.gnn.training.head_trainer import HeadTrainer, last_evaluation, score_heads
from kinfolio.gnn.training.heads import HeadSpec, TrainedHead
from kinfolio.gnn.training.inputs import TrainingInputs
from kinfolio.gnn.training.search.candidates import EDGE_DROPOUT, NUM_HEADS, Choice

_SEED_STRIDE = 1000
"""Distance between the seeds of two trainings, so that their heads never share one."""
MIN_STEPS = 100
"""Minimum number of steps of a head, even beyond the budget."""
RACED = 0.5
"""Fraction of the steps after which the worse of two temperatures stops."""
_NEAR_BEST = 0.985
"""Of temperatures this close to the best, the lowest is taken when time is short: a full training
is wider and longer than a trial, and favours a lower one."""
ENOUGH = 2 / 3
"""Fraction of the configured steps that trials must leave time for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RaceResult:
    """The heads that won, and the comparisons on the way."""

    tau: float
    heads: list[TrainedHead]
    text_trials: dict[bool, Quality] = field(default_factory=dict)
    """Quality of the first head with and without texts after as many steps; empty: not compared."""
    edge_dropout_trials: tuple[TrainedHead, ...] = ()
    """The first head without and with edge dropout; empty: not compared."""
    skipped: tuple[str, ...] = ()
    """What the budget did not allow to try."""

    def report(self) -> dict[str, object]:
        """Return the comparisons for `run.json`."""
        return {
            "edge_dropout": self.heads[0].spec.edge_dropout,
            "edge_dropout_trials": [
                {"edge_dropout": one.spec.edge_dropout, **asdict(one.valid)}
                for one in self.edge_dropout_trials
                if one.valid
            ],
            "text_trials": [
                {"text": text, **asdict(quality)} for text, quality in self.text_trials.items()
            ],
        }


class Race:
    """Trains the first head of each finalist, then the other members of the ensemble."""

    def __init__(self, inputs: TrainingInputs, context: TrainingContext, choice: Choice) -> None:
        config = context.config
        self._inputs, self._context, self._choice = inputs, context, choice
        self._budget = context.budget
        self._steps = 0 if config.quick else choice.steps or config.steps
        self._is_open = not (config.heads or config.quick or context.is_refitted)
        self._cold_score = inputs.cold_score(choice.dim)
        self._text_trials: dict[bool, Quality] = {}
        self._edge_dropout_trials: tuple[TrainedHead, ...] = ()
        self._skipped: list[str] = []

    def run(self) -> RaceResult:
        """Return the heads of the best temperature and use of texts.

        If the budget allows, the first head is also trained with the other use of texts for half
        the steps (texts stay if they are better by two standard errors), and with edge dropout
        (the better one stays). When the user asks to finish early, the heads trained by then.
        """
        choice = self._choice
        half = last_evaluation(RACED * self._steps)
        is_race, is_paused = choice.is_race, choice.is_race or choice.other_text > 0
        first = self._trainer(self._spec(choice.taus[0], choice.text))
        result = first.run_until(half if is_paused else self._steps)
        if choice.other_text and not self._budget.is_stopped():
            if self._has_time_for_text(result):
                first, result = self._compare_text(first, result, half)
                is_race = is_race or not self._has_time_for_taus(result)
            else:
                self._skipped.append("texts in full")
        if is_paused and not is_race and not self._budget.is_stopped():
            result = first.run_until(self._steps)
        best = self._compare_taus(first, result, half if is_race else None)
        heads = self._ensemble(self._compare_edge_dropout(best))
        self._budget.end_phase("heads")
        return RaceResult(
            tau=heads[0].spec.tau,
            heads=heads,
            text_trials=self._text_trials,
            edge_dropout_trials=self._edge_dropout_trials,
            skipped=tuple(self._skipped),
        )

    def _compare_text(
        self, first: HeadTrainer, result: TrainedHead, half: int
    ) -> tuple[HeadTrainer, TrainedHead]:
        """Train the other use of texts to the half and return the better one."""
        other = self._trainer(replace(first.spec, has_text=not first.spec.has_text))
        trainers = {trainer.spec.has_text: trainer for trainer in (first, other)}
        results = {first.spec.has_text: result, other.spec.has_text: other.run_until(half)}
        self._text_trials = {use: one.valid for use, one in results.items() if one.valid}
        data = self._inputs.data

        def metrics(use: float) -> UserMetrics:
            return per_user_metrics(
                score_heads([results[bool(use)].head], data.matrix),
                data.interactions,
                data.validation,
                cold=data.cold_products,
                cold_score=None if use else self._cold_score,
            )

        with self._budget.counted():
            best = bool(smallest_within_error((0.0, 1.0), metrics))
        return trainers[best], results[best]

    def _compare_taus(
        self, first: HeadTrainer, result: TrainedHead, half: int | None
    ) -> TrainedHead:
        """Return the first head of the best temperature; in a race, decided halfway."""
        trainers, results = {first.spec.tau: first}, {first.spec.tau: result}
        for tau in self._choice.taus[1:]:
            if not self._budget.is_stopped():
                trainers[tau] = self._trainer(replace(first.spec, tau=tau))
                results[tau] = trainers[tau].run_until(half or self._steps)
        values = {tau: one.value for tau, one in results.items()}
        best = max(values, key=values.__getitem__) if half is None else lowest_near_best(values)
        if half is not None and not self._budget.is_stopped():
            return trainers[best].run_until(self._steps)
        return results[best]

    def _compare_edge_dropout(self, best: TrainedHead) -> TrainedHead:
        """Train the head with edge dropout too and return the better one."""
        config = self._context.config
        if config.edge_dropout >= 0 or config.quick or self._budget.is_stopped():
            return best
        if self._budget.left_for_heads <= self._num_trainings * best.cpu_seconds:
            self._skipped.append("edge dropout")
            return best
        other = self._trainer(replace(best.spec, edge_dropout=EDGE_DROPOUT)).run_until(self._steps)
        self._edge_dropout_trials = best, other
        return max(self._edge_dropout_trials, key=lambda one: one.value)

    def _ensemble(self, first: TrainedHead) -> list[TrainedHead]:
        """Train the other members: heads that differ from the first in their seed."""
        heads = [first]
        while self._has_room(heads) and not self._budget.is_stopped():
            # The first one's cost is a better estimate than that of the search.
            others = max(1, self._choice.heads * self._context.rounds - len(heads))
            steps = affordable_steps(heads, others, self._steps, self._budget.left_for_heads)
            number = len(heads)
            seed = self._seed(number)
            spec = replace(first.spec, number=number, seed=seed, steps=steps)
            heads.append(self._trainer(spec).run_until(steps))
        if not self._budget.is_stopped():
            return heads
        # A head that was only begun may be worse than none.
        return [one for one in heads if one.value >= first.value]

    def refit(self, inputs: TrainingInputs, heads: list[TrainedHead]) -> list[TrainedHead]:
        """Train the same heads on other data, without validation; learning curves stay.

        A head stops at the fraction of its steps that was best on the validation set.
        """
        steps = affordable_steps(
            heads, len(heads), self._context.config.steps, self._budget.left_for_refit
        )
        if self._context.config.quick:
            steps = 0
        refitted = []
        for one in heads:
            stop_at = round(steps * one.best_step / max(1, one.spec.steps))
            spec = replace(one.spec, role="final head", steps=steps, stop_at=stop_at)
            result = self._trainer(spec, inputs).run_until(stop_at)
            refitted.append(replace(result, history=one.history))
        return refitted

    def _spec(self, tau: float, has_text: bool) -> HeadSpec:
        config, choice = self._context.config, self._choice
        return HeadSpec(
            role="head",
            tau=tau,
            has_text=has_text,
            dim=choice.dim,
            cold=choice.cold,
            edge_dropout=max(0.0, config.edge_dropout),
            seed=self._seed(0),
            steps=self._steps,
        )

    def _trainer(self, spec: HeadSpec, inputs: TrainingInputs | None = None) -> HeadTrainer:
        choice = self._choice
        label = f"{spec.role} {spec.number + 1} of {choice.heads}, tau {spec.tau:g}"
        if spec.has_text != choice.text:
            label += f" {'with' if spec.has_text else 'without'} texts"
        if spec.edge_dropout > 0:
            label += f", edge dropout {spec.edge_dropout:g}"
        return HeadTrainer(
            inputs or self._inputs,
            spec,
            self._context.config,
            budget=self._budget,
            checkpoints=self._context.checkpoints,
            on_step=self._context.callback(label),
            cold_score=None if spec.has_text else self._cold_score,
        )

    def _seed(self, number: int) -> int:
        return self._context.config.seed * _SEED_STRIDE + number

    @property
    def _max_heads(self) -> int:
        """Heads that are trained if training took less than planned."""
        return max(self._choice.heads, NUM_HEADS if self._is_open else 0)

    @property
    def _num_trainings(self) -> int:
        """Full trainings still planned, the refit included."""
        return self._max_heads * self._context.rounds

    def _has_time_for_text(self, first: TrainedHead) -> bool:
        # Half a head of the other kind and the rest as planned, or all of the other kind.
        cost = self._choice.other_text
        planned = self._num_trainings + RACED * (len(self._choice.taus) - 1)
        needed = max(RACED * cost + planned, ENOUGH * cost * planned)
        return self._budget.left_for_heads > needed * self._full_seconds(first)

    def _has_time_for_taus(self, first: TrainedHead) -> bool:
        needed = self._num_trainings - RACED + len(self._choice.taus) - 1
        return self._budget.left_for_heads > needed * self._full_seconds(first)

    def _full_seconds(self, paused: TrainedHead) -> float:
        """Return the CPU seconds of a full training, extrapolated from a paused one."""
        return paused.cpu_seconds * self._steps / max(1, paused.trained_steps)

    def _has_room(self, heads: list[TrainedHead]) -> bool:
        return len(heads) < self._choice.heads or (
            len(heads) < self._max_heads and self._budget.left_for_heads > heads[-1].cpu_seconds
        )


def lowest_near_best(values: dict[float, float]) -> float:
    """Return the lowest temperature whose value is near the best.

    Args:
        values: selection criterion by temperature.
    """
    best = max(values.values())
    return min(tau for tau, value in values.items() if value >= _NEAR_BEST * best)


def affordable_steps(done: list[TrainedHead], number: int, most: int, seconds: float) -> int:
    """Return the steps that each of some heads may take, judging by those trained before.

    Args:
        done: heads of the same width and inputs.
        number: heads to train.
        most: maximum number of steps.
        seconds: CPU seconds for all of them.
    """
    taken = sum(one.trained_steps for one in done)
    if not taken:
        return most
    per_step = sum(one.cpu_seconds for one in done) / taken
    return min(most, max(MIN_STEPS, int(seconds / (number * per_step))))
