"""A folder of files into the graph: everything is checked first, then written in batches.

Only what is not there, or differs, is written, so loading a folder twice, or again after it was
cut off, gives the same graph. New users and products get the next row numbers (gid) in the order
of their ids, whatever the order of files and rows; those that are there keep theirs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.errors import ServerError
from kinfolio.loaders.reading.readers import check
from kinfolio.loaders.reading.staging import Staged, stage
from kinfolio.loaders.reading.tables import TABLES, find_tables
from kinfolio.loaders.reports import LoadReport, Removed
from kinfolio.loaders.writing.edges import write_holdings, write_reviews, write_ties
from kinfolio.loaders.writing.nodes import write_nodes
from kinfolio.loaders.writing.prune import surplus
from kinfolio.records import Progress

IDS_AT_ONCE = 10_000
_NUMBERING = {"users": "export_number_users", "products": "export_number_products"}


def load(
    graph: Graph,
    folder: Path,
    *,
    progress: Progress = lambda step, done, total: None,
    rejects_file: Path | None = None,
    replace: Callable[[Removed], None] | None = None,
) -> LoadReport:
    """What was read from a folder and is in the graph now.

    Args:
        folder: holds `interactions` and maybe `users`, `products`, `reviews`, `ties`.
        graph: where it goes.
        progress: told of the rows read and written.
        rejects_file: where rows that were not loaded are listed; None: in the report alone. A file
            of an earlier load is removed when all rows are good.
        replace: take out of the graph what the folder has not. Told how much it is before anything
            is written; what it raises stops the load.

    Raises:
        BadInput: a file cannot be used; nothing was written.
        ServerError: the server failed on the way; loading again goes on from there.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kinfolio-load-") as scratch:
        staged = stage(
            folder,
            Path(scratch),
            known_users=lambda ids: () if replace else known_users(graph, ids),
            progress=progress,
        )
        write_rejects(staged, rejects_file)
        try:
            old = None
            if replace is not None:
                create_schema(graph)
                old = surplus(staged, graph, progress)
                replace(old.counts)
                old.remove(graph, progress)
            create_schema(graph)
            write_all(staged, graph, progress)
        except ServerError as error:
            raise type(error)(
                f"{error}; a part of {folder} is in the graph: "
                f"to resume, type the same again: kinfolio load {folder}"
            ) from error
        return report(staged, rejects_file, started, old.counts if old else None)


def report(
    staged: Staged, rejects_file: Path | None, started: float, removed: Removed | None = None
) -> LoadReport:
    """What there is to say of a folder that was loaded."""
    return LoadReport(
        users=len(staged.users) - len(staged.outside_users),
        products=len(staged.products),
        interactions=staged.count("interactions"),
        ties=staged.count("ties"),
        reviews=staged.count("reviews"),
        rejected=staged.rejects.all(),
        rejects_file=str(rejects_file) if rejects_file and len(staged.rejects) else None,
        removed=removed,
        seconds=round(time.monotonic() - started, 2),
    )


def write_rejects(staged: Staged, rejects_file: Path | None) -> None:
    """List the rows that are not loaded; a list of an earlier load goes when there are none."""
    if rejects_file is not None:
        rejects_file.unlink(missing_ok=True)
        if len(staged.rejects):
            staged.rejects.write(rejects_file)


def check_folder(folder: Path) -> None:
    """Look at the names and heads of the files, quickly and without a server.

    Raises:
        BadInput: a file cannot be used.
    """
    for file in find_tables(folder):
        check(file)


def write_all(
    staged: Staged, graph: Graph, progress: Progress, only: Collection[str] = tuple(TABLES)
) -> None:
    """Bring the graph to what a folder says; edges and reviews of the tables in `only`."""
    gids = {
        "user": _write_nodes("users", staged, graph, progress),
        "product": _write_nodes("products", staged, graph, progress),
    }
    for table, write in (
        ("interactions", write_holdings),
        ("reviews", write_reviews),
        ("ties", write_ties),
    ):
        if table in only and staged.count(table):
            write(staged.tables[table], gids, graph, progress)


def _write_nodes(kind: str, staged: Staged, graph: Graph, progress: Progress) -> NDArray[np.int64]:
    following = graph.read("load_next_gids")[0]
    if following[f"{kind}_without"]:  # added by hand
        graph.write(_NUMBERING[kind], first=following[kind.removesuffix("s")])
        following = graph.read("load_next_gids")[0]
    ids = staged.users if kind == "users" else staged.products
    rows = staged.tables[kind].good() if kind in staged.tables else None
    return write_nodes(kind, ids, rows, following[kind.removesuffix("s")], graph, progress)


def known_users(graph: Graph, ids: list[str]) -> list[str]:
    """Those of some ids that the graph has."""
    return [
        row["id"]
        for first in range(0, len(ids), IDS_AT_ONCE)
        for row in graph.read("load_known_users", ids=ids[first : first + IDS_AT_ONCE])
    ]
