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
from kinfolio.gnn.ranking import Quality
from kinfolio.gnn.start import SvdStart
from kinfolio.gnn.text import TextFeatures, shuffled
from kinfolio.gnn.text_block import TextBlock
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
"""Of temperatures that are so good beside the best, the lowest is taken where time is short: what
is trained in full is wider and trained for longer, and wants a lower one than what is tried."""
ENOUGH = 2 / 3
"""Part of the steps asked for that what is tried must leave time for."""

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
    of_text: dict[bool, Quality]
    """How good the first head was with texts and without, after as many steps; empty: not found
    out."""
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
    other_text: float = 0.0
    """What a step with the other use of texts takes beside one with this; 0: it is not tried."""
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

        Where time allows, the first head is trained with the other use of texts, too, and with
        holdings left out of each step, and what is better for it stays.
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
        of_text: dict[bool, Quality] = {}
        rivals: tuple[Fitted, ...] = ()
        skipped: list[str] = []
        if self.other_text and not self.budget.is_stopped():
            if self._has_time_for_other_text(fitted[0]):
                fitted, of_text = self._try_other_text(fit, tau, fitted[0])
            else:
                skipped.append("texts in full")
        is_open = self.config.edge_dropout < 0 and not self.config.quick
        if is_open and not self.budget.is_stopped():
            if self._has_time_for_rival(fitted[0]):
                rivals = (
                    fitted[0],
                    fit(tau, 0, self.config.steps, like=fitted[0], edge_dropout=EDGE_DROPOUT),
                )
                fitted = [max(rivals, key=_value)]
            else:
                skipped.append("edge dropout")
        while self._has_room(fitted) and not self.budget.is_stopped():
            # What the first took tells better than its estimate what the others may take.
            others = max(1, self.config.heads * self.rounds - len(fitted))
            steps = affordable(fitted, others, self.config.steps, self.budget.left_for_heads)
            fitted.append(fit(tau, len(fitted), steps, like=fitted[0]))
        # One that was only begun may be worse than none.
        best = _value(fitted[0])
        fitted = [one for one in fitted if not self.budget.is_stopped() or _value(one) >= best]
        return Best(tau=tau, fitted=fitted, of_text=of_text, rivals=rivals, skipped=tuple(skipped))

    def _try_other_text(
        self, fit: Callable[..., Fitted], tau: float, first: Fitted
    ) -> tuple[list[Fitted], dict[bool, Quality]]:
        """The first head, or one with the other use of texts if that is better halfway."""
        looks = [look for look in first.history if look.recall is not None]
        halfway = [look for look in looks if look.step <= RACED * self.config.steps] or looks[:1]
        other = fit(tau, 0, self.config.steps, has_text=not self.has_text, pause=halfway[-1].step)
        seen = [Quality(recall=look.recall or 0.0, ndcg=look.ndcg or 0.0) for look in halfway]
        of_text = {self.has_text: max(seen, key=lambda quality: quality.value)}
        if other.valid is not None:
            of_text[not self.has_text] = other.valid
        if _value(other) <= of_text[self.has_text].value:
            return [first], of_text
        if not self.budget.is_stopped():
            other = fit(tau, 0, self.config.steps, like=other, paused=other)
        return [other], of_text

    def _has_time_for_other_text(self, first: Fitted) -> bool:
        # Half a head of the other kind and the rest as planned, or all of the other kind.
        number = max(self.config.heads, self.most) * self.rounds
        needed = max(RACED * self.other_text + number - 1, ENOUGH * self.other_text * number)
        return self.budget.left_for_heads > needed * first.cpu_seconds

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
                    like=one,
                ),
                history=one.history,
            )
            for number, one in enumerate(fitted)
        ]

    def _fitter(
        self, data: TrainingData, text: TextInputs | None, start: SvdStart, part: str
    ) -> Callable[..., Fitted]:
        config = self.config
        # Heads without texts leave unseen products to the texts beside them.
        by_text = None
        if text is not None and data.apart is not None:
            by_text = TextBlock(text(config.dim).mixed, data).cosines

        def fit(
            tau: float,
            number: int,
            steps: int,
            *,
            stop_at: int | None = None,
            pause: int | None = None,
            paused: Fitted | None = None,
            like: Fitted | None = None,
            has_text: bool = self.has_text,
            edge_dropout: float = max(0.0, config.edge_dropout),
        ) -> Fitted:
            if like is not None:
                has_text = like.has_text
                edge_dropout = edge_dropout or like.edge_dropout
            kind = (
                "" if has_text == self.has_text else f" {'with' if has_text else 'without'} texts"
            )
            if edge_dropout > 0:
                kind += f" without {edge_dropout:g} of holdings"
            name = f"{part} {number} tau {tau:g}{kind}"
            fitted = fit_head(
                data,
                kinds_of(text, config.dim) if has_text else None,
                replace(config, edge_dropout=edge_dropout),
                start=start,
                tau=tau,
                seed=config.seed * _SEEDS_APART + number,
                steps=0 if config.quick else steps,
                stop_at=stop_at,
                pause=pause,
                watch=watch_of(
                    f"{part} {number + 1} of {config.heads}, tau {tau:g}{kind}", self.progress
                ),
                is_stopped=self.budget.is_stopped,
                checkpoints=self.checkpoints,
                name=name if pause is None else f"{name}, begun",
                go_on_from=f"{name}, begun" if paused else None,
                score_apart=None if has_text else by_text,
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
