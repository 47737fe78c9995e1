"""Holdings, ties and reviews into the graph: what is new is created, what differs is changed.

Each batch reads what is there and writes what is missing in one transaction, so it may be tried
again, and rows that the graph has are only compared. Holdings and ties go by user: one look-up for
all that a user holds, and relationships beside each other on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from threading import Event, Lock
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.loaders.reading.staging import ENDS, StagedTable
from kinfolio.loaders.reading.values import Values, ahead, values_of
from kinfolio.records import Progress

BATCH_ROWS = 10_000
LANES = 2

Gids = dict[str, NDArray[np.int64]]
"""Row number (gid) of each place among the sorted ids, for `user` and `product`."""


class _Put(Protocol):
    def __call__(self, tx: Reads, rows: _Rows) -> None: ...


@dataclass(frozen=True, slots=True)
class _Rows:
    """A batch as the statements take it."""

    source: list[int]
    target: list[int]
    values: Values
    new: list[list[Any]]
    """What the creating statement takes of each row."""
    ids: list[str]
    """Of reviews."""
    more: bool
    """Whether there are properties of names that kinfolio does not know."""


def write_holdings(table: StagedTable, gids: Gids, graph: Graph, progress: Progress) -> None:
    """Put the holdings of a folder into the graph, in two lanes that never meet.

    A relationship locks both its nodes until its transaction ends. So users and products are cut in
    halves: first one lane has the first half of both and the other the second, then they swap.
    """
    known = ("rating", "at", "weight", "split")
    good = table.good()
    if good is None:
        return
    good = good.combine_chunks()
    user, product = (good.column(name).to_numpy() for name in ("user", "product"))
    user_half, product_half = _halves(user), _halves(product)
    lane, turn = user_half[user], user_half[user] ^ product_half[product]
    order = np.lexsort((gids["product"][product], gids["user"][user], lane, turn))
    written = Written("interactions", len(order), progress)
    stop = Event()

    def run(chosen: NDArray[np.int64]) -> None:
        for first in range(0, len(chosen), BATCH_ROWS):
            if stop.is_set():
                return
            part = good.take(pa.array(chosen[first : first + BATCH_ROWS]))
            rows = _rows(part, "interactions", gids, known)
            graph.write_in_one("load_interactions", partial(_put_holdings, rows=rows))
            written.add(part.num_rows)

    with ThreadPoolExecutor(LANES) as pool:
        for now in range(LANES):
            of_turn = order[turn[order] == now]
            lanes = [of_turn[lane[of_turn] == number] for number in range(LANES)]
            try:
                for done in as_completed([pool.submit(run, chosen) for chosen in lanes]):
                    done.result()
            except BaseException:
                stop.set()
                raise


def _halves(places: NDArray[np.int32]) -> NDArray[np.int8]:
    """A half (0, 1) for each place, so that both halves have about as many rows."""
    counts = np.bincount(places)
    half = np.zeros(len(counts), np.int8)
    half[np.argsort(-counts, kind="stable")] = np.arange(len(counts)) % LANES
    return half


class Written:
    """How many rows are written, told to `progress`; several threads may add."""

    def __init__(self, table: str, total: int, progress: Progress) -> None:
        self._step, self._total, self._progress = f"writing {table}", total, progress
        self._done = 0
        self._lock = Lock()
        progress(self._step, 0, total)

    def add(self, count: int) -> None:
        """Count some more."""
        with self._lock:
            self._done += count
            self._progress(self._step, self._done, self._total)


def write_ties(table: StagedTable, gids: Gids, graph: Graph, progress: Progress) -> None:
    """Put the ties of a folder into the graph."""
    known = ("kind", "at", "split")
    _write(table, _by_user(table, gids), gids, known, _put_ties, graph, progress)


def write_reviews(table: StagedTable, gids: Gids, graph: Graph, progress: Progress) -> None:
    """Put the reviews of a folder into the graph."""
    known = ("at", "rating", "text", "split")
    parts = (
        batch[first : first + BATCH_ROWS]
        for batch in table.batches()
        for first in range(0, batch.num_rows, BATCH_ROWS)
    )
    _write(table, parts, gids, known, _put_reviews, graph, progress)


def _by_user(table: StagedTable, gids: Gids) -> Iterator[Any]:
    good = table.good()
    if good is None:
        return
    good = good.combine_chunks()
    source, target = (
        gids[of][good.column(name).to_numpy()] for name, of in ENDS[table.file.table].items()
    )
    order = np.lexsort((target, source))
    for first in range(0, len(order), BATCH_ROWS):
        yield good.take(pa.array(order[first : first + BATCH_ROWS]))


def _write(
    table: StagedTable,
    parts: Iterator[Any],
    gids: Gids,
    known: tuple[str, ...],
    put: _Put,
    graph: Graph,
    progress: Progress,
) -> None:
    name = table.file.table
    written = Written(name, len(table), progress)
    for rows in ahead(lambda part: _rows(part, name, gids, known), parts):
        graph.write_in_one(f"load_{name}", partial(put, rows=rows))
        written.add(len(rows.source))


def _rows(part: Any, table: str, gids: Gids, known: tuple[str, ...]) -> _Rows:
    ends = ENDS[table]
    source, target = (gids[of][part.column(name).to_numpy()].tolist() for name, of in ends.items())
    values = values_of(part, (*ends, "review"))
    others = values.others(known)
    heads: list[list[Any]] = [target]
    ids: list[str] = []
    if table == "reviews":
        ids = part.column("review").to_pylist()
        heads = [source, target, ids]
    columns = [*heads, *(values.column(name, len(source)) for name in known)]
    if others.names or table != "interactions":
        columns.append([others.present(number) for number in range(len(source))])
    new = [list(row) for row in zip(*columns, strict=True)]
    return _Rows(source, target, values, new, ids, bool(others.names))


def _groups(rows: _Rows, chosen: list[int]) -> list[list[Any]]:
    """What is to be created, by user."""
    return [
        [user, [rows.new[number] for number in numbers]]
        for user, numbers in groupby(chosen, key=rows.source.__getitem__)
    ]


def _put_holdings(tx: Reads, rows: _Rows) -> None:
    users = sorted(set(rows.source))
    there = tx.read("load_interactions_existing", users=users, names=rows.values.names)[0]
    keys = zip(there["source"], there["target"], strict=True)
    new, changed = _compared(rows, list(zip(rows.source, rows.target, strict=True)), keys, there)
    if new:
        name = "load_interactions_with_properties" if rows.more else "load_interactions"
        tx.read(name, groups=_groups(rows, new))
    if changed:
        tx.read(
            "load_interactions_changed",
            rows=[[rows.source[n], rows.target[n], rows.values.row(n)] for n in changed],
        )


def _put_ties(tx: Reads, rows: _Rows) -> None:
    users = sorted(set(rows.source))
    there = tx.read("load_ties_existing", users=users, names=rows.values.names)[0]
    kinds = [kind or "" for kind in rows.values.column("kind", len(rows.source))]
    keys = zip(there["source"], there["target"], there["kind"], strict=True)
    wanted = list(zip(rows.source, rows.target, kinds, strict=True))
    new, changed = _compared(rows, wanted, keys, there)
    if new:
        tx.read("load_ties", groups=_groups(rows, new))
    if changed:
        tx.read(
            "load_ties_changed",
            rows=[[*wanted[number], rows.values.row(number)] for number in changed],
        )


def _compared(
    rows: _Rows,
    wanted: list[tuple[Any, ...]],
    keys: Iterator[tuple[Any, ...]],
    there: dict[str, Any],
) -> tuple[list[int], list[int]]:
    """The rows that the graph has not, and those it has with other values."""
    if not there["source"]:
        return list(range(len(wanted))), []
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    new: list[int] = []
    changed: list[int] = []
    for number, key in enumerate(wanted):
        if (found := places.get(key)) is None:
            new.append(number)
        elif any(rows.values.differ(number, there["values"][place]) for place in found):
            changed.append(number)
    return new, changed


def _put_reviews(tx: Reads, rows: _Rows) -> None:
    there = tx.read("load_reviews_existing", ids=rows.ids, names=rows.values.names)[0]
    known = {id: place for place, id in enumerate(there["ids"])}
    new: list[list[Any]] = []
    changed: list[list[Any]] = []
    moved: list[list[Any]] = []
    for number, id in enumerate(rows.ids):
        if (place := known.get(id)) is None:
            new.append(rows.new[number])
            continue
        ends = [rows.source[number]], [rows.target[number]]
        if ends != (there["sources"][place], there["targets"][place]):
            moved.append([id, rows.source[number], rows.target[number]])
        if rows.values.differ(number, there["values"][place]):
            changed.append([id, rows.source[number], rows.values.row(number)])
    for name, found in (
        ("load_reviews", new),
        ("load_reviews_moved", moved),
        ("load_reviews_changed", changed),
    ):
        if found:
            tx.read(name, rows=found)
