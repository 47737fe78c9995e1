"""The event log: `events/2026-12-01.jsonl` in the home, one file a day, one line an event.

A file holds the lists of its day (UTC) and all later events about them, so that one file tells
whether an event is known. Events that change the graph are written by
`kinfolio.gnn.feedback.record`, which calls `EventLog.add`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from threading import Lock

from kinfolio.events.day_file import DayFile
from kinfolio.events.records import (
    Event,
    EventKind,
    Shown,
    day_of,
    event_line,
    new_request,
    record_of,
    shown_line,
    user_of,
)
from kinfolio.os_errors import os_errors
from kinfolio.run import whole_file

FOLDER = "events"
_OPEN_FILES = 4
"""Days whose index stays in memory, about 300 bytes a list."""


@dataclass(slots=True)
class Story:
    """A list and what was done with it."""

    shown: Shown
    done: dict[tuple[str, EventKind], datetime] = field(default_factory=dict)
    """Time by product and kind."""


class EventLog:
    """The log of one home; for several threads, and for several processes with one log each.

    Files are readable by their owner only. Lines survive the end of the process, not a power cut.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER
        self._mutex = Lock()
        self._days: dict[date, DayFile] = {}

    def show(
        self,
        *,
        user: str,
        version: str | None,
        source: str,
        products: Iterable[str],
        split: int | None = None,
    ) -> Shown:
        """Record a list that is about to be shown, and return it with its request id.

        Raises:
            FileError: the file cannot be written.
        """
        request = new_request()
        shown = Shown(
            request=request,
            user=user,
            version=version,
            source=source,
            at=datetime.now(UTC),
            products=tuple(products),
            split=split,
        )
        with self._locked(request, create=True) as day:
            assert day is not None
            day.append(shown_line(shown))
        return shown

    def story(self, request: str) -> Story | None:
        """Return a list and its events; None: there is no such request."""
        with self._locked(request, create=False) as day:
            return None if day is None else _story(day.lines_of(request))

    def add(self, user: str, events: Sequence[Event]) -> list[Event]:
        """Append the events that are not in the log yet, and return them.

        The request of each must be in the log.

        Raises:
            FileError: the file cannot be written.
        """
        new: list[Event] = []
        by_day: dict[date | None, list[Event]] = {}
        for event in events:
            by_day.setdefault(day_of(event.request), []).append(event)
        for group in by_day.values():
            with self._locked(group[0].request, create=False) as day:
                if day is None:
                    continue
                stories = {one.request: _story(day.lines_of(one.request)) for one in group}
                fresh = [event for event in group if _is_new(stories[event.request], event)]
                if fresh:
                    day.append(b"".join(event_line(user, event) for event in fresh))
                new += fresh
        return new

    def read(self, days: int | None = None, *, user: str | None = None) -> Iterator[Shown | Event]:
        """Yield lists and events in the order of the files; a list comes before its events.

        Damaged lines are skipped, with one warning a file.

        Args:
            days: only the lists of the last days, today included, and their events.
            user: only those of one user.
        """
        first = None if days is None else datetime.now(UTC).date() - timedelta(days=days - 1)
        for path in self._files():
            if first is not None and date.fromisoformat(path.stem) < first:
                continue
            with os_errors(path, "read"):
                yield from _records(path, user)

    def stories(self, days: int | None = None) -> Iterator[Story]:
        """Yield each list with its events; `days` as in `read`."""
        for _, records in groupby(self.read(days), lambda record: day_of(record.request)):
            stories: dict[str, Story] = {}
            for record in records:
                if isinstance(record, Shown):
                    stories[record.request] = Story(record)
                elif record.request in stories:
                    stories[record.request].done.setdefault(
                        (record.product, record.kind), record.at
                    )
            yield from stories.values()

    def forget(self, *users: str) -> int:
        """Remove all lines of users and return their number; files are replaced whole.

        Damaged lines, which could be theirs, go as well. After an interruption it can be
        repeated.

        Raises:
            FileError: a file cannot be read or written.
        """
        removed, gone = 0, {*users, None}
        for path in self._files():
            with self._mutex, os_errors(path):
                day = self._day(date.fromisoformat(path.stem))
                with day.locked(create=False) as exists:
                    if exists and any(user_of(line) in gone for line in _lines(path)):
                        with whole_file(path) as new:
                            removed += day.rewrite(new, lambda line: user_of(line) not in gone)
        return removed

    def _files(self) -> list[Path]:
        """Return the files of the log, the oldest first."""
        return sorted(path for path in self.folder.glob("????-??-??.jsonl") if _is_day(path.stem))

    def _day(self, day: date) -> DayFile:
        found = self._days.pop(day, None) or DayFile(self.folder / f"{day.isoformat()}.jsonl")
        self._days[day] = found
        if len(self._days) > _OPEN_FILES:
            self._days.pop(next(iter(self._days))).close()
        return found

    @contextmanager
    def _locked(self, request: str, *, create: bool) -> Iterator[DayFile | None]:
        """Yield the locked file of a request; None: there is none."""
        found = day_of(request)
        if found is None:
            yield None
            return
        with self._mutex, os_errors(self.folder):
            if create:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            day = self._day(found)
            with day.locked(create=create) as exists:
                yield day if exists else None


def _story(lines: Iterable[bytes]) -> Story | None:
    records = [record_of(line) for line in lines]
    shown = next((record for record in records if isinstance(record, Shown)), None)
    if shown is None:
        return None
    story = Story(shown)
    for record in records:
        if isinstance(record, Event):
            story.done.setdefault((record.product, record.kind), record.at)
    return story


def _is_new(story: Story | None, event: Event) -> bool:
    """Return whether the event is not in the story yet, and add it."""
    if story is None or (event.product, event.kind) in story.done:
        return False
    story.done[event.product, event.kind] = event.at
    return True


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        yield from lines


def _records(path: Path, user: str | None) -> Iterator[Shown | Event]:
    damaged = 0
    for line in _lines(path):
        record = record_of(line)
        damaged += record is None
        if record is not None and user in (None, user_of(line)):
            yield record
    if damaged:
        logging.getLogger(__name__).warning(
            "%s: %d damaged %s skipped", path, damaged, "line was" if damaged == 1 else "lines were"
        )
