"""The heads of a training, fitted in full as it was chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from kinfolio.gnn.blend.candidates import smallest
from kinfolio.gnn.blend.text_block import TextBlock
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.svd_init import SvdStart
from kinfolio.gnn.ranking import Figures, Quality, ScoreBlock, figures_of
from kinfolio.gnn.text.features import TextFeatures, shuffled
from kinfolio.gnn.training.budget import Budget
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.head_trainer import Fitted, Watch, fit_head, last_look, score_with
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
        """The temperature and use of texts whose first head is best on `valid`, and all heads.

        Where time allows, the first head is trained with the other use of texts, too, to the half,
        and texts stay if they are better by two standard errors; and with holdings left out of each
        step, what is better stays.
        When somebody asks to finish, those that have been trained by then.

        Args:
            data: to learn from.
            text: of that data.
            start: of the products' ids.
            taus: temperatures.
            is_race: whether to decide halfway, for the lower one if both are as good.
        """
        by_text = ranks_by_text(data, text, self.config.dim)
        fit = self._fitter(data, text, start, "head", by_text)
        steps = self.config.steps
        half = last_look(RACED * steps)
        skipped: list[str] = []
        of_text: dict[bool, Quality] = {}
        tau = taus[0]
        is_begun = is_race or self.other_text > 0
        first = fit(tau, 0, steps, pause=half if is_begun else None)
        if self.other_text and not self.budget.is_stopped():
            if self._has_time_for_other_text(first, len(taus)):
                other = fit(tau, 0, steps, pause=half, has_text=not self.has_text)
                of_text = {one.has_text: one.valid for one in (first, other) if one.valid}
                with self.budget.counted():
                    first = _with_or_without_texts(first, other, data, by_text)
                is_race = is_race or not self._has_time_for_taus(first, len(taus))
            else:
                skipped.append("texts in full")
        firsts = {tau: first}
        if is_begun and not is_race and not self.budget.is_stopped():
            firsts[tau] = fit(tau, 0, steps, like=first, paused=first)
        for other_tau in taus[1:]:
            if not self.budget.is_stopped():
                pause = half if is_race else None
                firsts[other_tau] = fit(other_tau, 0, steps, like=first, pause=pause)
        values = {tau: _value(one) for tau, one in firsts.items()}
        tau = lowest_as_good(values) if is_race else max(values, key=values.__getitem__)
        if is_race and not self.budget.is_stopped():
            firsts[tau] = fit(tau, 0, steps, like=first, paused=firsts[tau])
        fitted = [firsts[tau]]
        rivals: tuple[Fitted, ...] = ()
        is_open = self.config.edge_dropout < 0 and not self.config.quick
        if is_open and not self.budget.is_stopped():
            if self._has_time_for_rival(fitted[0]):
                rival = fit(tau, 0, steps, like=fitted[0], edge_dropout=EDGE_DROPOUT)
                rivals = fitted[0], rival
                fitted = [max(rivals, key=_value)]
            else:
                skipped.append("edge dropout")
        while self._has_room(fitted) and not self.budget.is_stopped():
            # What the first took tells better than its estimate what the others may take.
            others = max(1, self.config.heads * self.rounds - len(fitted))
            can = affordable(fitted, others, steps, self.budget.left_for_heads)
            fitted.append(fit(tau, len(fitted), can, like=fitted[0]))
        # One that was only begun may be worse than none.
        best = _value(fitted[0])
        fitted = [one for one in fitted if not self.budget.is_stopped() or _value(one) >= best]
        return Best(tau=tau, fitted=fitted, of_text=of_text, rivals=rivals, skipped=tuple(skipped))

    def _has_time_for_other_text(self, first: Fitted, number_of_taus: int) -> bool:
        # Half a head of the other kind and the rest as planned, or all of the other kind.
        planned = self._number + RACED * (number_of_taus - 1)
        needed = max(RACED * self.other_text + planned, ENOUGH * self.other_text * planned)
        return self.budget.left_for_heads > needed * self._whole(first)

    def _has_time_for_taus(self, first: Fitted, number_of_taus: int) -> bool:
        needed = self._number - RACED + number_of_taus - 1
        return self.budget.left_for_heads > needed * self._whole(first)

    def _whole(self, begun: Fitted) -> float:
        """CPU seconds of a whole training, by one that was begun."""
        return begun.cpu_seconds * self.config.steps / max(1, begun.history[-1].step)

    @property
    def _number(self) -> int:
        """Heads to be trained in full."""
        return max(self.config.heads, self.most) * self.rounds

    def _has_time_for_rival(self, first: Fitted) -> bool:
        # One more now, and what is left to train as planned.
        return self.budget.left_for_heads > self._number * first.cpu_seconds

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
        self,
        data: TrainingData,
        text: TextInputs | None,
        start: SvdStart,
        part: str,
        by_text: ScoreBlock | None = None,
    ) -> Callable[..., Fitted]:
        config = self.config

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


def ranks_by_text(data: TrainingData, text: TextInputs | None, width: int) -> ScoreBlock | None:
    """What ranks unseen products beside heads without texts, which leave them to these.

    Args:
        data: None is given where it has no products that are ranked apart.
        text: of that data; None is given for none.
        width: of the texts.
    """
    if text is None or data.apart is None:
        return None
    return TextBlock(text(width).mixed, data).cosines


def _with_or_without_texts(
    first: Fitted, other: Fitted, data: TrainingData, by_text: ScoreBlock | None
) -> Fitted:
    by_use = {float(one.has_text): one for one in (first, other)}

    def figures(use: float) -> Figures:
        return figures_of(
            score_with([by_use[use].head], data.matrix),
            data.held,
            data.wanted,
            apart=data.apart,
            score_apart=None if use else by_text,
        )

    return by_use[smallest((0.0, 1.0), figures)]


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
