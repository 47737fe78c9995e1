"""Holdings, ties and reviews into the graph: new ones are created, different ones updated.

Each batch reads the stored rows and writes the differences in one transaction, so it can be
retried. Holdings and ties are sorted by user, so that each user is matched once and relationships
are adjacent on disk.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from threading import Event, Lock
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.loaders.files.tables import TABLES
from kinfolio.loaders.parallel import map_ordered
from kinfolio.loaders.reading.staged import ENDS, StagedTable
from kinfolio.loaders.writing.values import Values, values_of
from kinfolio.records import Progress

BATCH_ROWS = 10_000
LANES = 2

Gids = dict[str, NDArray[np.int64]]
"""Row number (gid) of each place among the sorted ids, for `user` and `product`."""

_PROPERTIES = {
    table: tuple(column.stored for column in columns if not column.required)
    for table, columns in TABLES.items()
}
"""Properties with a column of their own, in the order of the statements' parameters."""
_STATEMENTS = {
    "interactions": (
        "load_interactions_existing",
        "load_interactions",
        "load_interactions_changed",
    ),
    "ties": ("load_ties_existing", "load_ties", "load_ties_changed"),
}
"""Statements that read, create and update."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows as parameters of the statements."""

    source: list[int]
    target: list[int]
    values: Values
    new: list[list[Any]]
    """Parameters of the creating statement, row by row."""
    ids: list[str]
    """Ids of reviews; empty for edges."""
    has_more: bool
    """Whether holdings have other properties than those in `_PROPERTIES`."""


def write_holdings(table: StagedTable, gids: Gids, graph: Graph, progress: Progress) -> None:
    """Write the holdings of a folder in two lanes that never lock the same node.

    A relationship locks both its nodes until its transaction ends. Users and products are therefore
    split into halves: each lane writes the holdings between one half of the users and one half of
    the products; in the second turn the lanes swap the halves of the products.
    """
    rows = table.valid_rows()
    user, product = (rows.column(name).to_numpy() for name in ("user", "product"))
    user_half, product_half = _halves(user), _halves(product)
    lane, turn = user_half[user], user_half[user] ^ product_half[product]
    order = np.lexsort((gids["product"][product], gids["user"][user], lane, turn))
    count = _Count("interactions", len(order), progress)
    stop = Event()

    def run(chosen: NDArray[np.int64]) -> None:
        for first in range(0, len(chosen), BATCH_ROWS):
            if stop.is_set():
                return
            part = rows.take(pa.array(chosen[first : first + BATCH_ROWS]))
            batch = _batch(part, "interactions", gids)
            graph.write_in_one(
                "load_interactions", partial(_write_edges, table="interactions", batch=batch)
            )
            count.add(part.num_rows)

    with ThreadPoolExecutor(LANES) as pool:
        for current in range(LANES):
            rows_now = order[turn[order] == current]
            lanes = [rows_now[lane[rows_now] == number] for number in range(LANES)]
            try:
                for done in as_completed([pool.submit(run, chosen) for chosen in lanes]):
                    done.result()
            except BaseException:
                stop.set()
                raise


def _halves(places: NDArray[np.int32]) -> NDArray[np.int8]:
    """Assign each place a half (0, 1), so that both halves have a similar number of rows."""
    counts = np.bincount(places)
    half = np.zeros(len(counts), np.int8)
    half[np.argsort(-counts, kind="stable")] = np.arange(len(counts)) % LANES
    return half


class _Count:
    """Number of written rows, reported to `progress`; thread-safe."""

    def __init__(self, table: str, total: int, progress: Progress) -> None:
        self._step, self._total, self._progress = f"writing {table}", total, progress
        self._done = 0
        self._lock = Lock()
        progress(self._step, 0, total)

    def add(self, number: int) -> None:
        with self._lock:
            self._done += number
            self._progress(self._step, self._done, self._total)


