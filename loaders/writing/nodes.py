"""Users and products into the graph: new ones get the next row numbers, others are updated.

Ids are sorted and batches are written one after the other, so that a resumed load gives every node
the same number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.loaders.reading.staged import Staged
from kinfolio.loaders.writing.values import ABSENT, Values, values_of
from kinfolio.records import Progress

BATCH_NODES = 5_000

NodeTable = Literal["users", "products"]

_NUMBERING = {"users": "export_number_users", "products": "export_number_products"}
_STATEMENTS = {
    "users": ("load_users_existing", "load_new_users", "load_users"),
    "products": ("load_products_existing", "load_new_products", "load_products"),
}
"""Statements that read, create and update."""


@dataclass(frozen=True, slots=True)
class _Batch:
    ids: list[str]
    values: Values
    """Without the category; `ABSENT` for ids without a row in the input."""
    categories: list[Any]
    """Names; None removes a category, `ABSENT` leaves it unchanged. Any: of `ABSENT`."""


def write_nodes(
    table: NodeTable, staged: Staged, graph: Graph, progress: Progress
) -> NDArray[np.int64]:
    """Write the users or products of a folder; return the row number (gid) of each id."""
    key = table.removesuffix("s")
    counters = graph.read("load_next_gids")[0]
    if counters[f"{table}_without"]:  # not created by kinfolio
        graph.write(_NUMBERING[table], first=counters[key])
        counters = graph.read("load_next_gids")[0]
    next_gid = counters[key]
    ids = staged.users if table == "users" else staged.products
    rows = staged.tables[table].valid_rows() if table in staged.tables else None
    gids = np.zeros(len(ids), np.int64)
    done = 0
    for batch in _batches(key, ids, rows):
        progress(f"writing {table}", done, len(ids))
        work = partial(_write_batch, table=table, batch=batch, next_gid=next_gid)
        found = graph.write_in_one(f"load_{table}", work)
        gids[done : done + len(found)] = found
        next_gid = max(next_gid, max(found, default=-1) + 1)
        done += len(found)
    progress(f"writing {table}", done, len(ids))
    return gids


def _batches(key: str, ids: Any, rows: Any) -> Iterator[_Batch]:
    row_of = np.full(len(ids), -1, np.int64)
    if rows is not None:
        row_of[rows.column(key).to_numpy()] = np.arange(rows.num_rows)
    for first in range(0, len(ids), BATCH_NODES):
        part = ids[first : first + BATCH_NODES].to_pylist()
        places = row_of[first : first + BATCH_NODES]
        categories = [ABSENT] * len(part)
        if rows is None:
            yield _Batch(part, Values([], []), categories)
            continue
        is_missing = places < 0
        values = values_of(rows.take(pa.array(places, mask=is_missing)), (key,))
        for column in values.columns:
            for number in np.flatnonzero(is_missing).tolist():
                column[number] = ABSENT
        if key == "product" and "category" in values.names:
            categories = values.column("category", len(part))
            values = values.without(("category",))
        yield _Batch(part, values, categories)


def _write_batch(tx: Reads, *, table: NodeTable, batch: _Batch, next_gid: int) -> list[int]:
    """Create the new nodes, update those that differ; return the row numbers of the batch."""
    read, create, update = _STATEMENTS[table]
    values = batch.values
    stored = tx.read(read, ids=batch.ids, names=values.names)[0]
    place_of = {id: place for place, id in enumerate(stored["ids"])}
    # If the transaction is retried, the new nodes may exist, numbered from `next_gid`.
    next_gid = max([next_gid, *(gid + 1 for gid in stored["gids"])])
    gids: list[int] = []
    new: list[dict[str, Any]] = []
    changed: list[list[Any]] = []
    categories: list[list[Any]] = []
    for number, id in enumerate(batch.ids):
        if (place := place_of.get(id)) is None:
            gids.append(next_gid + len(new))
            # One map: setting a property alone costs the server as much as setting all of them.
            new.append(values.present(number) | {"id": id, "gid": gids[-1]})
        else:
            gids.append(stored["gids"][place])
            if values.differ(number, stored["values"][place]):
                changed.append([gids[-1], values.row(number)])
        if (category := batch.categories[number]) is not ABSENT:
            before = [] if place is None else stored["categories"][place]
            if before != ([] if category is None else [category]):
                categories.append([gids[-1], category])
    for name, rows in ((create, new), (update, changed), ("load_categories", categories)):
        if rows:
            tx.read(name, rows=rows)
    return gids
