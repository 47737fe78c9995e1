"""The graph, or a part of it, as pieces in the order of the rows: what `Assembly` is fed with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kinfolio.cypher.graph import Graph
from kinfolio.loaders.exporting.chunks import Chunks, EdgeKind, Nodes, Rows, in_order
from kinfolio.loaders.exporting.selection import AT_ONCE, parts, products_of_users
from kinfolio.records import Progress, no_progress

EDGES_AT_ONCE = 50_000
"""Edges in a piece, if all users have equally many."""
NODES_AT_ONCE = 10_000
"""Users or products in a piece."""
WRITERS_AT_ONCE = 1_000
"""The same for reviews, whose texts are long."""


class Whole:
    """The pieces of the whole graph, by ranges of users."""

    def __init__(self, graph: Graph, progress: Progress) -> None:
        self._graph = graph
        self._progress = progress
        self._chunks = Chunks(graph)
        self._ends = graph.read("export_gid_counts")[0]
        self._counts = counted(graph)
        self.user_rows = self.product_rows = Rows(np.zeros(0, np.int64))

    def users(self) -> Iterator[Nodes]:
        """All users."""
        kept: list[Nodes] = []
        end = self._ends["users_end"]
        read = self._chunks.users
        for piece in self._ranges("reading users", end, NODES_AT_ONCE, read):
            kept.append(Nodes(gid=piece.gid, node=piece.node, id=None))
            yield piece
        self.user_rows = _rows(kept)

    def products(self) -> Iterator[Nodes]:
        """All products."""
        kept: list[Nodes] = []

        def read(first: int, end: int) -> Nodes:
            return self._chunks.products_of(list(range(first, end)))

        end = self._ends["products_end"]
        for piece in self._ranges("reading products", end, NODES_AT_ONCE, read):
            kept.append(Nodes(gid=piece.gid, node=piece.node, id=None))
            yield piece
        self.product_rows = _rows(kept)

    def edges(self, kind: EdgeKind) -> Iterator[Any]:
        """All holdings or ties."""
        if not self._counts[kind]:
            return
        ends = self.product_rows if kind == "holdings" else self.user_rows
        end = self._ends["users_end"]
        size = EDGES_AT_ONCE * max(end, 1) // max(self._counts[kind], 1)
        yield from self._ranges(
            f"reading {kind} of users",
            end,
            max(1, min(size, 4 * NODES_AT_ONCE)),
            lambda first, end: self._chunks.edges(kind, first, end, self.user_rows, ends),
        )

    def reviews(self) -> Iterator[Any]:
        """All reviews."""
        if self._counts.get("reviews") == 0:
            return

        def read(first: int, end: int) -> Any:
            gids = self.user_rows.between(first, end)
            return self._chunks.reviews_of(gids, self.user_rows, self.product_rows)

        yield from self._ranges(
            "reading reviews of users", self._ends["users_end"], WRITERS_AT_ONCE, read
        )

    def is_same(self) -> bool:
        """Whether the database still calls all users and products what it called them before.

        When it does not, what a deleted one was called may have been given to a new one.
        """
        again = Whole(self._graph, no_progress)
        for pieces, rows in (
            (again.users, self.user_rows),
            (again.products, self.product_rows),
        ):
            for piece in pieces():
                before = rows.of_nodes(piece.node)
                known = before >= 0
                if (rows.gids[before[known]] != piece.gid[known]).any():
                    return False
        return True

    def _ranges(
        self, step: str, end: int, size: int, read: Callable[[int, int], Any]
    ) -> Iterator[Any]:
        firsts = range(0, end, size)
        pieces = in_order(lambda first: read(first, min(first + size, end)), firsts)
        for first, piece in zip(firsts, pieces, strict=True):
            self._progress(step, first, end)
            yield piece
        self._progress(step, end, end)


class Part:
    """The pieces of some users, and of the products that they hold or have written about."""

    def __init__(self, graph: Graph, users: list[int], progress: Progress) -> None:
        self._progress = progress
        self._chunks = Chunks(graph)
        self._gids = users
        self._product_gids = products_of_users(graph, users)
        self.user_rows = self.product_rows = Rows(np.zeros(0, np.int64))

    def users(self) -> Iterator[Nodes]:
        """The users."""
        kept: list[Nodes] = []
        for piece in self._pieces("reading users", self._gids, self._chunks.users_of):
            kept.append(Nodes(gid=piece.gid, node=piece.node, id=None))
            yield piece
        self.user_rows = _rows(kept)

    def products(self) -> Iterator[Nodes]:
        """The products."""
        kept: list[Nodes] = []
        read = self._chunks.products_of
        for piece in self._pieces("reading products", self._product_gids, read):
            kept.append(Nodes(gid=piece.gid, node=piece.node, id=None))
            yield piece
        self.product_rows = _rows(kept)

    def edges(self, kind: EdgeKind) -> Iterator[Any]:
        """The holdings, or the ties among the users."""
        ends = self.product_rows if kind == "holdings" else self.user_rows
        yield from self._pieces(
            f"reading {kind} of users",
            self._gids,
            lambda gids: self._chunks.edges_of(kind, gids, self.user_rows, ends),
        )

    def reviews(self) -> Iterator[Any]:
        """The reviews."""
        yield from self._pieces(
            "reading reviews of users",
            self._gids,
            lambda gids: self._chunks.reviews_of(gids, self.user_rows, self.product_rows),
        )

    def _pieces(
        self, step: str, gids: list[int], read: Callable[[list[int]], Any]
    ) -> Iterator[Any]:
        for done, piece in enumerate(in_order(read, parts(gids))):
            self._progress(step, done * AT_ONCE, len(gids))
            yield piece
        self._progress(step, len(gids), len(gids))


def _rows(pieces: list[Nodes]) -> Rows:
    none = np.zeros(0, np.int64)
    return Rows(
        np.concatenate([none, *(piece.gid for piece in pieces)]),
        np.concatenate([none, *(piece.node for piece in pieces)]),
    )


def counted(graph: Graph) -> dict[str, int]:
    """What the database counts; reviews are left out where they may be relationships."""
    counts = dict(graph.read("export_counts")[0])
    if graph.mapping is None:
        counts.update(graph.read("export_count_reviews")[0])
    return counts
