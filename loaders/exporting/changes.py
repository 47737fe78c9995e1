"""An older snapshot with the changes since, as the pieces of a new one.

Changed users and products, and the holdings, ties and reviews of changed users, are read from the
graph and replace those in the older snapshot. Nothing else is removed: the caller compares the
counts with the graph's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.loaders.exporting.columns import EdgeKind, NodeIndex, Nodes, ReviewColumns
from kinfolio.loaders.exporting.selection import parts
from kinfolio.loaders.exporting.sources import AHEAD, READERS, Source, row_counts
from kinfolio.loaders.parallel import map_ordered
from kinfolio.records import Edges
from kinfolio.snapshot_tables import EDGE_COLUMNS, TABLES, read_pieces

USERS_PER_QUERY = 500

_Piece = TypeVar("_Piece")


class Changes(Source):
    """The pieces of the new snapshot.

    Args:
        old: folder of the older snapshot.
        graph: the graph; its empty tables are not queried.
        users: gids of the changed users.
        products: gids of the changed products.
    """

    def __init__(self, old: Path, graph: Graph, users: list[int], products: list[int]) -> None:
        super().__init__(graph)
        self._old = old
        self._counts = row_counts(graph)
        self._gids = sorted(users)
        reader, old_users, old_products = self.reader, self._nodes("users"), self._nodes("products")
        self._users = _merge_nodes(old_users, _read(reader.users_of, self._gids))
        self._products = _merge_nodes(old_products, _read(reader.products_of, products))
        reader.user_rows = NodeIndex(self._users.gid)
        reader.product_rows = NodeIndex(self._products.gid)
        self._moved = {
            "users": reader.user_rows.rows_of_gids(old_users.gid),
            "products": reader.product_rows.rows_of_gids(old_products.gid),
        }
        self._is_changed = np.zeros(len(self._users.gid), np.bool_)
        self._is_changed[reader.user_rows.rows_of_gids(np.array(self._gids, np.int64))] = True

    def users(self) -> Iterator[Nodes]:
        """Yield all users."""
        yield self._users

    def products(self) -> Iterator[Nodes]:
        """Yield all products."""
        yield self._products

    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """Yield all holdings or ties."""
        read = partial(self.reader.edges_of, kind)
        new = _read(read, self._gids if self._counts[kind] else [])
        end = "products" if kind == "holdings" else "users"
        for columns in self._replaced(kind, EDGE_COLUMNS, new, end):
            yield Edges(**dict(zip(EDGE_COLUMNS, columns, strict=True)))

    def reviews(self) -> Iterator[ReviewColumns]:
        """Yield all reviews."""
        new = _read(self.reader.reviews_of, self._gids if self._counts["reviews"] else [])
        names = ("user", "product", "stated", "at", "id", "text")
        for columns in self._replaced("reviews", names, new, "products"):
            yield ReviewColumns(**dict(zip(names, columns, strict=True)))

    def _nodes(self, table: str) -> Nodes:
        pieces = list(read_pieces(self._old, table))
        columns = {name: _concatenate([piece[name] for piece in pieces]) for name in TABLES[table]}
        return Nodes(node=np.full(len(columns["gid"]), -1), **columns)

    def _replaced(
        self, table: str, names: Sequence[str], parts: list[Any], end: str
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
            is_unchanged = ~self._is_changed[columns[0]]
            if not is_unchanged.all():
                columns = [_take(column, np.flatnonzero(is_unchanged)) for column in columns]
            if new:
                ready = int(np.searchsorted(new[0], last, side="right"))
                columns = _merge_rows(columns, [column[done:ready] for column in new])
                done = ready
            yield columns
        if new:
            yield [column[done:] for column in new]


def _read(read: Callable[[list[int]], _Piece], gids: list[int]) -> list[_Piece]:
    pieces = parts(gids, USERS_PER_QUERY)
    return list(map_ordered(read, pieces, workers=READERS, ahead=AHEAD))


def _merge_nodes(old: Nodes, parts: list[Nodes]) -> Nodes:
    """Return nodes in the order of their gids; new ones replace old ones."""
    if not parts:
        return old
    gids = np.concatenate([old.gid, *(part.gid for part in parts)])
    # The last node with a gid is the newest.
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
