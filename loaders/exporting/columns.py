"""Nodes, edges and reviews as arrays, and the rows that node numbers stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.records import Edges

EdgeKind = Literal["holdings", "ties"]

_LARGEST_TABLE = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nodes:
    """Users or products in ascending order of `gid`."""

    gid: NDArray[np.int64]
    node: NDArray[np.int64]
    """Internal ids of the database, which it reuses when a node is deleted."""
    id: pa.Array
    name: pa.Array | None = None
    text: pa.Array | None = None
    """Name, kind, category, sector and text of each product, joined."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReviewColumns:
    """Reviews sorted by user, product and id; ends are rows."""

    user: NDArray[np.int32]
    product: NDArray[np.int32]
    stated: NDArray[np.int8]
    """Position in `SPLITS`, or `NO_SPLIT`."""
    at: NDArray[np.int64]
    id: pa.Array
    text: pa.Array


class NodeIndex:
    """Row of each node, by `gid` and, where given, by internal id.

    Args:
        gids: int64, shape (num_nodes,), ascending.
        nodes: internal ids, int64, shape (num_nodes,).
    """

    def __init__(self, gids: NDArray[np.int64], nodes: NDArray[np.int64] | None = None) -> None:
        self.gids = gids
        self._order: NDArray[np.int64] | None = None
        self._table: NDArray[np.int32] | None = None
        if nodes is None:
            return
        self._nodes = nodes
        end = int(nodes.max(initial=-1)) + 1
        if end <= _LARGEST_TABLE:  # a look-up is fifty times faster than a search
            self._table = np.full(end + 1, -1, np.int32)
            self._table[nodes] = np.arange(len(nodes), dtype=np.int32)
        else:
            self._order = np.argsort(nodes)

    def __len__(self) -> int:
        return len(self.gids)

    def rows_of_gids(self, gids: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the row of each gid, -1 where there is none."""
        if not len(self.gids):
            return np.full(len(gids), -1, np.int32)
        rows = np.searchsorted(self.gids, gids).clip(max=len(self.gids) - 1)
        return np.where(self.gids[rows] == gids, rows, -1).astype(np.int32)

    def rows_of_nodes(self, nodes: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the row of each internal id, -1 where there is none."""
        if self._table is not None:
            return self._table[np.where(nodes < len(self._table), nodes, -1)]
        if self._order is None or not len(self._order):
            return np.full(len(nodes), -1, np.int32)
        place = np.searchsorted(self._nodes, nodes, sorter=self._order)
        rows = self._order[place.clip(max=len(self._order) - 1)]
        return np.where(self._nodes[rows] == nodes, rows, -1).astype(np.int32)

    def gids_between(self, first: int, end: int) -> list[int]:
        """Return the gids from `first` to below `end`."""
        begin, stop = np.searchsorted(self.gids, [first, end])
        return [int(gid) for gid in self.gids[begin:stop]]


class Source(Protocol):
    """Where a snapshot comes from: pieces in the order of the rows, read in this order."""

    user_rows: NodeIndex
    product_rows: NodeIndex

    def users(self) -> Iterator[Nodes]:
        """Yield all users."""

    def products(self) -> Iterator[Nodes]:
        """Yield all products."""

    def edges(self, kind: EdgeKind) -> Iterator[Edges]:
        """Yield all holdings or ties; `split` is as stated in the graph."""

    def reviews(self) -> Iterator[ReviewColumns]:
        """Yield all reviews."""


def sorted_edges(edges: Edges, *, width: int, unique: bool) -> Edges:
    """Sort edges by source, target, split and time; drop those with an end of -1.

    Args:
        edges: ends are rows, -1 where unknown.
        width: number of rows of the targets.
        unique: keep the first of several edges between the same two nodes.
    """
    key = edges.source.astype(np.int64) * width + edges.target
    order = np.flatnonzero((edges.source >= 0) & (edges.target >= 0))
    order = order[np.argsort(key[order], kind="stable")]
    if (np.diff(key[order]) == 0).any():
        columns = (edges.rating, edges.at, edges.split, key)
        order = order[np.lexsort([column[order] for column in columns])]
        if unique:
            order = order[np.append(True, np.diff(key[order]) != 0)]
    return Edges(
        source=edges.source[order],
        target=edges.target[order],
        split=edges.split[order],
        at=edges.at[order],
        rating=edges.rating[order],
    )
