"""Removal of the nodes and relationships that are in the graph and not in a folder.

Relationships are removed before their ends, so an interrupted removal can be resumed. Vectors are
removed with their nodes, versions are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, pages
from kinfolio.loaders.reading.events.decision import DISMISSALS, HOLDINGS
from kinfolio.loaders.reading.staged import ENDS, Staged
from kinfolio.loaders.reports import Removed
from kinfolio.records import Progress

NODES_PER_QUERY = 2_000
ROWS_PER_QUERY = 10_000
_REMOVING = {
    "reviews": "load_remove_reviews",
    "interactions": "load_remove_interactions",
    "dismissals": "load_remove_dismissed",
    "ties": "load_remove_ties",
    "users": "load_remove_users",
    "products": "load_remove_products",
    "categories": "load_remove_categories",
}
"""Statements in the order in which they run."""
_PAIRS = {
    "interactions": "load_prune_interactions",
    "dismissals": "load_prune_dismissals",
}
"""Statements that read the pairs of users and products, by table."""
_BY_EVENTS = {"interactions": HOLDINGS, "dismissals": DISMISSALS}
"""Table of the pairs that events add, by table."""


@dataclass(frozen=True, slots=True)
class Removals:
    """Rows for the removing statements, by table."""

    rows: dict[str, list[Any]]
    """Any: ids, or lists of row numbers and kinds."""

    @property
    def counts(self) -> Removed:
        """Number of rows of each table."""
        return Removed(**{name: len(rows) for name, rows in self.rows.items()})

    @property
    def users(self) -> list[str]:
        """Ids of the users that are removed."""
        return self.rows["users"]

    def remove(self, graph: Graph, progress: Progress) -> None:
        """Remove the rows from the graph."""
        for name, statement in _REMOVING.items():
            rows = self.rows[name]
            size = ROWS_PER_QUERY if name in ENDS else NODES_PER_QUERY
            for first in range(0, len(rows), size):
                progress(f"removing {name}", first, len(rows))
                graph.write(statement, rows=rows[first : first + size])
            if rows:
                progress(f"removing {name}", len(rows), len(rows))


def find_removals(staged: Staged, graph: Graph, progress: Progress) -> Removals:
    """Return the nodes and relationships that are in the graph and not in the folder."""
    users, old_users = _compare_nodes(graph, "load_prune_users", staged.users)
    products, old_products = _compare_nodes(graph, "load_prune_products", staged.products)
    old: dict[str, list[list[Any]]] = {table: [] for table in _PAIRS}
    ties: list[list[Any]] = []
    staged_pairs = {
        table: np.concatenate([_pairs(staged, table), _pairs(staged, by_events)])
        for table, by_events in _BY_EVENTS.items()
    }
    staged_ties = _ties(staged)
    gids = list(users)
    for first in range(0, len(gids), NODES_PER_QUERY):
        progress("comparing users", first, len(gids))
        part = gids[first : first + NODES_PER_QUERY]
        for table, statement in _PAIRS.items():
            found = graph.read(statement, users=part)[0]
            source = np.array([users[gid] for gid in found["source"]], np.int64)
            target = np.array([products.get(gid, -1) for gid in found["target"]], np.int64)
            is_old = (source < 0) | (target < 0)
            is_old |= ~np.isin(source << 32 | target, staged_pairs[table])
            old[table] += (
                [found["source"][row], found["target"][row]]
                for row in np.flatnonzero(is_old).tolist()
            )
        found = graph.read("load_prune_ties", users=part)[0]
        ties += (
            [one, other, kind]
            for one, other, kind in zip(
                found["source"], found["target"], found["kind"], strict=True
            )
            if (users[one], users.get(other, -1), kind) not in staged_ties
        )
    progress("comparing users", len(gids), len(gids))
    return Removals(
        {
            "users": old_users,
            "products": old_products,
            "reviews": _old_reviews(staged, graph),
            "categories": _old_categories(staged, graph),
            **old,
            "ties": ties,
        }
    )


def _compare_nodes(graph: Graph, statement: str, ids: Any) -> tuple[dict[int, int], list[str]]:
    """Return the position of each gid among the folder's ids (-1: none), and the other ids."""
    places: dict[int, int] = {}
    old: list[str] = []
    for page in pages(graph, statement, ROWS_PER_QUERY):
        found = pc.index_in(pa.array(page["ids"], pa.string()), value_set=ids)
        for id, gid, place in zip(page["ids"], page["gids"], found.to_pylist(), strict=True):
            if place is None:
                old.append(id)
            if gid >= 0:
                places[gid] = -1 if place is None else place
    return places, old


def _old_reviews(staged: Staged, graph: Graph) -> list[str]:
    staged_ids = {
        id for rows in staged.batches("reviews") for id in rows.column("review").to_pylist()
    }
    found = pages(graph, "load_prune_reviews", ROWS_PER_QUERY)
    return [id for page in found for id in page["ids"] if id not in staged_ids]


def _old_categories(staged: Staged, graph: Graph) -> list[str]:
    staged_names = {
        name
        for rows in staged.batches("products")
        if "category" in rows.schema.names
        for name in pc.unique(rows.column("category")).to_pylist()
    }
    names = (row["name"] for row in graph.read("load_hash_categories"))
    return [name for name in names if name not in staged_names]


def _pairs(staged: Staged, table: str) -> NDArray[np.int64]:
    """Return both ends of each row in one number."""
    found = [np.zeros(0, np.int64)]
    for rows in staged.batches(table):
        user, product = (
            rows.column(end).to_numpy().astype(np.int64) for end in ("user", "product")
        )
        found.append(user << 32 | product)
    return np.concatenate(found)


def _ties(staged: Staged) -> set[tuple[int, int, str]]:
    found: set[tuple[int, int, str]] = set()
    for rows in staged.batches("ties"):
        ends = [rows.column(name).to_pylist() for name in ("source", "target")]
        kinds = [""] * rows.num_rows
        if "kind" in rows.schema.names:
            kinds = [kind or "" for kind in rows.column("kind").to_pylist()]
        found.update(zip(*ends, kinds, strict=True))
    return found
