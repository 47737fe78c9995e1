"""The graph, or a subgraph of some users, as pieces in the order of the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import TypeVar

import numpy as np

from kinfolio.cypher.graph import Graph
from kinfolio.loaders.exporting.columns import EdgeKind, NodeIndex, Nodes, ReviewColumns
from kinfolio.loaders.exporting.graph_reader import GraphReader
from kinfolio.loaders.exporting.selection import GIDS_PER_QUERY, parts, products_of_users
from kinfolio.loaders.parallel import map_ordered
from kinfolio.records import Edges, Progress, no_progress

EDGES_PER_PIECE = 50_000
"""Edges in a piece, if all users have equally many."""
NODES_PER_PIECE = 10_000
"""Users or products in a piece."""
AUTHORS_PER_PIECE = 1_000
"""Users in a piece of reviews, whose texts are long."""
READERS = 2
"""Pieces read in parallel; more than the cores of server and client is no faster."""
AHEAD = 3
"""Pieces in progress or waiting, in addition to the one that is written."""

_Piece = TypeVar("_Piece")


class Source(ABC):
    """Pieces of a snapshot in the order of the rows; the methods are called in this order."""

    def __init__(self, graph: Graph, progress: Progress = no_progress) -> None:
        self._graph, self._progress = graph, progress
        self.reader = GraphReader(graph)

    @abstractmethod
    def users(self) -> Iterator[Nodes]:
        """Yield all users; the reader then has their rows."""

    @abstractmethod
    def products(self) -> Iterator[Nodes]:
        """Yield all products; the reader then has their rows."""

    @abstractmethod
    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """Yield all holdings or ties; `split` is as stored in the graph."""

    @abstractmethod
    def reviews(self) -> Iterator[ReviewColumns]:
        """Yield all reviews."""


def _indexed(pieces: Iterator[Nodes]) -> Generator[Nodes, None, NodeIndex]:
    """Yield the pieces; return the index of all their nodes."""
    gids, nodes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for piece in pieces:
        gids.append(piece.gid)
        nodes.append(piece.node)
        yield piece
    return NodeIndex(np.concatenate(gids), np.concatenate(nodes))


class WholeGraph(Source):
    """The whole graph, by ranges of users."""

    def __init__(self, graph: Graph, progress: Progress) -> None:
        super().__init__(graph, progress)
        gids = graph.read("export_gid_counts")[0]
        self._users_end, self._products_end = gids["users_end"], gids["products_end"]
        self._counts = row_counts(graph)

    def users(self) -> Iterator[Nodes]:
        """Yield all users."""
        pieces = self._ranges("users", self._users_end, NODES_PER_PIECE, self.reader.users)
        self.reader.user_rows = yield from _indexed(pieces)

    def products(self) -> Iterator[Nodes]:
        """Yield all products."""

        def read(first: int, end: int) -> Nodes:
            return self.reader.products_of(list(range(first, end)))

        pieces = self._ranges("products", self._products_end, NODES_PER_PIECE, read)
        self.reader.product_rows = yield from _indexed(pieces)

    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """Yield all holdings or ties."""
        count, end = self._counts[kind], self._users_end
        if not count:
            return iter(())
        size = max(1, min(EDGES_PER_PIECE * max(end, 1) // count, 4 * NODES_PER_PIECE))
        return self._ranges(f"{kind} of users", end, size, partial(self.reader.edges, kind))

    def reviews(self) -> Iterator[ReviewColumns]:
        """Yield all reviews."""
        if self._counts.get("reviews") == 0:
            return iter(())

        def read(first: int, end: int) -> ReviewColumns:
            return self.reader.reviews_of(self.reader.user_rows.gids_between(first, end))

        return self._ranges("reviews of users", self._users_end, AUTHORS_PER_PIECE, read)

    def is_unchanged(self) -> bool:
        """Return whether every internal id still belongs to the same user or product.

        If not, the internal id of a deleted node may have been reused while edges were read.
        """
        now = WholeGraph(self._graph, no_progress)
        for pieces, rows in (
            (now.users, self.reader.user_rows),
            (now.products, self.reader.product_rows),
        ):
            for piece in pieces():
                before = rows.rows_of_nodes(piece.node)
                is_stored = before >= 0
                if (rows.gids[before[is_stored]] != piece.gid[is_stored]).any():
                    return False
        return True

    def _ranges(
        self, name: str, end: int, size: int, read: Callable[[int, int], _Piece]
    ) -> Iterator[_Piece]:
        firsts = range(0, end, size)
        pieces = map_ordered(
            lambda first: read(first, min(first + size, end)), firsts, workers=READERS, ahead=AHEAD
        )
        for first, piece in zip(firsts, pieces, strict=True):
            self._progress(f"reading {name}", first, end)
            yield piece
        self._progress(f"reading {name}", end, end)


class Subgraph(Source):
    """Some users, and the products that they hold or have reviewed."""

    def __init__(self, graph: Graph, users: list[int], progress: Progress) -> None:
        super().__init__(graph, progress)
        self._gids = users

    def users(self) -> Iterator[Nodes]:
        """Yield the users."""
        pieces = self._pieces("users", self._gids, self.reader.users_of)
        self.reader.user_rows = yield from _indexed(pieces)

    def products(self) -> Iterator[Nodes]:
        """Yield the products."""
        gids = products_of_users(self._graph, self._gids)
        pieces = self._pieces("products", gids, self.reader.products_of)
        self.reader.product_rows = yield from _indexed(pieces)

    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """Yield the holdings, or the ties among the users."""
        return self._pieces(f"{kind} of users", self._gids, partial(self.reader.edges_of, kind))

    def reviews(self) -> Iterator[ReviewColumns]:
        """Yield the reviews."""
        return self._pieces("reviews of users", self._gids, self.reader.reviews_of)

    def _pieces(
        self, name: str, gids: list[int], read: Callable[[list[int]], _Piece]
    ) -> Iterator[_Piece]:
        for done, piece in enumerate(map_ordered(read, parts(gids), workers=READERS, ahead=AHEAD)):
            self._progress(f"reading {name}", done * GIDS_PER_QUERY, len(gids))
            yield piece
        self._progress(f"reading {name}", len(gids), len(gids))


def row_counts(graph: Graph) -> dict[str, int]:
    """Return the database's counts; without reviews where they may be relationships."""
    counts = dict(graph.read("export_counts")[0])
    if graph.mapping is None:
        counts.update(graph.read("export_count_reviews")[0])
    return counts
