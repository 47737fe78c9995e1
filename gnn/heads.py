"""The heads of a training, fitted in full as it was chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from kinfolio.gnn.budget import Budget
from kinfolio.gnn.checkpoints import Checkpoints
from kinfolio.gnn.config import TrainConfig
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.fit import Fitted, Watch, fit_head, last_look
from kinfolio.gnn.start import SvdStart
from kinfolio.gnn.text import TextFeatures, shuffled
from kinfolio.records import Progress

_SEEDS_APART = 1000
"""Distance between the seeds of two runs, so that their heads never share one."""


@dataclass(frozen=True, slots=True)
class TextTensors:
    """`TextRows` on the device."""

    mixed: Tensor
    users: Tensor
    products: Tensor


FEWEST_STEPS = 100
"""With fewer a head is worth little, whatever the budget."""
RACED = 0.5
"""Part of the steps after which the worse of two temperatures goes no further."""
_AS_GOOD = 0.985
"""Of temperatures that are so good beside the best, the lowest is taken: what is
trained in full is wider and trained for longer, and wants a lower one than what is tried."""

EDGE_DROPOUT = 0.5
"""Part of the holdings left out in a step, where it is found out whether that is better."""

TextInputs = Callable[[int], TextTensors]
"""Text inputs of a width."""


def text_of(
    features: TextFeatures | None, data: TrainingData, config: TrainConfig
) -> TextInputs | None:
    """Makes text inputs, once for each width, of what may be seen of some data."""
    if features is None:
        return None

    @cache
    def build(width: int) -> TextTensors:
        rows = features.rows(width, data.hidden)
        if config.shuffled_text:
            rows = shuffled(rows, config.seed)
        parts = (rows.mixed, rows.users, rows.products)
        return TextTensors(*(torch.from_numpy(part).to(data.matrix.device) for part in parts))

    return build


def kinds_of(text: TextInputs | None, width: int) -> tuple[Tensor, Tensor] | None:
    """The kinds of text of users and of products, as a head takes them."""
    if text is None:
        return None
    found = text(width)
    return found.users, found.products


def watch_of(label: str, progress: Progress) -> Watch:
    """Tells of the steps of a fit under a name."""
    return lambda step, steps, loss: progress(f"{label}, loss {loss:.3f}", step, steps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Best:
    """The heads that were best, and what else was found out on the way."""

    tau: float
    fitted: list[Fitted]
    rivals: tuple[Fitted, ...]
    """The first head with all holdings in each step and without some; empty: not found out."""
    skipped: tuple[str, ...]
    """What was not tried for want of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Trains heads in full, as it was chosen."""

    config: TrainConfig
    has_text: bool
    budget: Budget
    progress: Progress
    checkpoints: Checkpoints
    rounds: int
    """How often the heads will be trained in full."""
    most: int = 0
    """Heads that may be trained instead of `config.heads` where training took less than planned."""

    def best(
        self,
        data: TrainingData,
        text: TextInputs | None,
        start: SvdStart,
        taus: tuple[float, ...],
        *,
        is_race: bool,
    ) -> Best:
        """The temperature whose first head is best on `valid`, and all heads with it.

        Where time allows, holdings are left out of each step if the first head is better for it.
        When somebody asks to finish, those that have been trained by then.

        Args:
            data: to learn from.
            text: of that data.
            start: of the products' ids.
            taus: temperatures.
            is_race: whether to decide halfway, for the lower one if both are as good.
        """
        fit = self._fitter(data, text, start, "head")
        firsts: dict[float, Fitted] = {}
        pause = last_look(RACED * self.config.steps) if is_race else None
        for tau in taus:
            if not (firsts and self.budget.is_stopped()):
                firsts[tau] = fit(tau, 0, self.config.steps, pause=pause)
        values = {tau: _value(one) for tau, one in firsts.items()}
        tau = lowest_as_good(values) if is_race else max(values, key=values.__getitem__)
        if pause and not self.budget.is_stopped():
            firsts[tau] = fit(tau, 0, self.config.steps, paused=firsts[tau])
        fitted = [firsts[tau]]
        rivals: tuple[Fitted, ...] = ()
        skipped: tuple[str, ...] = ()
        is_open = self.config.edge_dropout < 0 and not self.config.quick
        if is_open and not self.budget.is_stopped():
            if self._has_time_for_rival(fitted[0]):
                rivals = fitted[0], fit(tau, 0, self.config.steps, edge_dropout=EDGE_DROPOUT)
                fitted = [max(rivals, key=_value)]
            else:
                skipped = ("edge dropout",)
        dropout = fitted[0].edge_dropout
        while self._has_room(fitted) and not self.budget.is_stopped():
            # What the first took tells better than its estimate what the others may take.
            left, others = self.budget.left_for_heads, max(1, self.config.heads - len(fitted))
            steps = affordable([*firsts.values()], others, self.config.steps, left)
            fitted.append(fit(tau, len(fitted), steps, edge_dropout=dropout))
        # One that was only begun may be worse than none.
        best = _value(fitted[0])
        fitted = [one for one in fitted if not self.budget.is_stopped() or _value(one) >= best]
        return Best(tau=tau, fitted=fitted, rivals=rivals, skipped=skipped)

    def _has_time_for_rival(self, first: Fitted) -> bool:
        # One more now, and what is left to train as planned.
        number = max(self.config.heads, self.most) * self.rounds
        return self.budget.left_for_heads > number * first.cpu_seconds

    def _has_room(self, fitted: list[Fitted]) -> bool:
        return len(fitted) < self.config.heads or (
            len(fitted) < self.most and self.budget.left_for_heads > fitted[-1].cpu_seconds
        )

    def again(
        self,
        data: TrainingData,
        text: TextInputs | None,
        tau: float,
        fitted: list[Fitted],
        most: int,
    ) -> list[Fitted]:
        """The same heads, learned from other data for as long as is left; histories stay.

        Args:
            data: to learn from.
            text: of that data.
            tau: temperature.
            fitted: the heads.
            most: steps; a head stops at the part of them that was best for it.
        """
        fit = self._fitter(data, text, SvdStart(data.held, self.config.dim), "final head")
        steps = affordable(fitted, len(fitted), most, self.budget.left_for_refit)
        return [
            replace(
                fit(
                    tau,
                    number,
                    steps,
                    stop_at=round(steps * one.steps / max(1, one.length)),
                    edge_dropout=one.edge_dropout,
                ),
                history=one.history,
            )
            for number, one in enumerate(fitted)
        ]

    def _fitter(
        self, data: TrainingData, text: TextInputs | None, start: SvdStart, part: str
    ) -> Callable[..., Fitted]:
        config = self.config
        inputs = kinds_of(text, config.dim) if self.has_text else None

        def fit(
            tau: float,
            number: int,
            steps: int,
            *,
            stop_at: int | None = None,
            pause: int | None = None,
            paused: Fitted | None = None,
            edge_dropout: float | None = None,
        ) -> Fitted:
            rate = config.edge_dropout if edge_dropout is None else edge_dropout
            without = f" without {rate:g} of holdings" if rate > 0 else ""
            name = f"{part} {number} tau {tau:g}{without}"
            fitted = fit_head(
                data,
                inputs,
                replace(config, edge_dropout=rate),
                start=start,
                tau=tau,
                seed=config.seed * _SEEDS_APART + number,
                steps=0 if config.quick else steps,
                stop_at=stop_at,
                pause=pause,
                watch=watch_of(
                    f"{part} {number + 1} of {config.heads}, tau {tau:g}{without}", self.progress
                ),
                is_stopped=self.budget.is_stopped,
                checkpoints=self.checkpoints,
                name=name if pause is None else f"{name}, begun",
                go_on_from=f"{name}, begun" if paused else None,
            )
            self.budget.spend(fitted.cpu_seconds - (paused.cpu_seconds if paused else 0.0))
            return fitted

        return fit


def lowest_as_good(values: dict[float, float]) -> float:
    """The lowest temperature of those that are nearly as good as the best.

    Args:
        values: temperature to how good its trial was.
    """
    best = max(values.values())
    return min(tau for tau, value in values.items() if value >= _AS_GOOD * best)


def affordable(done: list[Fitted], number: int, most: int, left: float) -> int:
    """Steps that each of some heads may take, by what those before them took.

    Args:
        done: of the same width and inputs.
        number: of heads.
        most: steps each.
        left: CPU seconds for all of them.
    """
    taken = sum(one.history[-1].step for one in done if one.history)
    if not taken:
        return most
    seconds = sum(one.cpu_seconds for one in done) / taken
    return min(most, max(FEWEST_STEPS, int(left / (number * seconds))))


def _value(fitted: Fitted) -> float:
    return fitted.valid.value if fitted.valid else 0.0
