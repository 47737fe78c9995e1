"""What the graph has and a folder has not: found by reading, taken out in batches.

Relationships go before their ends, so a removal that was cut off goes on where it stopped. Vectors
go with their nodes; versions stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, pages
from kinfolio.loaders.reading.staging import ENDS, Staged
from kinfolio.loaders.reports import Removed
from kinfolio.records import Progress

NODES_AT_ONCE = 2_000
ROWS_AT_ONCE = 10_000
_REMOVING = {
    "reviews": "load_remove_reviews",
    "interactions": "load_remove_interactions",
    "ties": "load_remove_ties",
    "users": "load_remove_users",
    "products": "load_remove_products",
    "categories": "load_remove_categories",
}
"""Statements in the order in which they run."""

_Rows = dict[str, list[Any]]  # Any: ids, or lists of row numbers and kinds


@dataclass(frozen=True, slots=True)
class Surplus:
    """All that is to go, as the removing statements take it."""

    rows: _Rows

    @property
    def counts(self) -> Removed:
        """How much it is."""
        return Removed(**{name: len(rows) for name, rows in self.rows.items()})

    def remove(self, graph: Graph, progress: Progress) -> None:
        """Take it out of the graph."""
        for name, statement in _REMOVING.items():
            rows = self.rows[name]
            size = ROWS_AT_ONCE if name in ENDS else NODES_AT_ONCE
            for first in range(0, len(rows), size):
                progress(f"removing {name}", first, len(rows))
                graph.write(statement, rows=rows[first : first + size])
            if rows:
                progress(f"removing {name}", len(rows), len(rows))


def surplus(staged: Staged, graph: Graph, progress: Progress) -> Surplus:
    """What the graph has and the folder has not."""
    users, old_users = _compared(graph, "load_prune_users", staged.users)
    products, old_products = _compared(graph, "load_prune_products", staged.products)
    rows: _Rows = {
        "users": old_users,
        "products": old_products,
        "reviews": list(_old_reviews(staged, graph)),
        "categories": _old_categories(staged, graph),
        "interactions": [],
        "ties": [],
    }
    held = _codes(staged, "interactions")
    tied = _tied(staged)
    user_gids = list(users)
    for first in range(0, len(user_gids), NODES_AT_ONCE):
        progress("comparing users", first, len(user_gids))
        part = user_gids[first : first + NODES_AT_ONCE]
        found = graph.read("load_prune_interactions", users=part)[0]
        source = np.array([users[gid] for gid in found["source"]], np.int64)
        target = np.array([products.get(gid, -1) for gid in found["target"]], np.int64)
        old = (source < 0) | (target < 0) | ~np.isin(source << 32 | target, held)
        for number in np.flatnonzero(old).tolist():
            rows["interactions"].append([found["source"][number], found["target"][number]])
        found = graph.read("load_prune_ties", users=part)[0]
        for one, other, kind in zip(found["source"], found["target"], found["kind"], strict=True):
            if (users[one], users.get(other, -1), kind) not in tied:
                rows["ties"].append([one, other, kind])
    progress("comparing users", len(user_gids), len(user_gids))
    return Surplus(rows)


def _compared(graph: Graph, statement: str, ids: Any) -> tuple[dict[int, int], list[str]]:
    """Row number to place among the folder's ids (-1: not there), and the ids that are not."""
    places: dict[int, int] = {}
    old: list[str] = []
    for page in pages(graph, statement, ROWS_AT_ONCE):
        known = pc.index_in(pa.array(page["ids"], pa.string()), value_set=ids)
        for id, gid, place in zip(page["ids"], page["gids"], known.to_pylist(), strict=True):
            if place is None:
                old.append(id)
            if gid >= 0:
                places[gid] = -1 if place is None else place
    return places, old


def _old_reviews(staged: Staged, graph: Graph) -> Iterator[str]:
    kept = {
        id for batch in _batches(staged, "reviews") for id in batch.column("review").to_pylist()
    }
    for page in pages(graph, "load_prune_reviews", ROWS_AT_ONCE):
        yield from (id for id in page["ids"] if id not in kept)


def _old_categories(staged: Staged, graph: Graph) -> list[str]:
    kept = {
        name
        for batch in _batches(staged, "products")
        if "category" in batch.schema.names
        for name in pc.unique(batch.column("category")).to_pylist()
    }
    names = (row["name"] for row in graph.read("load_hash_categories"))
    return [name for name in names if name not in kept]


def _batches(staged: Staged, table: str) -> Iterable[Any]:
    return staged.tables[table].batches() if table in staged.tables else ()


def _codes(staged: Staged, table: str) -> NDArray[np.int64]:
    """Both ends of each row of a table in one number."""
    parts = []
    for batch in _batches(staged, table):
        source, target = (batch.column(name).to_numpy().astype(np.int64) for name in ENDS[table])
        parts.append(source << 32 | target)
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _tied(staged: Staged) -> set[tuple[int, int, str]]:
    found: set[tuple[int, int, str]] = set()
    for batch in _batches(staged, "ties"):
        ends = [batch.column(name).to_pylist() for name in ("source", "target")]
        kinds = [""] * batch.num_rows
        if "kind" in batch.schema.names:
            kinds = [kind or "" for kind in batch.column("kind").to_pylist()]
        found.update(zip(*ends, kinds, strict=True))
    return found
