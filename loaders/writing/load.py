"""A folder of files into the graph: all rows are checked first, then written in batches.

Only differences are written, so loading is idempotent and can be resumed after an interruption. New
users and products get the next row numbers (gid) in the order of their ids, independent of the
order of files and rows; the numbers of existing ones do not change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.environment import home
from kinfolio.errors import ServerError, shell_command
from kinfolio.loaders.files.readers import check
from kinfolio.loaders.files.tables import TABLES, find_tables
from kinfolio.loaders.reading.events.decision import DISMISSALS, HOLDINGS
from kinfolio.loaders.reading.meaning import AS_IT_IS, Meaning
from kinfolio.loaders.reading.staged import Staged
from kinfolio.loaders.reading.staging import stage
from kinfolio.loaders.reports import LoadReport, Removed
from kinfolio.loaders.writing.dismissals import write_dismissals
from kinfolio.loaders.writing.edges import write_holdings, write_reviews, write_ties
from kinfolio.loaders.writing.events import write_events
from kinfolio.loaders.writing.former_ids import normalize_stored_ids
from kinfolio.loaders.writing.history import record_load
from kinfolio.loaders.writing.nodes import NodeTable, write_nodes
from kinfolio.loaders.writing.prune import find_removals
from kinfolio.os_errors import optional_file, scratch_folder
from kinfolio.records import Progress, no_progress

IDS_PER_QUERY = 10_000
_KNOWN = {"users": "load_known_users", "products": "load_known_products"}
OnReplace = Callable[[Removed, Sequence[str]], None]
"""Called with counts of what is removed and the ids of removed users."""


def load(
    graph: Graph,
    folder: Path,
    *,
    progress: Progress = no_progress,
    rejects_file: Path | None = None,
    replace: OnReplace | None = None,
    meaning: Meaning = AS_IT_IS,
) -> LoadReport:
    """Load a folder into the graph; waits while another load writes.

    Args:
        graph: the destination.
        folder: has `interactions` or `events`, and optionally `users`, `products`, `reviews`,
            `ties`.
        progress: called with the number of rows read and written.
        rejects_file: list of the rejected rows; None: only in the report. The list of an earlier
            load is deleted if no row is rejected.
        replace: if set, nodes and relationships that are not in the folder are removed. Called
            with their counts, and the ids of users among them, before the first write; an
            exception stops the load.
        meaning: how rows are understood.

    Raises:
        BadInput: a file cannot be used; nothing was written.
        ServerError: the server failed; the same call resumes the load.
    """
    started = time.monotonic()
    watched = _Watched(progress)
    with scratch_folder("load") as scratch:
        staged = stage(
            folder,
            scratch,
            known_users=lambda ids: () if replace else known_ids(graph, "users", ids),
            known_products=lambda ids: () if replace else known_ids(graph, "products", ids),
            progress=progress,
            meaning=meaning,
        )
        write_rejects(staged, rejects_file)
        try:
            removed = _write(staged, graph, watched, replace, " ".join(meaning.words()))
        except ServerError as error:
            again = load_command(
                folder, rejects_file, is_replacing=replace is not None, meaning=meaning
            )
            raise type(error)(
                f"{error}; {watched.state.format(folder)} in the graph; to resume, type: {again}"
            ) from error
        return report(staged, rejects_file, started, removed)


class _Watched:
    """A progress callback that stores how much of a folder is in the graph."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.state = "nothing of {} is"

    def __call__(self, step: str, done: int, total: int) -> None:
        if step.startswith(("writing", "removing")):
            if done:
                self.state = "a part of {} is"
            elif self.state.startswith("nothing"):  # the answer to a first batch may be lost
                self.state = "a part of {} may be"
        self._progress(step, done, total)


def _write(
    staged: Staged, graph: Graph, progress: Progress, replace: OnReplace | None, options: str
) -> Removed | None:
    """Write and record a folder while no other load does; return what was removed."""
    create_schema(graph)
    waiting = "waiting for another load to end"
    with graph.hold("load_lock", on_wait=lambda: progress(waiting, 0, 0)):
        staged.notes += normalize_stored_ids(staged, graph)
        removed = None
        if replace is not None:
            removals = find_removals(staged, graph, progress)
            removed = removals.counts
            replace(removed, removals.users)
            removals.remove(graph, progress)
        write_all(staged, graph, progress)
        record_load(staged, graph, options, is_replacing=replace is not None)
    return removed


def default_rejects(folder: Path) -> Path:
    """Return the file for the rejected rows of a folder, unless the user gives one."""
    return home() / "rejects" / f"{folder.absolute().name}.tsv"


def load_command(
    folder: Path,
    rejects_file: Path | None = None,
    *,
    is_replacing: bool = False,
    is_bulk: bool = False,
    meaning: Meaning = AS_IT_IS,
    flags: Collection[str] = (),
) -> str:
    """Return the command of a load, to type it again."""
    words: list[object] = [*["--replace"] * is_replacing, *["--bulk"] * is_bulk, *flags]
    words += meaning.words()
    is_default = rejects_file in (None, default_rejects(folder))
    words += [] if is_default else ["--rejects", rejects_file]
    return shell_command("load", *words, folder)


def report(
    staged: Staged, rejects_file: Path | None, started: float, removed: Removed | None = None
) -> LoadReport:
    """Return the report of a folder that was loaded since `started`."""
    return LoadReport(
        users=len(staged.users) - len(staged.outside_users),
        products=len(staged.products) - len(staged.outside_products),
        interactions=staged.count("interactions"),
        dismissals=staged.count("dismissals"),
        ties=staged.count("ties"),
        reviews=staged.count("reviews"),
        rejected=staged.rejects.all(),
        rejects_file=str(rejects_file) if rejects_file and rejects_file.is_file() else None,
        notes=(*staged.notes, *staged.readings),
        held_by_events=staged.count(HOLDINGS),
        dismissed_by_events=staged.count(DISMISSALS),
        removed=removed,
        seconds=round(time.monotonic() - started, 2),
    )


def write_rejects(staged: Staged, rejects_file: Path | None) -> None:
    """Write the list of rejected rows; delete that of an earlier load if no row is rejected.

    The load does not need the list: one that cannot be written is a warning.
    """
    if rejects_file is not None:
        with optional_file(rejects_file):
            rejects_file.unlink(missing_ok=True)
            if len(staged.rejects):
                staged.rejects.write(rejects_file)


def check_folder(folder: Path) -> None:
    """Check the names and headers of the files, without a server.

    Raises:
        BadInput: a file cannot be used.
    """
    for file in find_tables(folder):
        check(file)


def write_all(
    staged: Staged, graph: Graph, progress: Progress, only: Collection[str] = tuple(TABLES)
) -> None:
    """Write all nodes, dismissals, events, and the edges and reviews of the tables in `only`."""
    gids = {
        "user": write_nodes("users", staged, graph, progress),
        "product": write_nodes("products", staged, graph, progress),
    }
    write_dismissals(staged, gids, graph, progress)
    for table, write in (
        ("interactions", write_holdings),
        ("reviews", write_reviews),
        ("ties", write_ties),
    ):
        if table in only and staged.count(table):
            write(staged.tables[table], gids, graph, progress)
    write_events(staged, gids, graph, progress)


def known_ids(graph: Graph, kind: NodeTable, ids: list[str]) -> list[str]:
    """Return the ids that are users or products of the graph."""
    return [
        row["id"]
        for first in range(0, len(ids), IDS_PER_QUERY)
        for row in graph.read(_KNOWN[kind], ids=ids[first : first + IDS_PER_QUERY])
    ]
