"""What is left open, chosen on the validation part with short heads, as far as the budget goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np
from torch import Tensor

from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.svd_init import SvdStart
from kinfolio.gnn.ranking import Quality
from kinfolio.gnn.training.budget import Budget
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.head_trainer import Watch, fit_head
from kinfolio.gnn.training.heads import (
    ENOUGH,
    FEWEST_STEPS,
    RACED,
    TextInputs,
    kinds_of,
    lowest_as_good,
    ranks_by_text,
)

TAUS = (0.07, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7)
"""Temperatures tried, walking from `_FIRST_TAU` for as long as it gets better."""
_FIRST_TAU = 0.15
"""Large sets, for which a trial takes long, want about this; small ones can afford to walk on."""
DIMS = (64, 128)
"""Widths of a head: small sets do better with the first, large ones with the second."""
_LARGE = 100_000
"""Interactions from which the wider one is taken untried: it was better wherever it was tried."""
HEADS = 2
"""Heads, where the budget allows them: width pays more, so one wide head goes before two narrow."""
COLDS = (0.1, 0.3, 0.5)
"""Parts of the nodes that play unseen, with texts."""
_SHORT_STEPS = 150
"""Shorter trials mislead: the order of temperatures is not settled before."""
_SHORT_BATCH = 4096
"""Interactions a step of a trial at most: they tell the order as well as twice as many."""
_FINALISTS = 2
"""Temperatures trained in full; one more where time is ample."""
_AMPLE = 2
"""Times what is planned."""
_OPEN = 0.95
"""What texts lose or gain less than this in a trial may turn round in full."""
_FEW = 0.4
"""Part of the steps with which heads say which of two temperatures is better."""
_TIMED = 8
"""Steps that tell what a step takes."""
_LOOKS = 1.15
"""A training takes so much more than its steps, for looks at the validation part."""
_EPOCHS = 5
"""Passes over the data, and at least so few steps, with which a second head is worth its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One thing tried, how good it was on the validation part, and what it took."""

    tau: float
    text: bool
    dim: int
    cold: float
    recall: float
    ndcg: float
    cpu_seconds: float

    @property
    def value(self) -> float:
        """What is compared."""
        return Quality(recall=self.recall, ndcg=self.ndcg).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What heads to train in full, with all that was tried for it."""

    taus: tuple[float, ...]
    """One, or the two or three best: short trials cannot tell neighbours apart."""
    is_race: bool
    """Whether the worse of two is to stop halfway, for want of time."""
    text: bool
    other_text: float
    """What a step with the other use of texts takes beside one as chosen, where short trials cannot
    tell them apart; 0: they can."""
    dim: int
    heads: int
    cold: float
    steps: int
    """As asked for, or fewer where the budget does not allow them."""
    final_steps: int
    """The same for a second round, which learns from all: as planned, then as it turned out."""
    trials: tuple[Trial, ...]
    skipped: tuple[str, ...]
    """What was not tried for want of time."""

    def report(self) -> dict[str, object]:
        """For `run.json`."""
        return asdict(self)


