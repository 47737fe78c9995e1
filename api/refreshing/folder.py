"""What refreshes of one database keep in the home: state, lock and runs.

The folder is named by the id of the database, so that it follows the data, not the address. What is
missing or damaged in it is taken as unknown: the next refresh then reads more.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from kinfolio.api.refreshing.changes import Changes, TableChanges
from kinfolio.cypher.graph import Graph
from kinfolio.errors import FileError, NotReady, RunBroken
from kinfolio.os_errors import os_errors
from kinfolio.run import Run, read_json, write_json
from kinfolio.storage.lock import locked

REFUSED = "refused"
"""Folder of the last run that the gate refused."""
_UNPUBLISHED = "unpublished"
"""File in a run that is being made. The folder keeps its name: versions record it."""

Found = dict[str, Any]
"""Any: the properties of a version's node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the last refresh saw."""

    token: tuple[str, ...] = ()
    """The server's bookmark when nothing was read yet; opaque, compared for equality only. Empty:
    unknown."""
    version: str = ""
    """The version that the changes are counted from."""
    snapshot: str = ""
    """Hash of the graph as it was read."""
    at: str = ""
    """When that was."""
    changes: Changes | None = None
    refused: dict[str, str] | None = None
    """Snapshot, settings and reason of the last model that the gate refused."""

    def is_of(self, token: tuple[str, ...], version: str) -> bool:
        """Return whether nothing was committed since, and the same version serves."""
        known = bool(self.token) and self.changes is not None
        return known and (self.token, self.version) == (token, version)


class RefreshFolder:
    """The folder of the refreshes of one database."""

    def __init__(self, home: Path, graph: Graph) -> None:
        database = str(graph.read("show_database")[0]["id"])
        self.folder = home / "refresh" / sha256(database.encode()).hexdigest()[:16]
        self._runs = self.folder / "runs"
        self._state = self.folder / "state.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the folder.

        Raises:
            NotReady: another process holds it.
        """
        with locked(self.folder, "refresh", cure="wait until it ends"):
            yield

    def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        if not self._runs.is_dir():
            return []
        names = (path.name for path in self._runs.iterdir() if path.name != REFUSED)
        return [Run(self._runs / name) for name in sorted(names, reverse=True)]

    def unfinished(self) -> Run | None:
        """Return the run that is being made, or that an interrupted refresh left."""
        return next((run for run in self.runs() if (run.folder / _UNPUBLISHED).exists()), None)

    def begin(self) -> Run:
        """Return the run that is being made; a new one if there is none."""
        if found := self.unfinished():
            return found
        run = Run(self._runs / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f"))
        with os_errors(run.folder, cure="free the folder"):
            run.folder.mkdir(parents=True)
            (run.folder / _UNPUBLISHED).touch()
        return run

    def read_state(self) -> State:
        """Return the state; an empty one where it is missing, damaged or of another version."""
        try:
            found = read_json(self._state)
            changes = found.pop("changes")
            state = State(**{**found, "token": tuple(found["token"])})
            return state if changes is None else replace(state, changes=_changes(changes))
        except (FileError, RunBroken, KeyError, TypeError):
            return State()

    def write_state(self, state: State) -> None:
        """Replace the state."""
        write_json(self._state, asdict(state))

    def keep(self, run: Run) -> None:
        """Mark a run as published."""
        (run.folder / _UNPUBLISHED).unlink(missing_ok=True)

    def set_aside(self, run: Run) -> Run:
        """Keep a refused run in place of the one refused before; return it there."""
        target = Run(self._runs / REFUSED)
        with os_errors(target.folder, cure="free the folder"):
            shutil.rmtree(target.folder, ignore_errors=True)
            run.folder.rename(target.folder)
        return target

    def repair(self, serving: Found) -> None:
        """Mark the unfinished run as published if it serves: a refresh was killed just then."""
        run = self.unfinished()
        if run is not None and is_run_of(run, serving):
            self.keep(run)

    def drop(self, run: Run) -> None:
        """Remove a run."""
        shutil.rmtree(run.folder, ignore_errors=True)

    def prune(self, keep: int, versions: Collection[Found]) -> None:
        """Remove all runs but the newest ones and those of stored versions."""
        finished = [run for run in self.runs() if not (run.folder / _UNPUBLISHED).exists()]
        for run in finished[keep:]:
            if not any(is_run_of(run, version) for version in versions):
                self.drop(run)


def is_run_of(run: Run, version: Found) -> bool:
    """Return whether a version was written back from a run."""
    try:
        info = run.need_info()
        metrics = json.loads(str(version.get("metrics")))
    except (NotReady, RunBroken, FileError, ValueError):
        return False
    return (info["data"]["snapshot"], info["metrics"]) == (version.get("snapshot"), metrics)


def _changes(found: dict[str, Any]) -> Changes:
    return Changes(
        is_same=found["is_same"],
        unlisted=found["unlisted"],
        holdings=TableChanges(**found["holdings"]),
        ties=TableChanges(**found["ties"]),
        reviews=TableChanges(**found["reviews"]),
    )
