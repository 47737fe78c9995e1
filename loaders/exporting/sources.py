"""The graph, or some users of it, as pieces in the order of the rows: a `Source`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.loaders.exporting.columns import EdgeKind, NodeIndex, Nodes, ReviewColumns
from kinfolio.loaders.exporting.graph_reader import GraphReader, map_ordered
from kinfolio.loaders.exporting.selection import GIDS_PER_QUERY, parts, products_of_users
from kinfolio.records import Edges, Progress, no_progress

EDGES_PER_PIECE = 50_000
"""Edges in a piece, if all users have equally many."""
NODES_PER_PIECE = 10_000
"""Users or products in a piece."""
AUTHORS_PER_PIECE = 1_000
"""Users in a piece of reviews, whose texts are long."""

_Piece = TypeVar("_Piece")


class _GraphSource(ABC):
    """Indexes users and products while their pieces are read."""

    def __init__(self, graph: Graph, progress: Progress) -> None:
        self._graph, self._progress = graph, progress
        self._reader = GraphReader(graph)
        self.user_rows = self.product_rows = NodeIndex(np.zeros(0, np.int64))

    @abstractmethod
    def _user_pieces(self) -> Iterator[Nodes]: ...

    @abstractmethod
    def _product_pieces(self) -> Iterator[Nodes]: ...

    def users(self) -> Iterator[Nodes]:
        """Yield the users and index their rows."""
        found = []
        for piece in self._user_pieces():
            found.append((piece.gid, piece.node))
            yield piece
        self.user_rows = _index(found)

    def products(self) -> Iterator[Nodes]:
        """Yield the products and index their rows."""
        found = []
        for piece in self._product_pieces():
            found.append((piece.gid, piece.node))
            yield piece
        self.product_rows = _index(found)

    def _ends(self, kind: EdgeKind) -> NodeIndex:
        return self.product_rows if kind == "holdings" else self.user_rows


def _index(pieces: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> NodeIndex:
    none = np.zeros(0, np.int64)
    gids = np.concatenate([none, *(gid for gid, _ in pieces)])
    return NodeIndex(gids, np.concatenate([none, *(node for _, node in pieces)]))


class WholeGraph(_GraphSource):
    """The whole graph, by ranges of users."""

    def __init__(self, graph: Graph, progress: Progress) -> None:
        super().__init__(graph, progress)
        self._ends_of_gids = graph.read("export_gid_counts")[0]
        self._counts = row_counts(graph)

    def _user_pieces(self) -> Iterator[Nodes]:
        end = self._ends_of_gids["users_end"]
        return self._ranges("reading users", end, NODES_PER_PIECE, self._reader.users)

    def _product_pieces(self) -> Iterator[Nodes]:
        def read(first: int, end: int) -> Nodes:
            return self._reader.products_of(list(range(first, end)))

        end = self._ends_of_gids["products_end"]
        return self._ranges("reading products", end, NODES_PER_PIECE, read)

    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """Yield all holdings or ties."""
        count, ends = self._counts[kind], self._ends(kind)
        if not count:
            return iter(())

        def read(first: int, end: int) -> Edges:
            return self._reader.edges(kind, first, end, self.user_rows, ends)

        end = self._ends_of_gids["users_end"]
        size = max(1, min(EDGES_PER_PIECE * max(end, 1) // count, 4 * NODES_PER_PIECE))
        return self._ranges(f"reading {kind} of users", end, size, read)

    def reviews(self) -> Iterator[ReviewColumns]:
        """Yield all reviews."""
        if self._counts.get("reviews") == 0:
            return iter(())

        def read(first: int, end: int) -> ReviewColumns:
            gids = self.user_rows.gids_between(first, end)
            return self._reader.reviews_of(gids, self.user_rows, self.product_rows)

        end = self._ends_of_gids["users_end"]
        return self._ranges("reading reviews of users", end, AUTHORS_PER_PIECE, read)

    def is_unchanged(self) -> bool:
        """Return whether all internal ids still stand for the same users and products.

        If not, the internal id of a deleted node may have been reused while edges were read.
        """
        now = WholeGraph(self._graph, no_progress)
        for pieces, rows in (
            (now.users, self.user_rows),
            (now.products, self.product_rows),
        ):
            for piece in pieces():
                before = rows.rows_of_nodes(piece.node)
                is_known = before >= 0
                if (rows.gids[before[is_known]] != piece.gid[is_known]).any():
                    return False
        return True

    def _ranges(
        self, step: str, end: int, size: int, read: Callable[[int, int], _Piece]
    ) -> Iterator[_Piece]:
        firsts = range(0, end, size)
        pieces = map_ordered(lambda first: read(first, min(first + size, end)), firsts)
        for first, piece in zip(firsts, pieces, strict=True):
            self._progress(step, first, end)
            yield piece
        self._progress(step, end, end)


class Subgraph(_GraphSource):
    """Some users, and the products that they hold or have reviewed."""

    def __init__(self, graph: Graph, users: list[int], progress: Progress) -> None:
        super().__init__(graph, progress)
        self._gids = users
        self._product_gids = products_of_users(graph, users)

    def _user_pieces(self) -> Iterator[Nodes]:
        return self._pieces("reading users", self._gids, self._reader.users_of)

    def _product_pieces(self) -> Iterator[Nodes]:
        return self._pieces("reading products", self._product_gids, self._reader.products_of)

    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """Yield the holdings, or the ties among the users."""
        ends = self._ends(kind)
        return self._pieces(
            f"reading {kind} of users",
            self._gids,
            lambda gids: self._reader.edges_of(kind, gids, self.user_rows, ends),
        )

    def reviews(self) -> Iterator[ReviewColumns]:
        """Yield the reviews."""
        return self._pieces(
            "reading reviews of users",
            self._gids,
            lambda gids: self._reader.reviews_of(gids, self.user_rows, self.product_rows),
        )

    def _pieces(
        self, step: str, gids: list[int], read: Callable[[list[int]], _Piece]
    ) -> Iterator[_Piece]:
        for done, piece in enumerate(map_ordered(read, parts(gids))):
            self._progress(step, done * GIDS_PER_QUERY, len(gids))
            yield piece
        self._progress(step, len(gids), len(gids))


def row_counts(graph: Graph) -> dict[str, int]:
    """Return the database's counts; without reviews where they may be relationships."""
    counts = dict(graph.read("export_counts")[0])
    if graph.mapping is None:
        counts.update(graph.read("export_count_reviews")[0])
    return counts
