"""Snapshot folders: one file per node and edge type, and a manifest written last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kinfolio.errors import FileError, NotReady, RunBroken
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot
from kinfolio.run import read_json
from kinfolio.snapshot_tables import FORMAT, TABLES, UNHASHED, arrow_texts, is_text, read_pieces
from kinfolio.snapshot_writer import (
    MANIFEST,
    Digest,
    SnapshotWriter,
    scratch_beside,
    take_place,
)

_ROWS_PER_PIECE = 100_000
"""Texts are converted to Arrow piece by piece, so that they are not in memory twice."""

_Column = TypeVar("_Column")


def hash_of(snapshot: Snapshot) -> str:
    """Compute the SHA-256 of the content."""
    digest = Digest()
    for table, columns in _pieces(snapshot):
        digest.add(table, columns)
    return digest.text(snapshot.cut)


def with_hash(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with the hash of its content."""
    return replace(snapshot, hash=hash_of(snapshot))


def write_snapshot(snapshot: Snapshot, folder: Path, *, server: str = "") -> None:
    """Write a snapshot folder; an existing one is replaced when the new one is complete.

    Args:
        snapshot: its `hash` must be that of its content.
        folder: the destination, e.g. `Run(...).snapshot`.
        server: name of the database, for the manifest.

    Raises:
        BadInput: the folder has other content, or cannot be written.
    """
    with scratch_beside(folder) as scratch:
        new = scratch / "snapshot"
        new.mkdir()
        with closing(SnapshotWriter(new)) as writer:
            for table, columns in _pieces(snapshot):
                if "split" in columns:
                    columns["stated"] = columns["split"]
                if table == "reviews":
                    columns["stated"] = np.full(len(columns["user"]), -1, np.int8)
                    columns["id"] = [""] * len(columns["user"])
                writer.add(table, **columns)
            held_out = int((snapshot.holdings.split != 0).sum())
            writer.finish(cut=snapshot.cut, held_out=held_out, server=server)
        take_place(new, folder)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a complete snapshot.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is incomplete, damaged or of another format.
    """
    hint = _hint(folder)
    if not (folder / MANIFEST).is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise RunBroken(f"{folder} is half written (no {MANIFEST}); {hint}")
        raise NotReady(f"there is no snapshot in {folder} yet; {hint}")
    manifest = read_json(folder / MANIFEST)
    if manifest.get("format") != FORMAT:
        raise RunBroken(
            f"{folder} has snapshot format {manifest.get('format')}, this kinfolio reads {FORMAT}; "
            f"{hint}"
        )
    return manifest


def read_snapshot(folder: Path) -> Snapshot:
    """Read a snapshot folder into memory.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is incomplete or damaged.
    """
    import pyarrow as pa

    manifest = read_manifest(folder)
    digest = Digest()
    try:
        tables = {name: _table(folder, name, digest) for name in TABLES}
        cut = _cut(manifest)
        users, products = tables["users"], tables["products"]
        snapshot = Snapshot(
            user_ids=users["id"],
            product_ids=products["id"],
            user_gids=users["gid"],
            product_gids=products["gid"],
            product_names=products["name"],
            product_texts=products["text"],
            holdings=Edges(**_hashed("holdings", tables["holdings"])),
            ties=Edges(**_hashed("ties", tables["ties"])),
            reviews=Reviews(**_hashed("reviews", tables["reviews"])),
            cut=cut,
            hash=str(manifest["hash"]),
        )
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise RunBroken(
            f"the snapshot in {folder} is damaged ({error}); {_hint(folder)}"
        ) from error
    if digest.text(cut) != snapshot.hash:
        raise RunBroken(f"the snapshot in {folder} is not what its manifest says; {_hint(folder)}")
    return snapshot


def is_undamaged(folder: Path) -> bool:
    """Return whether the tables of a snapshot match its manifest."""
    import pyarrow as pa

    digest = Digest()
    try:
        manifest = read_manifest(folder)
        for table in TABLES:
            for piece in read_pieces(folder, table):
                digest.add(table, piece)
        return digest.text(_cut(manifest)) == str(manifest["hash"])
    except (OSError, pa.ArrowException, KeyError, FileError, NotReady, RunBroken):
        return False


def _table(folder: Path, name: str, digest: Digest) -> dict[str, Any]:
    """Read the columns of a table: writable NumPy arrays, and tuples of texts."""
    pieces: dict[str, list[Any]] = {column: [] for column in TABLES[name]}
    for piece in read_pieces(folder, name):
        digest.add(name, piece)
        for column, values in piece.items():
            pieces[column].append(values)
    columns: dict[str, Any] = {}
    for column, kind in TABLES[name].items():
        if is_text(name, column):
            columns[column] = tuple(text for part in pieces[column] for text in part.to_pylist())
        else:
            columns[column] = np.concatenate([np.zeros(0, kind), *pieces[column]])
    return columns


def _hint(folder: Path) -> str:
    return f"type: kinfolio export --run {folder.parent}"


def _pieces(snapshot: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each table in pieces: NumPy arrays of numbers, Arrow arrays of texts."""
    tables: dict[str, dict[str, Any]] = {
        "users": {"gid": snapshot.user_gids, "id": snapshot.user_ids},
        "products": {
            "gid": snapshot.product_gids,
            "id": snapshot.product_ids,
            "name": snapshot.product_names,
            "text": snapshot.product_texts,
        },
    }
    for table, record in (
        ("holdings", snapshot.holdings),
        ("ties", snapshot.ties),
        ("reviews", snapshot.reviews),
    ):
        tables[table] = {name: getattr(record, name) for name in _hashed(table, TABLES[table])}
    for table, columns in tables.items():
        count = max(len(values) for values in columns.values())
        for first in range(0, max(count, 1), _ROWS_PER_PIECE):
            rows = slice(first, first + _ROWS_PER_PIECE)
            piece = {name: values[rows] for name, values in columns.items()}
            yield table, arrow_texts(table, piece)


def _hashed(table: str, columns: dict[str, _Column]) -> dict[str, _Column]:
    """Return the columns of a table that are part of a `Snapshot`."""
    return {name: values for name, values in columns.items() if (table, name) not in UNHASHED}


def _cut(manifest: dict[str, Any]) -> int:
    return NO_TIME if manifest["cut"] is None else int(manifest["cut"])
