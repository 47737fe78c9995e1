"""The drift for a server that runs for weeks: measured in a thread, and only after changes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError
from kinfolio.gnn.drift.config import DriftConfig
from kinfolio.gnn.drift.drift import drift
from kinfolio.gnn.drift.records import DriftReport

EVERY_SECONDS = 900.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Latest:
    """The last measurement."""

    report: DriftReport | None = None
    problem: str = ""
    """Why there is none; empty before the first and after one that succeeded."""
    at: datetime | None = None
    """When it ended."""
    is_measuring: bool = False


class _Stopped(Exception):
    """The server ends."""


class DriftMonitor:
    """Measures when it is asked, at most every so many seconds, and returns at once.

    Texts are left out: they would load an encoder into the server.
    """

    def __init__(self, graph: Graph, min_people: int, every: float = EVERY_SECONDS) -> None:
        self._graph = graph
        self._min_people = min_people
        self._every = every
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._latest = Latest()
        self._ended = -every
        self._mark: frozenset[str] = frozenset()
        self._is_stopped = False

    def latest(self) -> Latest:
        """Return the last measurement; begin another one if it is old."""
        with self._lock:
            is_measuring = self._thread is not None and self._thread.is_alive()
            is_old = time.monotonic() - self._ended >= self._every
            if is_old and not is_measuring and not self._is_stopped:
                self._thread = threading.Thread(target=self._measure, name="drift", daemon=True)
                self._thread.start()
                is_measuring = True
            return replace(self._latest, is_measuring=is_measuring)

    def measure_again(self) -> None:
        """Let the next question begin a measurement, however new the last one is."""
        with self._lock:
            self._ended = -self._every

    def wait(self) -> None:
        """Return when nothing is being measured."""
        if (thread := self._thread) is not None:
            thread.join()

    def stop(self) -> None:
        """Measure nothing any more, and end what is being measured."""
        self._is_stopped = True
        if (thread := self._thread) is not None:
            thread.join(_STOP_SECONDS)

    def _measure(self) -> None:
        report, problem = self._latest.report, ""
        mark: frozenset[str] = frozenset()
        try:
            # The mark is older than what is read under it.
            mark = self._graph.bookmark()
            if report is None or mark != self._mark:
                report = drift(
                    self._graph,
                    None,
                    DriftConfig(),
                    min_people=self._min_people,
                    progress=self._go_on,
                )
        except _Stopped:
            return
        except KinfolioError as error:
            report, problem, mark = None, str(error), frozenset()
        with self._lock:
            self._mark, self._ended = mark, time.monotonic()
            self._latest = Latest(report, problem, datetime.now(UTC))

    def _go_on(self, step: str, done: int, total: int) -> None:
        if self._is_stopped:
            raise _Stopped