def write_ties(table: StagedTable, gids: Gids, graph: Graph, progress: Progress) -> None:
    """Write the ties of a folder."""
    rows = table.valid_rows()
    source, target = (gids["user"][rows.column(end).to_numpy()] for end in ENDS["ties"])
    order = np.lexsort((target, source))
    count = _Count("ties", len(order), progress)
    parts = (
        rows.take(pa.array(order[first : first + BATCH_ROWS]))
        for first in range(0, len(order), BATCH_ROWS)
    )
    for batch in map_ordered(lambda part: _batch(part, "ties", gids), parts):
        graph.write_in_one("load_ties", partial(_write_edges, table="ties", batch=batch))
        count.add(len(batch.source))


def write_reviews(table: StagedTable, gids: Gids, graph: Graph, progress: Progress) -> None:
    """Write the reviews of a folder."""
    count = _Count("reviews", len(table), progress)
    parts = (
        rows[first : first + BATCH_ROWS]
        for rows in table.batches()
        for first in range(0, rows.num_rows, BATCH_ROWS)
    )
    for batch in map_ordered(lambda part: _batch(part, "reviews", gids), parts):
        graph.write_in_one("load_reviews", partial(_write_reviews, batch=batch))
        count.add(len(batch.source))


def _batch(part: Any, table: str, gids: Gids) -> _Batch:
    ends, properties = ENDS[table], _PROPERTIES[table]
    source, target = (gids[of][part.column(name).to_numpy()].tolist() for name, of in ends.items())
    values = values_of(part, (*ends, "review"))
    more = values.without(properties)
    ids = part.column("review").to_pylist() if table == "reviews" else []
    columns: list[list[Any]] = [source, target, ids] if ids else [target]
    columns += [values.column(name, len(source)) for name in properties]
    if more.names or table != "interactions":
        columns.append([more.present(number) for number in range(len(source))])
    new = [list(row) for row in zip(*columns, strict=True)]
    has_more = bool(more.names) and table == "interactions"
    return _Batch(source, target, values, new, ids, has_more)


def _write_edges(tx: Reads, table: str, batch: _Batch) -> None:
    """Create the holdings or ties that the graph does not have; update those that differ."""
    existing, create, update = _STATEMENTS[table]
    users = sorted(set(batch.source))
    stored = tx.read(existing, users=users, names=batch.values.names)[0]
    ends: list[list[Any]] = [batch.source, batch.target]
    stored_ends = [stored["source"], stored["target"]]
    if table == "ties":
        ends.append([kind or "" for kind in batch.values.column("kind", len(batch.source))])
        stored_ends.append(stored["kind"])
    places: dict[Any, list[int]] = {}
    for place, key in enumerate(zip(*stored_ends, strict=True)):
        places.setdefault(key, []).append(place)
    new: list[int] = []
    changed: list[list[Any]] = []
    for row, key in enumerate(zip(*ends, strict=True)):
        if (found := places.get(key)) is None:
            new.append(row)
        elif any(batch.values.differ(row, stored["values"][place]) for place in found):
            changed.append([*key, batch.values.row(row)])
    if new:
        name = "load_interactions_with_properties" if batch.has_more else create
        by_user = groupby(new, key=batch.source.__getitem__)
        tx.read(name, groups=[[user, [batch.new[row] for row in rows]] for user, rows in by_user])
    if changed:
        tx.read(update, rows=changed)


def _write_reviews(tx: Reads, batch: _Batch) -> None:
    stored = tx.read("load_reviews_existing", ids=batch.ids, names=batch.values.names)[0]
    place_of = {id: place for place, id in enumerate(stored["ids"])}
    new: list[list[Any]] = []
    changed: list[list[Any]] = []
    moved: list[list[Any]] = []
    for row, (id, user, product) in enumerate(
        zip(batch.ids, batch.source, batch.target, strict=True)
    ):
        if (place := place_of.get(id)) is None:
            new.append(batch.new[row])
            continue
        if ([user], [product]) != (stored["sources"][place], stored["targets"][place]):
            moved.append([id, user, product])
        if batch.values.differ(row, stored["values"][place]):
            changed.append([id, user, batch.values.row(row)])
    for name, rows in (
        ("load_reviews", new),
        ("load_reviews_moved", moved),
        ("load_reviews_changed", changed),
    ):
        if rows:
            tx.read(name, rows=rows)
