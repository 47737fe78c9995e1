"""A folder of files into the graph: everything is checked first, then written in batches.

Only what is not there, or differs, is written, so loading a folder twice, or again after it was
cut off, gives the same graph. New users and products get the next row numbers (gid) in the order
of their ids, whatever the order of files and rows; those that are there keep theirs.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.errors import ServerError
from kinfolio.loaders.edges import write_holdings, write_reviews, write_ties
from kinfolio.loaders.nodes import write_nodes
from kinfolio.loaders.readers import check
from kinfolio.loaders.stage import Staged, stage
from kinfolio.loaders.tables import find_tables
from kinfolio.records import LoadReport, Progress

IDS_AT_ONCE = 10_000


def load(
    folder: Path,
    graph: Graph,
    *,
    progress: Progress = lambda step, done, total: None,
    rejects_file: Path | None = None,
) -> LoadReport:
    """What was read from a folder and is in the graph now.

    Args:
        folder: holds `interactions` and maybe `users`, `products`, `reviews`, `ties`.
        graph: where it goes.
        progress: told of the rows read and written.
        rejects_file: where rows that were not loaded are listed; None: in the report alone. A file
            of an earlier load is removed when all rows are good.

    Raises:
        BadInput: a file cannot be used; nothing was written.
        ServerError: the server failed on the way; loading again goes on from there.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kinfolio-load-") as scratch:
        staged = stage(
            folder,
            Path(scratch),
            known_users=lambda ids: _known_users(graph, ids),
            progress=progress,
        )
        if rejects_file is not None:
            rejects_file.unlink(missing_ok=True)
            if len(staged.rejects):
                staged.rejects.write(rejects_file)
        try:
            _write(staged, graph, progress)
        except ServerError as error:
            raise type(error)(
                f"{error}; a part of {folder} is in the graph: "
                f"to go on, type the same again: kinfolio load {folder}"
            ) from error
    return LoadReport(
        users=len(staged.users) - len(staged.outside_users),
        products=len(staged.products),
        interactions=staged.count("interactions"),
        ties=staged.count("ties"),
        reviews=staged.count("reviews"),
        rejected=staged.rejects.all(),
        rejects_file=str(rejects_file) if rejects_file and len(staged.rejects) else None,
        seconds=round(time.monotonic() - started, 2),
    )


def check_folder(folder: Path) -> None:
    """Look at the names and heads of the files, quickly and without a server.

    Raises:
        BadInput: a file cannot be used.
    """
    for file in find_tables(folder):
        check(file)


def _write(staged: Staged, graph: Graph, progress: Progress) -> None:
    create_schema(graph)
    gids = {
        "user": _write_nodes("users", staged, graph, progress),
        "product": _write_nodes("products", staged, graph, progress),
    }
    for table, write in (
        ("interactions", write_holdings),
        ("reviews", write_reviews),
        ("ties", write_ties),
    ):
        if staged.count(table):
            write(staged.tables[table], gids, graph, progress)


def _write_nodes(kind: str, staged: Staged, graph: Graph, progress: Progress) -> NDArray[np.int64]:
    following = graph.read("load_next_gids")[0]
    if following[f"{kind}_without"]:  # added by hand
        graph.write(f"export_number_{kind}", first=following[kind.removesuffix("s")])
        following = graph.read("load_next_gids")[0]
    ids = staged.users if kind == "users" else staged.products
    rows = staged.tables[kind].good() if kind in staged.tables else None
    return write_nodes(kind, ids, rows, following[kind.removesuffix("s")], graph, progress)


def _known_users(graph: Graph, ids: list[str]) -> list[str]:
    """Those of some ids that the graph has."""
    return [
        row["id"]
        for first in range(0, len(ids), IDS_AT_ONCE)
        for row in graph.read("load_known_users", ids=ids[first : first + IDS_AT_ONCE])
    ]
