"""What the rows of a folder mean: splits, the least rating of a holding, weights of events.

These are the options of a load that change its result; they are recorded with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from kinfolio.errors import BadConfig, quoted
from kinfolio.loaders.reading.splitting import SplitRule

DISMISSED = "dismissed"
"""The kind of an event by which a user refuses a product; it has no weight."""
HELD = 1.0
"""Sum of the weights of a pair's events from which on the pair is a holding."""
KIND_WEIGHTS: Mapping[str, float] = {"held": HELD, "opened": 0.0, "shown": 0.0}
"""Weights of the kinds of events that have one without `--event-weights`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """How the rows of a folder are understood."""

    split: SplitRule | None = None
    """Rule for interactions without a split column."""
    least_rating: float | None = None
    """Interactions with a lower rating, or none, are dismissals, not holdings."""
    event_weights: Mapping[str, float] = field(default_factory=dict)
    """Weights of kinds of events, in place of those of `KIND_WEIGHTS` or in addition."""

    def __post_init__(self) -> None:
        least = self.least_rating
        if least is not None and not isfinite(least):
            raise BadConfig(
                f"--least-rating is {least}; a number was expected, e.g. --least-rating 4"
            )
        for kind, weight in self.event_weights.items():
            if kind == DISMISSED:
                raise BadConfig(
                    "--event-weights has a weight for dismissed; a dismissal has none: it ends "
                    "what the events before it add up to"
                )
            if not 0 <= weight < float("inf"):
                raise BadConfig(
                    f"--event-weights has the weight {weight:g} for {quoted(kind)}; a number from "
                    "0 on was expected: a product is held where the weights add up to 1"
                )

    @property
    def weights(self) -> dict[str, float]:
        """The weight of every kind of event that has one."""
        return {**KIND_WEIGHTS, **self.event_weights}

    def words(self) -> list[str]:
        """Return the options as they are typed."""
        words = ["--split", str(self.split)] if self.split else []
        words += (
            ["--least-rating", f"{self.least_rating:g}"] if self.least_rating is not None else []
        )
        pairs = [f"{kind}={weight:g}" for kind, weight in sorted(self.event_weights.items())]
        return words + (["--event-weights", ",".join(pairs)] if pairs else [])


def meaning_of(
    split: str | None, least_rating: float | None, event_weights: Mapping[str, float]
) -> Meaning:
    """Return how rows are understood; `split` is `METHOD:FRACTION`."""
    rule = None if split is None else SplitRule.parse(split)
    return Meaning(split=rule, least_rating=least_rating, event_weights=event_weights)


AS_IT_IS = Meaning()
"""Interactions as they are, and events by `KIND_WEIGHTS`."""


def parse_weights(text: str) -> dict[str, float]:
    """Parse the value of `--event-weights`, such as `opened=0.2,held=1`.

    Raises:
        BadConfig: it is not a list of kinds with numbers.
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        kind, _, number = (piece.strip() for piece in part.partition("="))
        try:
            weight = float(number)
        except ValueError:
            weight = -1.0
        if not kind or weight != weight or weight < 0:
            raise BadConfig(
                f"--event-weights has {quoted(part)}; KIND=WEIGHT with a number from 0 on was "
                "expected, several joined by commas: --event-weights opened=0.2,held=1"
            )
        weights[kind.lower()] = weight
    return weights
