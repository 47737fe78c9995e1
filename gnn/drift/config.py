"""Settings of `kinfolio drift`. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

from kinfolio.errors import BadConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftConfig:
    """Limits of the verdicts, and the size of the sample for the quality.

    The limits are the usual ones of the population stability index (Siddiqi, "Credit Risk
    Scorecards", 2006: below .1 no change, above .25 a new model) and of a standardised difference
    of means (.1: Austin, Statistics in Medicine 2009; .25: Stuart, Statistical Science 2010).
    """

    moved_at: float = field(
        default=0.1, metadata={"help": "From this value on, a measure has moved."}
    )
    retrain_at: float = field(
        default=0.25, metadata={"help": "From this value on, a measure asks for a training."}
    )
    users: int = field(
        default=300,
        metadata={"help": "Users with new holdings to measure the quality on; 0: none."},
    )
    holdings: int = field(
        default=10, metadata={"help": "New holdings of each of them; of more, a sample."}
    )
    seed: int = field(default=0, metadata={"help": "Seed of the samples."})

    def __post_init__(self) -> None:
        if not 0 < self.moved_at <= self.retrain_at:
            raise BadConfig(
                f"--moved-at is {self.moved_at} and --retrain-at is {self.retrain_at}; give "
                "positive numbers, the second one not lower than the first"
            )
        if self.users < 0 or self.holdings < 1:
            raise BadConfig(
                f"--users is {self.users} and --holdings is {self.holdings}; give whole numbers "
                "from 0 and from 1"
            )