def choose(
    data: TrainingData,
    text: TextInputs | None,
    config: TrainConfig,
    start: SvdStart,
    budget: Budget,
    watch: Callable[[str], Watch],
    *,
    rounds: int,
    checkpoints: Checkpoints | None = None,
) -> Choice:
    """Temperatures, use of texts, width and cold rate worth a full training.

    Args:
        data: with a validation part in `wanted`.
        text: text inputs of a width, or None when there are none.
        config: what is fixed there is not tried.
        start: of the products' ids.
        budget: what is left of it bounds what is tried.
        watch: makes a watcher for a named trial.
        rounds: how often the heads will be trained in full.
        checkpoints: where trials are kept.

    Raises:
        KeyboardInterrupt: somebody asks to finish, and nothing worth keeping is there yet.
    """
    by_text = ranks_by_text(data, text, config.dim or DIMS[0])
    steps = 0 if config.quick else min(_SHORT_STEPS, config.steps)
    first_dim = config.dim or DIMS[0]
    widest = config.dim or DIMS[-1]
    size = config.batch_size(len(data.user))
    short = min(size, _SHORT_BATCH)
    first_cold = COLDS[0] if config.cold < 0 else config.cold
    done: dict[tuple[float, bool, int, float], Trial] = {}

    def attempt(tau: float, has_text: bool, dim: int, cold: float) -> Trial:
        key = (tau, has_text, dim, cold)
        if key not in done:
            if budget.is_stopped():
                raise KeyboardInterrupt
            unseen = f" with text, {cold:g} unseen" if has_text else ""
            label = f"trying tau {tau:g}{unseen}, {dim} wide"
            fitted = fit_head(
                data,
                kinds_of(text, dim) if has_text else None,
                replace(config, dim=dim, cold=cold, batch=short),
                start=start,
                tau=tau,
                seed=config.seed,
                steps=steps,
                watch=watch(label),
                checkpoints=checkpoints,
                name=f"trial tau {tau:g} text {has_text} dim {dim} cold {cold:g}",
                score_apart=None if has_text else by_text,
            )
            assert fitted.valid is not None
            budget.spend(fitted.cpu_seconds)
            done[key] = Trial(
                tau=tau,
                text=has_text,
                dim=dim,
                cold=cold,
                recall=fitted.valid.recall,
                ndcg=fitted.valid.ndcg,
                cpu_seconds=round(fitted.cpu_seconds, 2),
            )
        return done[key]

    @cache
    def step_cost(dim: int, has_text: bool) -> float:
        seconds = seconds_of_step(
            data,
            kinds_of(text, dim) if has_text else None,
            replace(config, dim=dim, cold=first_cold),
            start,
            checkpoints,
        )
        budget.spend(_TIMED * seconds)
        return seconds

    def full_cost(dim: int, number: float, steps_each: float = config.steps) -> float:
        """CPU seconds of as many full trainings."""
        if config.quick:
            return 0.0
        return number * steps_each * _LOOKS * step_cost(dim, has_text)

    def has_time(dim: int) -> bool:
        """Whether one more trial, and the full trainings after it, can be afforded."""
        trial = max(trial.cpu_seconds for trial in done.values()) * dim / first_dim
        full = full_cost(widest, rounds * (config.heads or 1), ENOUGH * config.steps)
        return config.quick or budget.left_for_heads > trial + full

    def allows(has_text: bool) -> bool:
        return config.text == "auto" or has_text == (config.text == "on")

    def best_at(tau: float) -> Trial:
        tried = [trial for trial in done.values() if trial.tau == tau and allows(trial.text)]
        return max(tried, key=lambda trial: trial.value)

    skipped: list[str] = []
    has_text = text is not None and config.text == "on"
    tau = config.tau or _FIRST_TAU
    dim, cold = first_dim, first_cold
    if not config.tau:
        tau = walk(TAUS, lambda value: attempt(value, has_text, dim, cold).value, start=tau)
    if text is not None and config.text != "off":
        if config.text == "auto":
            attempt(tau, False, dim, cold)
        rates = COLDS[:2] if config.cold < 0 and not config.quick else (cold,)
        for rate in rates:
            if rate == rates[0]:
                attempt(tau, True, dim, rate)
            elif not has_time(dim):
                skipped.append(f"cold {rate:g}")
            elif best_at(tau).text:
                attempt(tau, True, dim, rate)
        best = best_at(tau)
        has_text, cold = best.text, best.cold if best.text else cold
        if has_text and not config.tau:
            # Texts may want another temperature.
            tau = walk(
                TAUS,
                lambda value: (
                    attempt(value, True, dim, cold).value
                    if value == tau or has_time(dim)
                    else -math.inf
                ),
                start=tau,
            )
    if not config.dim:
        attempt(tau, has_text, dim, cold)
        if len(data.user) >= _LARGE and not config.quick:
            dim = widest
        elif has_time(DIMS[-1]):
            dim = max(DIMS, key=lambda width: attempt(tau, has_text, width, cold).value)
        elif budget.left_for_heads > full_cost(
            widest, rounds * (config.heads or 1), config.steps / 2
        ):
            # Where a trial takes so long the set is large, and large ones do better with width.
            dim = widest
            skipped.append(f"dim {DIMS[0]} beside {widest}")
        else:
            skipped.append(f"dim {DIMS[-1]}")
    if has_text and cold == COLDS[1] and config.cold < 0:
        if not has_time(dim):
            skipped.append(f"cold {COLDS[2]:g}")
        elif attempt(tau, True, dim, COLDS[2]).value > attempt(tau, True, dim, cold).value:
            cold = COLDS[2]
    other_text = 0.0
    if text is not None and config.text == "auto" and not config.quick:
        best_with, best_without = (
            max(
                (trial for trial in done.values() if (trial.text, trial.dim) == (use, first_dim)),
                key=lambda trial: trial.value,
            )
            for use in (True, False)
        )
        if not has_text:
            cold = best_with.cold
        worse, better = sorted((best_with.value, best_without.value))
        if worse >= _OPEN * better:
            other_text = step_cost(dim, not has_text) / step_cost(dim, has_text)
    heads = config.heads or HEADS
    is_open = bool(done) and not (config.heads or config.quick)
    of_few = min(ENOUGH * config.steps, max(_FEW * config.steps, _EPOCHS * len(data.user) / size))
    if is_open and budget.left_for_heads < full_cost(dim, rounds * heads, of_few):
        heads = 1
        skipped.append(f"{HEADS} heads")
    fits, is_race = float(rounds * heads), False
    taus: tuple[float, ...] = (tau,)
    if not config.tau and not config.quick:
        is_race = budget.left_for_heads < full_cost(dim, fits + _FINALISTS - 1)
        tried = {
            trial.tau: trial.value
            for trial in sorted(done.values(), key=lambda trial: trial.value)
            if (trial.text, trial.dim) == (has_text, first_dim)
        }
        tau = lowest_as_good(tried) if is_race else max(tried, key=tried.__getitem__)
        taus = (tau,)
        of_tau: dict[float, float] = {}
        # Few were tried with all that was chosen since; those before tell the order as well.
        for trial in sorted(done.values(), key=lambda trial: (trial.text == has_text, trial.value)):
            of_tau[trial.tau] = trial.value
        others = sorted((one for one in of_tau if one != tau), key=lambda one: -of_tau[one])
        more = fits + (RACED if is_race else 1) * (_FINALISTS - 1)
        if len(others) > 1 and budget.left_for_heads > _AMPLE * full_cost(dim, fits + _FINALISTS):
            taus, fits = (tau, *others[:_FINALISTS]), fits + _FINALISTS
        elif others and budget.left_for_heads > full_cost(dim, more, _FEW * config.steps):
            taus, fits = (tau, *others[: _FINALISTS - 1]), more
        elif others:
            skipped.append(f"tau {others[0]:g} in full")
    steps_each = 0 if config.quick else config.steps
    final_steps = steps_each
    if steps_each and done:
        fewest = min(FEWEST_STEPS, steps_each)
        can = int(steps_each * budget.left_for_heads / full_cost(dim, fits))
        final_steps = steps_each = min(steps_each, max(fewest, can))
        if rounds > 1:
            # Where there is no time for both rounds, the one that stays goes before the first.
            final_steps = min(config.steps, max(fewest, can * 4 // 3))
            first = int((fits * can - heads * final_steps) / (fits - heads))
            steps_each = min(config.steps, max(fewest, first))
    return Choice(
        taus=taus,
        is_race=is_race,
        text=has_text,
        other_text=round(other_text, 3),
        dim=dim,
        heads=heads,
        cold=cold,
        steps=steps_each,
        final_steps=final_steps,
        trials=tuple(done.values()),
        skipped=tuple(skipped),
    )


def seconds_of_step(
    data: TrainingData,
    text: tuple[Tensor, Tensor] | None,
    config: TrainConfig,
    start: SvdStart,
    checkpoints: Checkpoints | None = None,
) -> float:
    """CPU seconds of one step of a full training, by a few of them.

    Args:
        data: to learn from.
        text: as `fit_head` takes it.
        config: width, batch and negatives.
        start: of the products' ids.
        checkpoints: where it is kept, so that what goes on decides as it would have.
    """
    name = f"seconds of a step, {config.dim} wide, text {text is not None}"
    kept = checkpoints.load(name) if checkpoints is not None else None
    if kept is not None:
        return float(kept["seconds"])
    clock: list[float] = []
    fit_head(
        data,
        text,
        config,
        start=start,
        tau=_FIRST_TAU,
        seed=config.seed,
        steps=_TIMED,
        stop_at=_TIMED,
        watch=lambda *_: clock.append(time.process_time()),
    )
    seconds = float(np.median(np.diff(clock)))
    if checkpoints is not None:
        checkpoints.save(name, {"seconds": seconds})
    return seconds


def walk(
    values: Sequence[float], quality: Callable[[float], float], start: float | None = None
) -> float:
    """The value from which no neighbour is better, looked for upwards first.

    Args:
        values: in order.
        quality: of one of them; asked once each.
        start: which of them to go from; None: the middle one.
    """
    ask = cache(quality)
    place = len(values) // 2 if start is None else values.index(start)
    first = place
    for way in (1, -1):
        while 0 <= place + way < len(values) and ask(values[place + way]) > ask(values[place]):
            place += way
        if place != first:
            break
    return values[place]
