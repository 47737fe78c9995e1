"""A folder of files into the graph: everything is checked first, then written in batches.

Users, products, reviews and ties are merged by their keys, so loading a folder twice, or again
after it was cut off, gives the same graph. New users and products get the next row numbers (gid)
in the order in which they first appear; those that are there keep theirs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.errors import ServerError
from kinfolio.loaders.readers import check
from kinfolio.loaders.stage import Staged, stage
from kinfolio.loaders.tables import find_tables
from kinfolio.records import LoadReport, Progress

BATCH_ROWS = 10_000

_T = TypeVar("_T")
_Row = dict[str, Any]  # Any: a property may hold a text, a number, a flag, a time or a list


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

        def known_users(ids: list[str]) -> Iterable[str]:
            return _gids(graph, "load_known_users", ids)

        staged = stage(folder, Path(scratch), known_users=known_users, progress=progress)
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
        users=len(staged.users),
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
    following = graph.read("load_next_gids")[0]
    users = _number(graph, "users", staged.users, following["user"], progress)
    outside = _gids(graph, "load_known_users", staged.outside_users)
    products = _number(graph, "products", staged.products, following["product"], progress)
    ends = {
        "user": np.array([*users, *(outside[id] for id in staged.outside_users)], np.int64),
        "product": np.array(products, np.int64),
    }
    for table in ("users", "products", "interactions", "reviews", "ties"):
        _write_table(staged, table, ends, graph, progress)


def _parts(rows: Iterable[_T]) -> Iterator[list[_T]]:
    """Lists of up to `BATCH_ROWS`."""
    rows = iter(rows)
    while part := list(islice(rows, BATCH_ROWS)):
        yield part


def _gids(graph: Graph, statement: str, ids: list[str]) -> dict[str, int]:
    """The gid of each id that the graph has."""
    return {
        row["id"]: row["gid"] for part in _parts(ids) for row in graph.read(statement, ids=part)
    }


def _number(
    graph: Graph, kind: str, ids: list[str], following: int, progress: Progress
) -> list[int]:
    """The gid of each id; nodes that the graph has not are created."""
    known = _gids(graph, f"load_known_{kind}", ids)
    new = [id for id in ids if id not in known]
    numbers = range(following, following + len(new))
    rows: list[_Row] = [{"id": id, "gid": gid} for id, gid in zip(new, numbers, strict=True)]
    graph.write_batches(
        f"load_new_{kind}", _told(rows, f"new {kind}", len(rows), progress), BATCH_ROWS
    )
    known.update(zip(new, numbers, strict=True))
    return [known[id] for id in ids]


def _write_table(
    staged: Staged, table: str, ends: dict[str, NDArray[np.int64]], graph: Graph, progress: Progress
) -> None:
    if not staged.count(table):
        return
    rows = _told(staged.tables[table].rows(ends), table, staged.count(table), progress)
    if table == "ties":
        _write_ties(rows, graph)
    elif table == "products":
        for part in _parts(rows):
            _write_products(part, graph)
    else:
        graph.write_batches(f"load_{table}", rows, BATCH_ROWS)


def _write_products(rows: Iterable[_Row], graph: Graph) -> None:
    categories = [
        {"product": row["product"], "category": row["properties"].pop("category")}
        for row in rows
        if "category" in row["properties"]
    ]
    graph.write_batches("load_products", rows, BATCH_ROWS)
    graph.write_batches("load_categories", categories, BATCH_ROWS)


def _write_ties(rows: Iterable[_Row], graph: Graph) -> None:
    for part in _parts(rows):
        plain = [row for row in part if row["properties"].get("kind") is None]
        named = [row for row in part if row["properties"].get("kind") is not None]
        graph.write_batches("load_ties_of_a_kind", named, BATCH_ROWS)
        graph.write_batches("load_ties_without_kind", plain, BATCH_ROWS)


def _told(rows: Iterable[_Row], step: str, total: int, progress: Progress) -> Iterator[_Row]:
    """The rows, with a word to `progress` before each batch."""
    for number, row in enumerate(rows):
        if number % BATCH_ROWS == 0:
            progress(f"writing {step}", number, total)
        yield row
    if total:
        progress(f"writing {step}", total, total)
