"""Snapshot folders: one file per node and edge type, and a manifest written last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kinfolio.errors import FileError, NotReady, RunBroken
from kinfolio.os_errors import refusal
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot
from kinfolio.snapshot_tables import TABLES, UNHASHED, arrow_texts, is_text, read_pieces
from kinfolio.snapshot_writer import Digest, SnapshotWriter, scratch_beside, take_place
from kinfolio.storage.document import unless_replaced
from kinfolio.storage.manifest import MANIFEST, Manifest, changed_file, cure_of, read_manifest

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


def read_snapshot(folder: Path) -> Snapshot:
    """Read a snapshot folder into memory.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is incomplete or damaged.
    """
    return unless_replaced(lambda: _read(folder), folder / MANIFEST)


def is_undamaged(folder: Path) -> bool:
    """Return whether the tables of a snapshot match its manifest."""
    try:
        check_snapshot(folder)
    except (FileError, NotReady, RunBroken):
        return False
    return True


def check_snapshot(folder: Path) -> None:
    """Compare the tables of a snapshot with its manifest; memory does not grow with it.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is incomplete or damaged.
    """
    with _checked(folder) as (_, digest):
        for table in TABLES:
            for piece in read_pieces(folder, table):
                digest.add(table, piece)


def _read(folder: Path) -> Snapshot:
    with _checked(folder) as (manifest, digest):
        tables = {name: _table(folder, name, digest) for name in TABLES}
        users, products = tables["users"], tables["products"]
        return Snapshot(
            user_ids=users["id"],
            product_ids=products["id"],
            user_gids=users["gid"],
            product_gids=products["gid"],
            product_names=products["name"],
            product_texts=products["text"],
            holdings=Edges(**_hashed("holdings", tables["holdings"])),
            ties=Edges(**_hashed("ties", tables["ties"])),
            reviews=Reviews(**_hashed("reviews", tables["reviews"])),
            cut=_cut(manifest),
            hash=manifest["hash"],
        )


@contextmanager
def _checked(folder: Path) -> Iterator[tuple[Manifest, Digest]]:
    """Yield the manifest, and a digest that must have seen the content at the end of the block."""
    import pyarrow as pa

    manifest, digest = read_manifest(folder), Digest()
    cure = cure_of(folder)
    # First, since damaged files may crash the reader of Arrow files.
    if changed := changed_file(folder, manifest):
        raise RunBroken(f"{changed} is damaged (its checksum is not the manifest's); {cure}")
    try:
        yield manifest, digest
    except (OSError, pa.ArrowException, LookupError, TypeError, ValueError) as error:
        if found := refusal(error, folder):
            raise found from error
        raise RunBroken(f"the snapshot in {folder} is damaged ({error}); {cure}") from error
    if digest.text(_cut(manifest)) != manifest["hash"] or digest.rows() != manifest["counts"]:
        raise RunBroken(f"the snapshot in {folder} is not what its manifest says; {cure}")


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


def _cut(manifest: Manifest) -> int:
    return NO_TIME if manifest["cut"] is None else manifest["cut"]
