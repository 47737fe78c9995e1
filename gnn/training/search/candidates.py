"""The hyperparameters that are searched, and what came of the trials."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from kinfolio.gnn.ranking import Quality
from kinfolio.gnn.training.config import TrainConfig

TAUS = (0.07, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7)
"""Temperatures, climbed from `FIRST_TAU` while the validation set improves."""
FIRST_TAU = 0.15
"""About the best of large sets, where trials are slow; small sets afford to climb."""
DIMS = (64, 128)
"""Widths of a head: the first is better on small sets, the second on large ones."""
COLD_RATES = (0.1, 0.3, 0.5)
"""Fractions of the nodes that are cold in a step, with texts."""
NUM_HEADS = 2
"""Heads, if the budget allows; width pays more, so one wide head goes before two narrow ones."""
EDGE_DROPOUT = 0.5
"""The rate that is compared with none."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One combination of hyperparameters."""

    tau: float
    text: bool
    dim: int
    cold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A short training of one candidate."""

    tau: float
    text: bool
    dim: int
    cold: float
    recall: float
    ndcg: float
    cpu_seconds: float

    @property
    def value(self) -> float:
        """The selection criterion on the validation set."""
        return Quality(recall=self.recall, ndcg=self.ndcg).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The heads to train in full, and the trials behind the choice."""

    taus: tuple[float, ...]
    """One temperature, or the two or three best: short trials do not separate neighbours."""
    is_race: bool
    """Whether the worse of two temperatures stops halfway, to save time."""
    text: bool
    other_text: float
    """Cost of a step with the other use of texts, relative to the chosen one, where short trials
    do not separate them; 0: they do."""
    dim: int
    heads: int
    cold: float
    steps: int
    """As configured, or fewer where the budget is too small."""
    final_steps: int
    """The same for the refit on all data: as planned, then as trained."""
    trials: tuple[Trial, ...]
    skipped: tuple[str, ...]
    """What the budget did not allow to try."""

    def report(self) -> dict[str, object]:
        """Return the choice for `run.json`."""
        return asdict(self)


def first_cold_rate(config: TrainConfig) -> float:
    """Return the configured cold rate, or the first that is tried."""
    return COLD_RATES[0] if config.cold < 0 else config.cold
