"""Users and products into the graph: new ones with the next row numbers, others where they differ.

Ids come sorted and batches are written one after the other, so a load that was cut off and started
again gives every node the number it would have had.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.loaders.reading.values import ABSENT, Values, ahead, values_of
from kinfolio.records import Progress

BATCH_NODES = 5_000
_STATEMENTS = {
    "users": ("load_users_existing", "load_new_users", "load_users"),
    "products": ("load_products_existing", "load_new_products", "load_products"),
}


@dataclass(frozen=True, slots=True)
class _Batch:
    ids: list[str]
    values: Values
    """Without the category; ABSENT where the input has no row."""
    categories: list[Any]
    """Name, None for none, ABSENT where the input says nothing. Any: of `ABSENT`."""


def write_nodes(
    kind: str, ids: Any, rows: Any, following: int, graph: Graph, progress: Progress
) -> NDArray[np.int64]:
    """The row number (gid) of each id.

    Args:
        kind: `users` or `products`.
        ids: sorted, a pyarrow array.
        rows: pyarrow table of that kind, with the place of each id among `ids`; or None.
        following: the row number of the first new one.
        graph: where they go.
        progress: told of the ids written.
    """
    gids = np.zeros(len(ids), np.int64)
    done = 0
    for batch in ahead(lambda batch: batch, _batches(kind.removesuffix("s"), ids, rows)):
        progress(f"writing {kind}", done, len(ids))

        def work(tx: Reads, batch: _Batch = batch, first: int = following) -> list[int]:
            return _put(tx, kind, batch, first)

        found = graph.write_in_one(f"load_{kind}", work)
        gids[done : done + len(found)] = found
        following = max(following, max(found, default=-1) + 1)
        done += len(found)
    progress(f"writing {kind}", done, len(ids))
    return gids


def _batches(key: str, ids: Any, rows: Any) -> Iterator[_Batch]:
    row_of = np.full(len(ids), -1, np.int64)
    if rows is not None:
        row_of[rows.column(key).to_numpy()] = np.arange(rows.num_rows)
    for first in range(0, len(ids), BATCH_NODES):
        part = ids[first : first + BATCH_NODES].to_pylist()
        places = row_of[first : first + BATCH_NODES]
        if rows is None:
            yield _Batch(part, Values([], []), [ABSENT] * len(part))
            continue
        missing = places < 0
        found = values_of(rows.take(pa.array(places, mask=missing)), (key,))
        for column in found.columns:
            for number in np.flatnonzero(missing).tolist():
                column[number] = ABSENT
        categories = [ABSENT] * len(part)
        if key == "product" and "category" in found.names:
            categories = found.column("category", len(part))
            found = found.others(("category",))
        yield _Batch(part, found, categories)


def _put(tx: Reads, kind: str, batch: _Batch, following: int) -> list[int]:
    """The row numbers of a batch, after what is new or differs was written."""
    values = batch.values
    existing, create, change = _STATEMENTS[kind]
    there = tx.read(existing, ids=batch.ids, names=values.names)[0]
    known = {id: number for number, id in enumerate(there["ids"])}
    # On a second try of the transaction the new ones may be there, numbered from `following`.
    following = max([following, *(gid + 1 for gid in there["gids"])])
    gids: list[int] = []
    new: list[dict[str, Any]] = []
    changed: list[list[Any]] = []
    categories: list[list[Any]] = []
    for number, id in enumerate(batch.ids):
        if (place := known.get(id)) is None:
            gids.append(following + len(new))
            # One map: a property set for itself costs the server as much as all others together.
            new.append(values.present(number) | {"id": id, "gid": gids[-1]})
        else:
            gids.append(there["gids"][place])
            if values.differ(number, there["values"][place]):
                changed.append([gids[-1], values.row(number)])
        if (category := batch.categories[number]) is not ABSENT:
            before = [] if place is None else there["categories"][place]
            if before != ([] if category is None else [category]):
                categories.append([gids[-1], category])
    if new:
        tx.read(create, rows=new)
    if changed:
        tx.read(change, rows=changed)
    if categories:
        tx.read("load_categories", rows=categories)
    return gids
