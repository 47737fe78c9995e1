"""An older snapshot and what changed since, as the pieces of a new one.

Everything that hangs on a changed user (holdings, ties from them, reviews) is read again and takes
the place of what the older snapshot has of that user; changed users and products are read again
too. Nothing is ever taken away otherwise: whoever calls this compares the counts with the graph's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.loaders.exporting.chunks import Chunks, EdgeKind, Nodes, Rows, Written, in_order
from kinfolio.records import Edges
from kinfolio.snapshot_tables import TABLES, read_pieces

USERS_AT_ONCE = 500
"""Users whose edges are read in one statement."""

_Piece = TypeVar("_Piece")


class Changes:
    """The pieces of the new snapshot, for `Assembly`.

    Args:
        old: folder of the older snapshot.
        chunks: reads the graph.
        users: gids of the changed users.
        products: gids of the changed products.
        counts: rows of each table that the graph has; what it has none of is not asked for.
    """

    def __init__(
        self,
        old: Path,
        chunks: Chunks,
        users: list[int],
        products: list[int],
        counts: dict[str, int],
    ) -> None:
        self._old = old
        self._counts = counts
        self._chunks = chunks
        self._gids = sorted(users)
        old_users, old_products = self._nodes("users"), self._nodes("products")
        self._users = _merged(old_users, self._read(chunks.users_of, self._gids))
        self._products = _merged(old_products, self._read(chunks.products_of, sorted(products)))
        self.user_rows = Rows(self._users.gid)
        self.product_rows = Rows(self._products.gid)
        self._moved = {
            "users": _moves(old_users.gid, self.user_rows),
            "products": _moves(old_products.gid, self.product_rows),
        }
        self._is_changed = np.zeros(len(self.user_rows), np.bool_)
        self._is_changed[self.user_rows.of_gids(np.array(self._gids, np.int64))] = True

    def users(self) -> Iterator[Nodes]:
        """All users."""
        yield self._users

    def products(self) -> Iterator[Nodes]:
        """All products."""
        yield self._products

    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """All holdings or ties."""
        ends = self.product_rows if kind == "holdings" else self.user_rows

        def read(gids: list[int]) -> Edges:
            return self._chunks.edges_of(kind, gids, self.user_rows, ends)

        new = _edge_columns(self._read(read, self._gids if self._counts[kind] else []))
        names = ["source", "target", "stated", "at", "rating"]
        for columns in self._replaced(
            kind, names, new, "products" if kind == "holdings" else "users"
        ):
            yield Edges(
                source=columns[0],
                target=columns[1],
                split=columns[2],
                at=columns[3],
                rating=columns[4],
            )

    def reviews(self) -> Iterator[Written]:
        """All reviews."""

        def read(gids: list[int]) -> Written:
            return self._chunks.reviews_of(gids, self.user_rows, self.product_rows)

        gids = self._gids if self._counts["reviews"] else []
        new = _review_columns(self._read(read, gids))
        names = ["user", "product", "stated", "at", "id", "text"]
        for columns in self._replaced("reviews", names, new, "products"):
            yield Written(
                user=columns[0],
                product=columns[1],
                stated=columns[2],
                at=columns[3],
                id=columns[4],
                text=columns[5],
            )

    def _read(self, read: Callable[[list[int]], _Piece], gids: list[int]) -> list[_Piece]:
        parts = [
            gids[first : first + USERS_AT_ONCE] for first in range(0, len(gids), USERS_AT_ONCE)
        ]
        return list(in_order(read, parts))

    def _nodes(self, table: str) -> Nodes:
        pieces = list(read_pieces(self._old, table))
        columns = {name: _joined([piece[name] for piece in pieces]) for name in TABLES[table]}
        return Nodes(node=np.full(len(columns["gid"]), -1), **columns)

    def _replaced(
        self, table: str, names: list[str], new: list[Any] | None, end: str
    ) -> Iterator[list[Any]]:
        """The old columns of a table with those of changed users taken out and `new` put in.

        The first two columns are rows of users and of `end`.
        """
        done = 0
        for piece in read_pieces(self._old, table, names):
            columns = list(piece.values())
            columns[0] = self._moved["users"][columns[0]]
            columns[1] = self._moved[end][columns[1]]
            last = columns[0][-1] if len(columns[0]) else -1
            kept = ~self._is_changed[columns[0]]
            if not kept.all():
                columns = [_taken(column, np.flatnonzero(kept)) for column in columns]
            if new is None:
                yield columns
                continue
            ready = int(np.searchsorted(new[0], last, side="right"))
            yield _woven(columns, [column[done:ready] for column in new])
            done = ready
        if new is not None:
            yield [column[done:] for column in new]


def _merged(old: Nodes, parts: list[Nodes]) -> Nodes:
    """Nodes in order of their gids, those that were read again in place of the old ones."""
    if not parts:
        return old
    gids = np.concatenate([old.gid, *(part.gid for part in parts)])
    # The last of several with the same gid is the newest.
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


def _moves(old: NDArray[np.int64], rows: Rows) -> NDArray[np.int32]:
    """New row of each old row."""
    return rows.of_gids(old)


def _woven(old: list[Any], new: list[Any]) -> list[Any]:
    """Rows of both, sorted by the first column, which never has the same number in both."""
    if not len(new[0]):
        return old
    order = np.argsort(np.concatenate([old[0], new[0]]), kind="stable")
    return [_taken(_joined([one, other]), order) for one, other in zip(old, new, strict=True)]


def _edge_columns(parts: list[Edges]) -> list[Any] | None:
    if not parts:
        return None
    return [
        _joined([getattr(part, name) for part in parts])
        for name in ("source", "target", "split", "at", "rating")
    ]


def _review_columns(parts: list[Written]) -> list[Any] | None:
    if not parts:
        return None
    return [
        _joined([getattr(part, name) for part in parts])
        for name in ("user", "product", "stated", "at", "id", "text")
    ]


def _joined(arrays: list[Any]) -> Any:
    if isinstance(arrays[0], np.ndarray):
        return np.concatenate(arrays)
    return pa.concat_arrays(arrays)


def _taken(column: Any, order: NDArray[np.int64]) -> Any:
    return column[order] if isinstance(column, np.ndarray) else column.take(pa.array(order))
