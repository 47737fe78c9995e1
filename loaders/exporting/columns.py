"""Nodes, edges and reviews as arrays, and the row of each node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.records import Edges
from kinfolio.snapshot_tables import EDGE_COLUMNS

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
    """Row of each node, by `gid` (ascending) and optionally by internal id."""

    def __init__(self, gids: NDArray[np.int64], nodes: NDArray[np.int64] | None = None) -> None:
        self.gids = gids
        self._order: NDArray[np.int64] | None = None
        self._table: NDArray[np.int32] | None = None
        if nodes is None:
            return
        self._nodes = nodes
        end = int(nodes.max(initial=-1)) + 1
        if end <= _LARGEST_TABLE:  # indexing is fifty times faster than a search
            self._table = np.full(end + 1, -1, np.int32)
            self._table[nodes] = np.arange(len(nodes), dtype=np.int32)
        else:
            self._order = np.argsort(nodes)

    def __len__(self) -> int:
        return len(self.gids)

    def rows_of_gids(self, gids: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the row of each gid, -1 if not found."""
        if not len(self.gids):
            return np.full(len(gids), -1, np.int32)
        rows = np.searchsorted(self.gids, gids).clip(max=len(self.gids) - 1)
        return np.where(self.gids[rows] == gids, rows, -1).astype(np.int32)

    def rows_of_nodes(self, nodes: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the row of each internal id, -1 if not found."""
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


def sorted_edges(edges: Edges, *, width: int, unique: bool) -> Edges:
    """Sort edges by source, target, split and time; drop those with an end of -1.

    Args:
        edges: ends are rows, or -1 if not found.
        width: number of rows of the targets.
        unique: retain only the first of several edges between the same two nodes.
    """
    key = edges.source.astype(np.int64) * width + edges.target
    order = np.flatnonzero((edges.source >= 0) & (edges.target >= 0))
    order = order[np.argsort(key[order], kind="stable")]
    if (np.diff(key[order]) == 0).any():
        columns = (edges.rating, edges.at, edges.split, key)
        order = order[np.lexsort([column[order] for column in columns])]
        if unique:
            order = order[np.append(True, np.diff(key[order]) != 0)]
    return Edges(**{name: getattr(edges, name)[order] for name in EDGE_COLUMNS})
