"""A snapshot folder: one Parquet file per node and edge type, and a manifest written last.

The folder appears whole or not at all: it is written beside its place and moved there. This
module knows files and records; how a snapshot is read from the graph is `loaders/export.py`, how
it is written piece by piece `snapshot_writer.py`.
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
from kinfolio.snapshot_writer import (
    FORMAT,
    MANIFEST,
    TABLES,
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
    import pyarrow.parquet as pq

    manifest = read_manifest(folder)
    digest = Digest()
    try:
        tables = {name: pq.read_table(folder / f"{name}.parquet") for name in TABLES}
        for name, table in tables.items():
            for column in table.column_names:
                for values in table.column(column).chunks:
                    digest.add(name, {column: _values(values)})
        cut = NO_TIME if manifest["cut"] is None else int(manifest["cut"])
        users, products, reviews = (tables[name] for name in ("users", "products", "reviews"))
        snapshot = Snapshot(
            user_ids=_texts(users, "id"),
            product_ids=_texts(products, "id"),
            user_gids=_numbers(users, "gid"),
            product_gids=_numbers(products, "gid"),
            product_names=_texts(products, "name"),
            product_texts=_texts(products, "text"),
            holdings=_edges(tables["holdings"]),
            ties=_edges(tables["ties"]),
            reviews=Reviews(
                user=_numbers(reviews, "user"),
                product=_numbers(reviews, "product"),
                at=_numbers(reviews, "at"),
                text=_texts(reviews, "text"),
                describes_user=_numbers(reviews, "describes_user"),
                describes_product=_numbers(reviews, "describes_product"),
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


def _edges(table: Any) -> Edges:  # Any: pyarrow has no types
    return Edges(
        source=_numbers(table, "source"),
        target=_numbers(table, "target"),
        split=_numbers(table, "split"),
        at=_numbers(table, "at"),
        rating=_numbers(table, "rating"),
    )


def _values(column: Any) -> Any:
    """A piece of a column as `Digest` takes it."""
    import pyarrow as pa

    return (
        column if pa.types.is_large_string(column.type) else column.to_numpy(zero_copy_only=False)
    )


def _numbers(table: Any, column: str) -> NDArray[Any]:
    # A copy: torch warns about the read-only arrays that pyarrow hands out.
    return np.array(table.column(column).to_numpy())


def _texts(table: Any, column: str) -> tuple[str, ...]:
    return tuple(table.column(column).to_pylist())
