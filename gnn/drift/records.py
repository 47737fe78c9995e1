"""What `drift` returns: measures with verdicts, the quality on new holdings, the whole report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from kinfolio.gnn.feedback.intervals import Estimate
from kinfolio.tabular import Tabular

Verdict = Literal["steady", "moved", "retrain"]
VERDICTS: tuple[Verdict, ...] = ("steady", "moved", "retrain")
"""From the mildest on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group of a distribution."""

    name: str
    then: float | None
    """Share at the training; None: withheld, as too few people are in the group."""
    now: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One way in which the graph may have moved."""

    name: str
    kind: Literal["share", "psi", "mean_shift"]
    value: float | None
    """None: withheld."""
    chance: float | None
    """What samples of this size exceed by chance with a probability of 5 %; None: exact counts."""
    distance: float | None
    """Jensen-Shannon distance, 0 to 1; None unless `kind` is `psi`."""
    verdict: Verdict
    detail: str
    """What the value is about, in words."""
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQuality:
    """How well the lists of before foresaw the new holdings. Means over users, k = 20."""

    users: int
    holdings: int
    """That were ranked."""
    recall: Estimate
    mrr: Estimate
    recall_at_training: float | None
    """On the validation set of the training; None if the version does not have it."""
    popularity: Estimate
    """Recall of the list of the products with the most holders at the training."""
    gain: Estimate
    """`recall` less `popularity`, for the same users."""
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport(Tabular):
    """How far the graph has moved since the training of a version."""

    _rows: ClassVar[str] = "measures"

    version: str
    written: str
    """Time of the write-back, ISO 8601."""
    verdict: Verdict
    """The worst of all verdicts."""
    measures: tuple[Measure, ...]
    quality: NewQuality | None
    """None: not measured; `notes` has the reason."""
    notes: tuple[str, ...]
    seconds: float

    @property
    def moved(self) -> tuple[str, ...]:
        """What has moved, the worst first."""
        found = [(one.verdict, one.name) for one in self.measures]
        if self.quality is not None:
            found.append((self.quality.verdict, "quality"))
        found.sort(key=lambda one: -VERDICTS.index(one[0]))
        return tuple(name.replace("_", " ") for verdict, name in found if verdict != "steady")


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the worst of some verdicts; steady without any."""
    return max(verdicts, key=VERDICTS.index, default="steady")
