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
from kinfolio.gnn.fit import Fitted, Watch, fit_head
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Trains heads in full, as it was chosen."""

    config: TrainConfig
    has_text: bool
    budget: Budget
    progress: Progress
    checkpoints: Checkpoints
    most: int = 0
    """Heads that may be trained instead of `config.heads` where training took less than planned."""

    def best(
        self, data: TrainingData, text: TextInputs | None, start: SvdStart, taus: tuple[float, ...]
    ) -> tuple[float, list[Fitted]]:
        """The temperature whose first head is best on `valid`, and all heads with it.

        When somebody asks to finish, those that have been trained by then.
        """
        fit = self._fit(data, text, start, "head")
        firsts: dict[float, Fitted] = {}
        for tau in taus:
            if not (firsts and self.budget.is_stopped()):
                firsts[tau] = fit(tau, 0, None)
        tau = max(firsts, key=lambda tau: _value(firsts[tau]))
        fitted = [firsts[tau]]
        while self._has_room(fitted) and not self.budget.is_stopped():
            fitted.append(fit(tau, len(fitted), None))
        # One that was only begun may be worse than none.
        best = _value(fitted[0])
        return tau, [one for one in fitted if not self.budget.is_stopped() or _value(one) >= best]

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
        steps: int,
    ) -> list[Fitted]:
        """The same heads, learned from other data for as long; histories stay.

        Args:
            data: to learn from.
            text: of that data.
            tau: temperature.
            fitted: the heads.
            steps: what `config.steps` is this time; a head stops at the same part of them.
        """
        part = steps / self.config.steps
        longer = replace(self, config=replace(self.config, steps=steps))
        fit = longer._fit(data, text, SvdStart(data.held, self.config.dim), "final head")
        return [
            replace(fit(tau, number, round(one.steps * part)), history=one.history)
            for number, one in enumerate(fitted)
        ]

    def _fit(
        self, data: TrainingData, text: TextInputs | None, start: SvdStart, part: str
    ) -> Callable[[float, int, int | None], Fitted]:
        config = self.config
        inputs = kinds_of(text, config.dim) if self.has_text else None

        def fit(tau: float, number: int, stop_at: int | None) -> Fitted:
            label = f"{part} {number + 1} of {config.heads}, tau {tau:g}"
            fitted = fit_head(
                data,
                inputs,
                config,
                start=start,
                tau=tau,
                seed=config.seed * _SEEDS_APART + number,
                steps=0 if config.quick else config.steps,
                stop_at=stop_at,
                watch=watch_of(label, self.progress),
                is_stopped=self.budget.is_stopped,
                checkpoints=self.checkpoints,
                name=f"{part} {number} tau {tau:g}",
            )
            self.budget.spend(fitted.cpu_seconds)
            return fitted

        return fit


def _value(fitted: Fitted) -> float:
    return fitted.valid.value if fitted.valid else 0.0
