"""An older snapshot with the changes since, as the pieces of a new one.

Changed users and products are read again, and so are the holdings, ties and reviews of changed
users, which replace those in the older snapshot. Nothing else is removed: the caller compares the
counts with the graph's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.loaders.exporting.columns import EdgeKind, NodeIndex, Nodes, ReviewColumns
from kinfolio.loaders.exporting.graph_reader import GraphReader, map_ordered
from kinfolio.loaders.exporting.selection import parts
from kinfolio.records import Edges
from kinfolio.snapshot_tables import TABLES, read_pieces

USERS_PER_QUERY = 500

_Piece = TypeVar("_Piece")


class Changes:
    """The pieces of the new snapshot: a `Source`.

    Args:
        old: folder of the older snapshot.
        reader: reads the graph.
        users: gids of the changed users.
        products: gids of the changed products.
        counts: rows of each table in the graph; empty tables are not queried.
    """

    def __init__(
        self,
        old: Path,
        reader: GraphReader,
        users: list[int],
        products: list[int],
        counts: dict[str, int],
    ) -> None:
        self._old = old
        self._counts = counts
        self._reader = reader
        self._gids = sorted(users)
        old_users, old_products = self._nodes("users"), self._nodes("products")
        self._users = _merge_nodes(old_users, self._read(reader.users_of, self._gids))
        self._products = _merge_nodes(
            old_products, self._read(reader.products_of, sorted(products))
        )
        self.user_rows = NodeIndex(self._users.gid)
        self.product_rows = NodeIndex(self._products.gid)
        self._moved = {
            "users": self.user_rows.rows_of_gids(old_users.gid),
            "products": self.product_rows.rows_of_gids(old_products.gid),
        }
        self._is_changed = np.zeros(len(self.user_rows), np.bool_)
        self._is_changed[self.user_rows.rows_of_gids(np.array(self._gids, np.int64))] = True

    def users(self) -> Iterator[Nodes]:
        """Yield all users."""
        yield self._users

    def products(self) -> Iterator[Nodes]:
        """Yield all products."""
        yield self._products

    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """Yield all holdings or ties."""
        ends = self.product_rows if kind == "holdings" else self.user_rows

        def read(gids: list[int]) -> Edges:
            return self._reader.edges_of(kind, gids, self.user_rows, ends)

        new = self._read(read, self._gids if self._counts[kind] else [])
        names = ["source", "target", "split", "at", "rating"]
        end = "products" if kind == "holdings" else "users"
        for columns in self._replaced(kind, names, new, end):
            yield Edges(**dict(zip(names, columns, strict=True)))

    def reviews(self) -> Iterator[ReviewColumns]:
        """Yield all reviews."""

        def read(gids: list[int]) -> ReviewColumns:
            return self._reader.reviews_of(gids, self.user_rows, self.product_rows)

        new = self._read(read, self._gids if self._counts["reviews"] else [])
        names = ["user", "product", "stated", "at", "id", "text"]
        for columns in self._replaced("reviews", names, new, "products"):
            yield ReviewColumns(**dict(zip(names, columns, strict=True)))

    def _read(self, read: Callable[[list[int]], _Piece], gids: list[int]) -> list[_Piece]:
        return list(map_ordered(read, parts(gids, USERS_PER_QUERY)))

    def _nodes(self, table: str) -> Nodes:
        pieces = list(read_pieces(self._old, table))
        columns = {name: _concatenate([piece[name] for piece in pieces]) for name in TABLES[table]}
        return Nodes(node=np.full(len(columns["gid"]), -1), **columns)

    def _replaced(
        self, table: str, names: list[str], parts: list[Any], end: str
    ) -> Iterator[list[Any]]:
        """Yield the old columns of a table with the rows of changed users replaced by `parts`.

        The first two columns are rows of users and of `end`.
        """
        new = [_concatenate([getattr(part, name) for part in parts]) for name in names if parts]
        stored = ["stated" if name == "split" else name for name in names]
        done = 0
        for piece in read_pieces(self._old, table, stored):
            columns = list(piece.values())
            columns[0] = self._moved["users"][columns[0]]
            columns[1] = self._moved[end][columns[1]]
            last = columns[0][-1] if len(columns[0]) else -1
            kept = ~self._is_changed[columns[0]]
            if not kept.all():
                columns = [_take(column, np.flatnonzero(kept)) for column in columns]
            if new:
                ready = int(np.searchsorted(new[0], last, side="right"))
                columns = _merge_rows(columns, [column[done:ready] for column in new])
                done = ready
            yield columns
        if new:
            yield [column[done:] for column in new]


def _merge_nodes(old: Nodes, parts: list[Nodes]) -> Nodes:
    """Return nodes in the order of their gids; those read again replace the old ones."""
    if not parts:
        return old
    gids = np.concatenate([old.gid, *(part.gid for part in parts)])
    # Of several with one gid the last is the newest.
    _, from_end = np.unique(gids[::-1], return_index=True)
    place = len(gids) - 1 - from_end

    def joined(name: str) -> Any:
        arrays = [getattr(nodes, name) for nodes in (old, *parts)]
        return None if arrays[0] is None else pa.concat_arrays(arrays).take(pa.array(place))

    return Nodes(
        gid=gids[place],
        node=np.full(len(place), -1),
        id=joined("id"),
        name=joined("name"),
        text=joined("text"),
    )


def _merge_rows(old: list[Any], new: list[Any]) -> list[Any]:
    """Merge rows sorted by the first column, whose values are disjoint."""
    if not len(new[0]):
        return old
    order = np.argsort(np.concatenate([old[0], new[0]]), kind="stable")
    return [_take(_concatenate([one, other]), order) for one, other in zip(old, new, strict=True)]


def _concatenate(arrays: list[Any]) -> Any:
    if isinstance(arrays[0], np.ndarray):
        return np.concatenate(arrays)
    return pa.concat_arrays(arrays)


def _take(column: Any, order: NDArray[np.int64]) -> Any:
    return column[order] if isinstance(column, np.ndarray) else column.take(pa.array(order))
