"""The search: which candidate to train in full, decided one hyperparameter after the other.

Every decision compares short trials on the validation set, as far as the budget goes. Another
search replaces `Search.run`, which returns a `Choice`.
"""

from __future__ import annotations

import math
from dataclasses import replace

from kinfolio.gnn.blend.selection import hill_climb
from kinfolio.gnn.training.context import TrainingContext
from kinfolio.gnn.training.inputs import TrainingInputs
from kinfolio.gnn.training.search.candidates import (
    COLD_RATES,
    DIMS,
    FIRST_TAU,
    NUM_HEADS,
    TAUS,
    Candidate,
    Choice,
    Trial,
    first_cold_rate,
)
from kinfolio.gnn.training.search.race import ENOUGH, MIN_STEPS, RACED, lowest_near_best
from kinfolio.gnn.training.search.trials import Trials

_LARGE = 100_000
"""Interactions from which the wider head is taken untried: it was better wherever it was tried."""
_FINALISTS = 2
"""Temperatures trained in full; one more where the budget is ample."""
_AMPLE = 2
"""Multiple of the planned cost."""
_UNDECIDED = 0.95
"""A gain or loss of less than this by texts in a trial may reverse in a full training."""
_RACE_STEPS = 0.4
"""Fraction of the steps with which full trainings separate two temperatures."""
_MIN_EPOCHS = 5
"""Epochs, and at least `_RACE_STEPS`, with which a second head is worth its time."""


