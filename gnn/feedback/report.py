"""What became of products that were shown: shares by version, place and source, and the split.

A product counts once for each list that showed it. Shares are of shown products; no ids leave the
report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kinfolio.events.log import Story
from kinfolio.events.records import EventKind, Shown
from kinfolio.gnn.feedback.intervals import Estimate, difference, share
from kinfolio.gnn.version_state import place_in_split

ACTS: tuple[EventKind, ...] = ("opened", "dismissed", "held")
_Users = dict[str, NDArray[np.int64]]
"""Numbers of products shown, opened, dismissed and held, by user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How many of the products of a group saw one kind of event."""

    number: int
    share: float | None
    low: float | None
    """Ends of the 95 % interval of the share; None if nothing was shown."""
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The products of one version, place or source."""

    name: str
    shown: int
    opened: Act
    dismissed: Act
    held: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One version of a split; only lists shown during the split count."""

    users: int | None
    """None: withheld."""
    group: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The two versions of the last split; differences are `other` minus `active`."""

    percent: int
    """Percentage of the users served by `other`."""
    active: Arm
    other: Arm
    opened: Estimate
    dismissed: Estimate
    held: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReport:
    """The report of a log."""

    days: int | None
    lists: int
    total: Group
    by_version: tuple[Group, ...]
    by_place: tuple[Group, ...]
    by_source: tuple[Group, ...]
    split: Comparison | None
    """None: no list of the time was shown during a split, or only those of one version."""


def event_report(stories: Iterable[Story], days: int | None = None) -> EventReport:
    """Return the report of `EventLog.stories(days)`."""
    lists = 0
    total: _Users = _users()
    groups: dict[tuple[str, str], _Users] = defaultdict(_users)
    arms = _Arms()
    for story in stories:
        lists += 1
        shown = story.shown
        numbers = _numbers(story)
        whole = numbers.sum(axis=0)
        total[shown.user] += whole
        groups["version", shown.version or "none"][shown.user] += whole
        groups["source", shown.source][shown.user] += whole
        for place, row in enumerate(numbers, 1):
            groups["place", str(place)][shown.user] += row
        arms.add(shown, whole)

    def of(kind: str) -> list[Group]:
        return [_group(name, users) for (found, name), users in groups.items() if found == kind]

    return EventReport(
        days=days,
        lists=lists,
        total=_group("all", total),
        by_version=tuple(of("version")),
        by_place=tuple(sorted(of("place"), key=lambda group: int(group.name))),
        by_source=tuple(sorted(of("source"), key=lambda group: group.name)),
        split=arms.comparison(),
    )


def withheld(report: EventReport, min_people: int) -> EventReport:
    """Leave out the numbers of users that are smaller than a deployment tells."""
    split = report.split
    if split is None:
        return report
    active, other = (
        replace(arm, users=None) if arm.users is not None and arm.users < min_people else arm
        for arm in (split.active, split.other)
    )
    return replace(report, split=replace(split, active=active, other=other))


class _Arms:
    """The lists shown during splits, by percentage, side and version."""

    def __init__(self) -> None:
        self._users: dict[tuple[int, bool, str], _Users] = defaultdict(_users)
        self._last: dict[tuple[int, bool, str], datetime] = {}

    def add(self, shown: Shown, numbers: NDArray[np.int64]) -> None:
        """Add the numbers of a list, if it was shown during a split by a version."""
        if shown.split is None or shown.version is None:
            return
        arm = shown.split, place_in_split(shown.user) < shown.split, shown.version
        self._users[arm][shown.user] += numbers
        self._last[arm] = max(shown.at, self._last.get(arm, shown.at))

    def comparison(self) -> Comparison | None:
        """Compare the versions last shown on both sides of the last percentage."""
        if not self._last:
            return None
        percent = max(self._last, key=lambda arm: self._last[arm])[0]
        found: list[tuple[Arm, list[Estimate]]] = []
        for is_other in (False, True):
            arms = [arm for arm in self._last if arm[:2] == (percent, is_other)]
            if not arms:
                return None
            arm = max(arms, key=lambda arm: self._last[arm])
            users = self._users[arm]
            shares = [one for one in _shares(users) if one is not None]
            if not shares:
                return None
            found.append((Arm(users=len(users), group=_group(arm[2], users)), shares))
        (active, before), (other, after) = found
        opened, dismissed, held = map(difference, after, before)
        return Comparison(
            percent=percent,
            active=active,
            other=other,
            opened=opened,
            dismissed=dismissed,
            held=held,
        )


def _users() -> _Users:
    return defaultdict(lambda: np.zeros(4, np.int64))


def _numbers(story: Story) -> NDArray[np.int64]:
    """Return 0 or 1 for shown, opened, dismissed and held of each product of a list."""
    rows = [
        [1, *((product, kind) in story.done for kind in ACTS)] for product in story.shown.products
    ]
    return np.array(rows, np.int64).reshape(-1, 4)


def _columns(users: _Users) -> NDArray[np.int64]:
    return np.array(list(users.values()), np.int64).reshape(-1, 4)


def _shares(users: _Users) -> list[Estimate | None]:
    columns = _columns(users)
    return [share(columns[:, act], columns[:, 0]) for act in (1, 2, 3)]


def _group(name: str, users: _Users) -> Group:
    numbers = _columns(users).sum(axis=0)
    acts = [
        Act(
            number=int(number),
            share=None if found is None else found.value,
            low=None if found is None else found.low,
            high=None if found is None else found.high,
        )
        for number, found in zip(numbers[1:], _shares(users), strict=True)
    ]
    return Group(name=name, shown=int(numbers[0]), opened=acts[0], dismissed=acts[1], held=acts[2])
