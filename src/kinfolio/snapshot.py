"""A snapshot folder: one file per node and edge type, and a manifest written last.

The folder appears whole or not at all: it is written beside its place and moved there. This
module knows files and records; `loaders/exporting/export.py` reads a snapshot from the
graph, `snapshot_writer.py` writes it piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import NotReady, RunBroken
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot
from kinfolio.run import read_json
from kinfolio.snapshot_tables import FORMAT, TABLES, is_text, read_pieces
from kinfolio.snapshot_writer import (
    MANIFEST,
    Digest,
    SnapshotWriter,
    scratch_beside,
    take_place,
)

_ROWS_AT_ONCE = 100_000
"""Rows in a piece: texts become Arrow's a piece at a time, so that they are not held twice."""


def hash_of(snapshot: Snapshot) -> str:
    """SHA-256 of the content, whatever `snapshot.hash` says."""
    digest = Digest()
    for table, columns in _pieces(snapshot):
        digest.add(table, columns)
    return digest.text(snapshot.cut)


def with_hash(snapshot: Snapshot) -> Snapshot:
    """The same snapshot with the hash of its content filled in."""
    return replace(snapshot, hash=hash_of(snapshot))


def write_snapshot(snapshot: Snapshot, folder: Path, *, server: str = "") -> None:
    """Write a snapshot folder; one that is there is replaced only when the new one is whole.

    Args:
        snapshot: What to write; its `hash` must be that of its content.
        folder: Where it goes, e.g. `Run(...).snapshot`.
        server: The database it came from, for people.

    Raises:
        BadInput: the folder holds other things, or cannot be written.
    """
    with scratch_beside(folder) as scratch:
        new = scratch / "snapshot"
        new.mkdir()
        writer = SnapshotWriter(new)
        try:
            for table, columns in _pieces(snapshot):
                if table in ("holdings", "ties"):
                    columns["stated"] = columns["split"]
                if table == "reviews":
                    columns["stated"] = np.full(len(columns["user"]), -1, np.int8)
                    columns["id"] = [""] * len(columns["user"])
                writer.add(table, **columns)
            held_out = int((snapshot.holdings.split != 0).sum())
            writer.finish(cut=snapshot.cut, held_out=held_out, server=server)
        finally:
            writer.close()
        take_place(new, folder)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What the manifest of a whole snapshot says.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is half written, damaged or of another format.
    """
    again = _again(folder)
    if not (folder / MANIFEST).is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise RunBroken(f"{folder} is half written (no {MANIFEST}); {again}")
        raise NotReady(f"there is no snapshot in {folder} yet; {again}")
    manifest = read_json(folder / MANIFEST)
    if manifest.get("format") != FORMAT:
        raise RunBroken(
            f"{folder} has snapshot format {manifest.get('format')}, this kinfolio reads {FORMAT}; "
            f"{again}"
        )
    return manifest


def read_snapshot(folder: Path) -> Snapshot:
    """The snapshot in a folder that `write_snapshot` or an export wrote.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is half written or damaged.
    """
    import pyarrow as pa

    manifest = read_manifest(folder)
    digest = Digest()
    try:
        tables = {name: _table(folder, name, digest) for name in TABLES}
        cut = NO_TIME if manifest["cut"] is None else int(manifest["cut"])
        users, products, reviews = (tables[name] for name in ("users", "products", "reviews"))
        snapshot = Snapshot(
            user_ids=users["id"],
            product_ids=products["id"],
            user_gids=users["gid"],
            product_gids=products["gid"],
            product_names=products["name"],
            product_texts=products["text"],
            holdings=_edges(tables["holdings"]),
            ties=_edges(tables["ties"]),
            reviews=Reviews(
                **{name: reviews[name] for name in reviews if name not in ("stated", "id")}
            ),
            cut=cut,
            hash=str(manifest["hash"]),
        )
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise RunBroken(
            f"the snapshot in {folder} is damaged ({error}); {_again(folder)}"
        ) from error
    if digest.text(cut) != snapshot.hash:
        raise RunBroken(f"the snapshot in {folder} is not what its manifest says; {_again(folder)}")
    return snapshot


def is_undamaged(folder: Path) -> bool:
    """Whether the tables of a snapshot are those that its manifest was written for."""
    import pyarrow as pa

    digest = Digest()
    try:
        manifest = read_manifest(folder)
        for table in TABLES:
            for piece in read_pieces(folder, table):
                digest.add(table, piece)
        cut = NO_TIME if manifest["cut"] is None else int(manifest["cut"])
        return digest.text(cut) == str(manifest["hash"])
    except (OSError, pa.ArrowException, KeyError, NotReady, RunBroken):
        return False


def _table(folder: Path, name: str, digest: Digest) -> dict[str, Any]:
    """The columns of a table: numpy arrays that may be written to, tuples of texts."""
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
            none = np.zeros(0, kind)
            columns[column] = np.concatenate([none, *pieces[column]])
    return columns


def _again(folder: Path) -> str:
    return f"type: kinfolio export --run {folder.parent}"


def _pieces(snapshot: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tables cut into pieces: numpy arrays of numbers, Arrow arrays of texts."""
    import pyarrow as pa

    for table, columns in _columns(snapshot).items():
        count = max(len(values) for values in columns.values())
        for first in range(0, max(count, 1), _ROWS_AT_ONCE):
            piece = {}
            for name, values in columns.items():
                cut_out = values[first : first + _ROWS_AT_ONCE]
                piece[name] = (
                    cut_out
                    if isinstance(cut_out, np.ndarray)
                    else pa.array(cut_out, pa.large_string())
                )
            yield table, piece


def _columns(snapshot: Snapshot) -> dict[str, dict[str, NDArray[Any] | tuple[str, ...]]]:
    reviews = snapshot.reviews
    return {
        "users": {"gid": snapshot.user_gids, "id": snapshot.user_ids},
        "products": {
            "gid": snapshot.product_gids,
            "id": snapshot.product_ids,
            "name": snapshot.product_names,
            "text": snapshot.product_texts,
        },
        "holdings": _edge_columns(snapshot.holdings),
        "ties": _edge_columns(snapshot.ties),
        "reviews": {
            "user": reviews.user,
            "product": reviews.product,
            "at": reviews.at,
            "text": reviews.text,
            "describes_user": reviews.describes_user,
            "describes_product": reviews.describes_product,
        },
    }


def _edge_columns(edges: Edges) -> dict[str, NDArray[Any] | tuple[str, ...]]:
    return {
        "source": edges.source,
        "target": edges.target,
        "split": edges.split,
        "at": edges.at,
        "rating": edges.rating,
    }


def _edges(table: dict[str, Any]) -> Edges:
    return Edges(**{name: values for name, values in table.items() if name != "stated"})
