"""What is left open, chosen on the validation part with small, short heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

from torch import Tensor

from kinfolio.gnn.config import TrainConfig
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.fit import Watch, fit_head

TAUS = (0.07, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7)
"""Temperatures tried, walking from the middle for as long as it gets better."""
_QUICK_STEPS = 150
"""Shorter trials mislead: the order of temperatures is not settled before."""
_QUICK_DIM = 64
_FINALISTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One thing tried and how good it was on the validation part."""

    tau: float
    text: bool
    recall: float
    ndcg: float

    @property
    def value(self) -> float:
        """Geometric mean of recall and NDCG."""
        return float((self.recall * self.ndcg) ** 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Temperatures to train in full and use of text, with all that was tried for them."""

    taus: tuple[float, ...]
    """One, or the two best: short trials cannot tell neighbours apart."""
    text: bool
    trials: tuple[Trial, ...]

    def report(self) -> dict[str, object]:
        """For `run.json`."""
        return asdict(self)


def choose(
    data: TrainingData,
    text: Callable[[int], Tensor] | None,
    config: TrainConfig,
    watch: Callable[[str], Watch],
) -> Choice:
    """The temperatures worth a full training and whether texts help, by the validation part.

    Args:
        data: with a validation part in `wanted`.
        text: text inputs of a width, or None when there are none.
        config: what is fixed there is not tried.
        watch: makes a watcher for a named trial.
    """
    quick = replace(config, dim=min(config.dim, _QUICK_DIM))
    done: dict[tuple[float, bool], Trial] = {}

    def attempt(tau: float, has_text: bool) -> Trial:
        if (tau, has_text) not in done:
            inputs = text(quick.dim) if has_text and text is not None else None
            label = f"trying tau {tau:g}{' with text' if has_text else ''}"
            fitted = fit_head(
                data,
                inputs,
                quick,
                tau=tau,
                seed=config.seed,
                steps=min(_QUICK_STEPS, config.steps),
                watch=watch(label),
            )
            assert fitted.valid is not None
            done[tau, has_text] = Trial(
                tau=tau, text=has_text, recall=fitted.valid.recall, ndcg=fitted.valid.ndcg
            )
        return done[tau, has_text]

    has_text = text is not None and config.text == "on"
    taus: tuple[float, ...] = (config.tau,)
    if not config.tau:
        walk(TAUS, lambda tau: attempt(tau, has_text).value)
        best = sorted(done.values(), key=lambda trial: trial.value, reverse=True)
        taus = tuple(trial.tau for trial in best[:_FINALISTS])
    if text is not None and config.text == "auto":
        has_text = attempt(taus[0], True).value > attempt(taus[0], False).value
    return Choice(taus=taus, text=has_text, trials=tuple(done.values()))


def walk(values: Sequence[float], quality: Callable[[float], float]) -> float:
    """The value from which no neighbour is better, going up from the middle.

    Args:
        values: in order.
        quality: of one of them; asked once each.
    """
    ask = cache(quality)
    place = len(values) // 2
    while True:
        around = [near for near in (place - 1, place, place + 1) if 0 <= near < len(values)]
        best = max(around, key=lambda near: ask(values[near]))
        if best == place:
            return values[place]
        place = best
