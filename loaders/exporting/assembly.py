"""A snapshot folder written from the pieces of a source.

Marks the ties and reviews that training may use (see `leakage.py`); the holdings, written first,
determine the temporal cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import NotReady
from kinfolio.loaders.exporting.columns import ReviewColumns
from kinfolio.loaders.exporting.leakage import NO_SPLIT, review_uses, tie_splits
from kinfolio.loaders.exporting.sources import Source
from kinfolio.records import NO_TIME, Edges
from kinfolio.snapshot_tables import EDGE_COLUMNS, read_pieces
from kinfolio.snapshot_writer import SnapshotWriter


class Assembly:
    """Writes a snapshot; call `close` in any case."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.writer = SnapshotWriter(folder)
        self.cut = NO_TIME
        self._last_train = NO_TIME
        self._held_out = 0
        self._has_splits = False

    def write(self, source: Source) -> None:
        """Write all tables.

        Raises:
            NotReady: there are no holdings.
        """
        for piece in source.users():
            self.writer.add("users", gid=piece.gid, id=piece.id)
        for piece in source.products():
            self.writer.add(
                "products", gid=piece.gid, id=piece.id, name=piece.name, text=piece.text
            )
        self._write_holdings(source.edges("holdings"))
        for edges in source.edges("ties"):
            self._add_edges("ties", edges, tie_splits(edges.split, edges.at, self.cut))
        self._write_reviews(source.reviews())

    def _write_holdings(self, pieces: Iterable[Edges]) -> None:
        for piece in pieces:
            is_train = piece.split <= 0
            self._held_out += int((~is_train).sum())
            self._has_splits |= bool((piece.split != NO_SPLIT).any())
            self._last_train = max(
                self._last_train, int(piece.at.max(initial=NO_TIME, where=is_train))
            )
            self._add_edges("holdings", piece, np.maximum(piece.split, 0).astype(np.int8))
        if not self.writer.counts["holdings"]:
            raise NotReady(
                "the graph holds no products held by users yet; type: kinfolio load FOLDER"
            )
        self.cut = self._last_train if self._held_out else NO_TIME

    def _write_reviews(self, pieces: Iterable[ReviewColumns]) -> None:
        self.writer.finish_table("holdings")
        holdings = _WrittenHoldings(self.writer.folder)
        width = max(self.writer.counts["products"], 1)
        for piece in pieces:
            if not len(piece.user):
                continue
            user, product, split = holdings.of_users(int(piece.user[0]), int(piece.user[-1]))
            describes_user, describes_product = review_uses(
                pair=piece.user.astype(np.int64) * width + piece.product,
                split=piece.stated,
                at=piece.at,
                holding_pair=user.astype(np.int64) * width + product,
                holding_split=split,
                cut=self.cut,
                has_splits=self._has_splits,
            )
            self.writer.add(
                "reviews",
                user=piece.user,
                product=piece.product,
                at=piece.at,
                text=piece.text,
                describes_user=describes_user,
                describes_product=describes_product,
                stated=piece.stated,
                id=piece.id,
            )

    def finish(self, **manifest: Any) -> None:
        """Write the manifest with further fields."""
        self.writer.finish(cut=self.cut, held_out=self._held_out, **manifest)

    def close(self) -> None:
        """Close the files, finished or not."""
        self.writer.close()

    def _add_edges(self, table: str, edges: Edges, split: NDArray[np.int8]) -> None:
        if len(edges.source):
            columns = {name: getattr(edges, name) for name in EDGE_COLUMNS}
            self.writer.add(table, **columns | {"split": split, "stated": edges.split})


class _WrittenHoldings:
    """Reads the written holdings piece by piece, as they may not fit into memory."""

    def __init__(self, folder: Path) -> None:
        self._pieces = read_pieces(folder, "holdings", ["source", "target", "stated"])
        self._columns: list[NDArray[Any]] = [np.zeros(0, np.int32)] * 3

    def of_users(self, first: int, last: int) -> list[NDArray[Any]]:
        """Return user, product and stored split of the holdings of a range of users.

        Ranges must ascend from call to call.
        """
        rows = slice(np.searchsorted(self._columns[0], first), None)
        parts = [[column[rows]] for column in self._columns]
        while not len(parts[0][-1]) or parts[0][-1][-1] <= last:
            piece = next(self._pieces, None)
            if piece is None:
                break
            columns = list(piece.values())
            rows = slice(np.searchsorted(columns[0], first), None)
            for part, column in zip(parts, columns, strict=True):
                part.append(column[rows])
        self._columns = [np.concatenate(part) for part in parts]
        end = np.searchsorted(self._columns[0], last, side="right")
        return [column[:end] for column in self._columns]
