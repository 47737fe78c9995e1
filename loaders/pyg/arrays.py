"""The edges of a snapshot sorted by their ends, as mapped files of numbers.

Written once into the folder of the snapshot, piece by piece, for every edge type and its reverse.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import FileError, RunBroken
from kinfolio.run import read_json, write_json
from kinfolio.snapshot import check_snapshot
from kinfolio.snapshot_tables import read_pieces
from kinfolio.snapshot_writer import ARRAYS
from kinfolio.storage.document import checksum
from kinfolio.storage.manifest import MANIFEST, read_manifest
from kinfolio.storage.temporaries import temporary

EdgeType = tuple[str, str, str]

EDGE_TYPES: dict[EdgeType, tuple[str, str, str]] = {
    ("user", "holds", "product"): ("holdings", "source", "target"),
    ("product", "rev_holds", "user"): ("holdings", "target", "source"),
    ("user", "tied_to", "user"): ("ties", "source", "target"),
    ("user", "rev_tied_to", "user"): ("ties", "target", "source"),
}
"""For each edge type of PyG: table of the snapshot, columns of sources and targets."""
_FORMAT = 2
_NODE_TABLES = {"user": "users", "product": "products"}
_EDGE_COLUMNS = ("split", "at", "rating")


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """Edges of one type, sorted by their ends."""

    begin: NDArray[np.int64]
    """Shape (num_ends + 1,); edges into end n are `begin[n]:begin[n + 1]`."""
    source: NDArray[np.int32]
    """Shape (num_edges,); row of the source."""
    edge: NDArray[np.int64]
    """Shape (num_edges,); row in the snapshot's table."""


class Arrays:
    """Arrays of a snapshot folder, written on first use and mapped into memory.

    Args:
        folder: the snapshot.
        keep_held_out: include held-out edges. Passing messages along them leaks the targets of
            the prediction.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is incomplete or damaged.
    """

    def __init__(self, folder: Path, *, keep_held_out: bool = False) -> None:
        manifest = read_manifest(folder)
        self.num_nodes = {kind: manifest["counts"][table] for kind, table in _NODE_TABLES.items()}
        self._counts = {table: manifest["counts"][table] for table in ("holdings", "ties")}
        self._snapshot = folder
        self._part = "all" if keep_held_out else "counted"
        self._folder = folder / ARRAYS / self._part
        if not self._is_current(manifest["hash"]):
            check_snapshot(folder)
            self._write(manifest["hash"])

    def incoming(self, kind: EdgeType) -> Incoming:
        """Return the edges of one type by their ends."""
        begin, source, edge = (
            np.load(self._folder / f"{kind[1]}.{name}.npy", mmap_mode="c")
            for name in ("begin", "source", "edge")
        )
        return Incoming(begin, source, edge)

    def gids(self, kind: str) -> NDArray[np.int64]:
        """Return the gids of the users or products: int64, shape (num_nodes,)."""
        found: NDArray[np.int64] = np.load(self._folder / f"{kind}.gid.npy", mmap_mode="c")
        return found

    def edge_values(self, table: str, column: str) -> NDArray[np.generic]:
        """Return `split`, `at` or `rating` of all rows of a table."""
        found: NDArray[np.generic] = np.load(self._folder / f"{table}.{column}.npy", mmap_mode="c")
        return found

    def _is_current(self, content_hash: str) -> bool:
        """Return whether undamaged arrays of this snapshot are there; if not, they are rebuilt."""
        try:
            manifest = read_json(self._folder / MANIFEST)
            return manifest == self._manifest(self._folder, content_hash)
        except (FileError, OSError, RunBroken):
            return False

    @staticmethod
    def _manifest(folder: Path, content_hash: str) -> dict[str, Any]:  # a JSON document
        files = {path.name: checksum(path) for path in sorted(folder.glob("*.npy"))}
        return {"format": _FORMAT, "hash": content_hash, "files": files}

    def _write(self, content_hash: str) -> None:
        self._folder.parent.mkdir(exist_ok=True)
        with temporary(self._folder.parent, f".{self._part}.new-", is_folder=True) as new:
            for kind, table in _NODE_TABLES.items():
                gids = [piece["gid"] for piece in read_pieces(self._snapshot, table, ["gid"])]
                np.save(new / f"{kind}.gid.npy", np.concatenate([np.zeros(0, np.int64), *gids]))
            for table, count in self._counts.items():
                for column in _EDGE_COLUMNS:
                    self._copy_column(new, table, column, count)
            for edge_type in EDGE_TYPES:
                self._sort(new, edge_type)
            write_json(new / MANIFEST, self._manifest(new, content_hash))
            shutil.rmtree(self._folder, ignore_errors=True)
            new.rename(self._folder)

    def _copy_column(self, new: Path, table: str, column: str, count: int) -> None:
        kind = {"split": np.int8, "at": np.int64, "rating": np.float32}[column]
        out = _empty(new / f"{table}.{column}.npy", count, np.dtype(kind))
        done = 0
        for piece in read_pieces(self._snapshot, table, [column]):
            out[done : done + len(piece[column])] = piece[column]
            done += len(piece[column])

    def _sort(self, new: Path, kind: EdgeType) -> None:
        """Counting sort by the ends, piece by piece."""
        size = np.zeros(self.num_nodes[kind[2]], np.int64)
        for _, _, end in self._edges(kind):
            size += np.bincount(end, minlength=len(size))
        begin = np.append(0, np.cumsum(size))
        np.save(new / f"{kind[1]}.begin.npy", begin)
        source = _empty(new / f"{kind[1]}.source.npy", int(begin[-1]), np.dtype(np.int32))
        edge = _empty(new / f"{kind[1]}.edge.npy", int(begin[-1]), np.dtype(np.int64))
        free = begin[:-1].copy()
        for row, start, end in self._edges(kind):
            order = np.argsort(end, kind="stable")
            ordered = end[order]
            here = np.bincount(ordered, minlength=len(size))
            nth = np.arange(len(ordered)) - (np.cumsum(here) - here)[ordered]
            place = free[ordered] + nth
            source[place] = start[order]
            edge[place] = row[order]
            free += here

    def _edges(
        self, kind: EdgeType
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]]:
        """Yield row, source and end of the edges, in pieces."""
        table, start, end = EDGE_TYPES[kind]
        first = 0
        for piece in read_pieces(self._snapshot, table, [start, end, "split"]):
            rows = np.arange(first, first + len(piece["split"]))
            first += len(rows)
            if self._part == "all":
                yield rows, piece[start], piece[end]
            else:
                train = piece["split"] == 0
                yield rows[train], piece[start][train], piece[end][train]


def _empty(path: Path, count: int, kind: np.dtype[np.generic]) -> NDArray[np.generic]:
    if not count:  # a file of no bytes cannot be mapped
        np.save(path, np.zeros(0, kind))
        return np.zeros(0, kind)
    found: NDArray[np.generic] = np.lib.format.open_memmap(
        path, mode="w+", dtype=kind, shape=(count,)
    )
    return found