class Search:
    """Decide temperature, texts, width, cold rate, heads and steps."""

    def __init__(self, inputs: TrainingInputs, context: TrainingContext) -> None:
        self._inputs, self._context = inputs, context
        self._config, self._budget = context.config, context.budget
        self._trials = Trials(inputs, context)
        self._skipped: list[str] = []

    def run(self) -> Choice:
        """Return the heads to train in full.

        Raises:
            KeyboardInterrupt: the user asked to finish early.
        """
        config = self._config
        best = Candidate(
            tau=config.tau or FIRST_TAU,
            text=self._inputs.text is not None and config.text == "on",
            dim=config.dim or DIMS[0],
            cold=first_cold_rate(config),
        )
        best = self._choose_tau(best)
        best = self._choose_text(best)
        best = self._choose_dim(best)
        best = self._choose_cold(best)
        best, other_text = self._compare_text(best)
        heads = self._choose_heads(best)
        taus, is_race, number = self._choose_finalists(best, heads)
        steps, final_steps = self._plan_steps(best, heads, number)
        self._budget.end_phase("choosing")
        return Choice(
            taus=taus,
            is_race=is_race,
            text=best.text,
            other_text=round(other_text, 3),
            dim=best.dim,
            heads=heads,
            cold=best.cold,
            steps=steps,
            final_steps=final_steps,
            trials=tuple(self._trials.done.values()),
            skipped=tuple(self._skipped),
        )

    def _value(self, candidate: Candidate) -> float:
        return self._trials.run(candidate).value

    def _choose_tau(self, start: Candidate) -> Candidate:
        if self._config.tau:
            return start
        tau = hill_climb(TAUS, lambda tau: self._value(replace(start, tau=tau)), start=start.tau)
        return replace(start, tau=tau)

    def _choose_text(self, start: Candidate) -> Candidate:
        config = self._config
        if self._inputs.text is None or config.text == "off":
            return start
        if config.text == "auto":
            self._trials.run(replace(start, text=False))
        rates = COLD_RATES[:2] if config.cold < 0 and not config.quick else (start.cold,)
        for rate in rates:
            if rate == rates[0]:
                self._trials.run(replace(start, text=True, cold=rate))
            elif not self._has_time(start):
                self._skipped.append(f"cold {rate:g}")
            elif self._best_at(start.tau).text:
                self._trials.run(replace(start, text=True, cold=rate))
        found = self._best_at(start.tau)
        if not found.text:
            return replace(start, text=False)
        best = replace(start, text=True, cold=found.cold)
        if config.tau:
            return best
        # With texts another temperature may be better.
        tau = hill_climb(
            TAUS,
            lambda tau: (
                self._value(replace(best, tau=tau))
                if tau == best.tau or self._has_time(best)
                else -math.inf
            ),
            start=best.tau,
        )
        return replace(best, tau=tau)

    def _choose_dim(self, best: Candidate) -> Candidate:
        config = self._config
        if config.dim:
            return best
        self._trials.run(best)
        wide = replace(best, dim=DIMS[-1])
        if len(self._inputs.data.user) >= _LARGE and not config.quick:
            return wide
        if self._has_time(wide):
            return max((replace(best, dim=dim) for dim in DIMS), key=self._value)
        heads = self._context.rounds * (config.heads or 1)
        if self._budget.left_for_heads > self._trials.full_cost(wide, heads, config.steps / 2):
            # A slow trial means a large set, and large sets do better with width.
            self._skipped.append(f"dim {DIMS[0]} beside {DIMS[-1]}")
            return wide
        self._skipped.append(f"dim {DIMS[-1]}")
        return best

    def _choose_cold(self, best: Candidate) -> Candidate:
        if not (best.text and best.cold == COLD_RATES[1] and self._config.cold < 0):
            return best
        colder = replace(best, cold=COLD_RATES[2])
        if not self._has_time(best):
            self._skipped.append(f"cold {COLD_RATES[2]:g}")
        elif self._value(colder) > self._value(best):
            return colder
        return best

    def _compare_text(self, best: Candidate) -> tuple[Candidate, float]:
        """Return the relative cost of the other use of texts; 0 where trials separate them."""
        config, trials = self._config, self._trials
        if self._inputs.text is None or config.text != "auto" or config.quick:
            return best, 0.0
        with_text, without = (
            max(
                (one for one in trials.done.values() if (one.text, one.dim) == (use, self._dim)),
                key=lambda trial: trial.value,
            )
            for use in (True, False)
        )
        if not best.text:
            best = replace(best, cold=with_text.cold)
        worse, better = sorted((with_text.value, without.value))
        if worse < _UNDECIDED * better:
            return best, 0.0
        other = trials.step_seconds(best.dim, not best.text)
        return best, other / trials.step_seconds(best.dim, best.text)

    def _choose_heads(self, best: Candidate) -> int:
        config = self._config
        heads = config.heads or NUM_HEADS
        if config.heads or config.quick or not self._trials.done:
            return heads
        num_interactions = len(self._inputs.data.user)
        epochs = _MIN_EPOCHS * num_interactions / config.batch_size(num_interactions)
        steps = min(ENOUGH * config.steps, max(_RACE_STEPS * config.steps, epochs))
        number = self._context.rounds * heads
        if self._budget.left_for_heads < self._trials.full_cost(best, number, steps):
            self._skipped.append(f"{NUM_HEADS} heads")
            return 1
        return heads

    def _choose_finalists(
        self, best: Candidate, heads: int
    ) -> tuple[tuple[float, ...], bool, float]:
        """Return the temperatures to train in full, whether they race, and trainings in full."""
        config, trials, budget = self._config, self._trials, self._budget
        number = float(self._context.rounds * heads)
        if config.tau or config.quick:
            return (best.tau,), False, number
        is_race = budget.left_for_heads < trials.full_cost(best, number + _FINALISTS - 1)
        by_value = sorted(trials.done.values(), key=lambda trial: trial.value)
        tried = {
            trial.tau: trial.value
            for trial in by_value
            if (trial.text, trial.dim) == (best.text, self._dim)
        }
        tau = lowest_near_best(tried) if is_race else max(tried, key=tried.__getitem__)
        # Few temperatures were tried with all that was chosen since; earlier trials order them too.
        by_use = sorted(by_value, key=lambda trial: (trial.text == best.text, trial.value))
        values = {trial.tau: trial.value for trial in by_use}
        others = sorted((one for one in values if one != tau), key=lambda one: -values[one])
        more = number + (RACED if is_race else 1) * (_FINALISTS - 1)
        if len(others) > 1 and budget.left_for_heads > _AMPLE * trials.full_cost(
            best, number + _FINALISTS
        ):
            return (tau, *others[:_FINALISTS]), is_race, number + _FINALISTS
        if others and budget.left_for_heads > trials.full_cost(
            best, more, _RACE_STEPS * config.steps
        ):
            return (tau, *others[: _FINALISTS - 1]), is_race, more
        if others:
            self._skipped.append(f"tau {others[0]:g} in full")
        return (tau,), is_race, number

    def _plan_steps(self, best: Candidate, heads: int, number: float) -> tuple[int, int]:
        """Return the steps of each head, and of each head of the refit."""
        config = self._config
        steps = final_steps = 0 if config.quick else config.steps
        if not (steps and self._trials.done):
            return steps, final_steps
        fewest = min(MIN_STEPS, steps)
        cost = self._trials.full_cost(best, number)
        affordable = int(steps * self._budget.left_for_heads / cost)
        if not self._context.is_refitted:
            steps = min(steps, max(fewest, affordable))
            return steps, steps
        # Without time for both rounds, the refit, whose heads are used, goes first.
        final_steps = min(config.steps, max(fewest, affordable * 4 // 3))
        first = int((number * affordable - heads * final_steps) / (number - heads))
        return min(config.steps, max(fewest, first)), final_steps

    @property
    def _dim(self) -> int:
        """The width of the first trials."""
        return self._config.dim or DIMS[0]

    def _has_time(self, candidate: Candidate) -> bool:
        """Return whether one more trial, and the full trainings after it, are affordable."""
        config = self._config
        if config.quick:
            return True
        slowest = max(trial.cpu_seconds for trial in self._trials.done.values())
        widest = replace(candidate, dim=config.dim or DIMS[-1])
        number = self._context.rounds * (config.heads or 1)
        full = self._trials.full_cost(widest, number, ENOUGH * config.steps)
        return self._budget.left_for_heads > slowest * candidate.dim / self._dim + full

    def _best_at(self, tau: float) -> Trial:
        """Return the best trial at a temperature with a use of texts that the config allows."""
        config = self._config
        return max(
            (
                trial
                for trial in self._trials.done.values()
                if trial.tau == tau
                and (config.text == "auto" or trial.text == (config.text == "on"))
            ),
            key=lambda trial: trial.value,
        )
