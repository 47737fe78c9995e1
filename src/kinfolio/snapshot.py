"""A snapshot folder: one Parquet file per node and edge type, and a manifest written last.

The folder appears whole or not at all: it is written beside its place and moved there. This
module knows files and records; how a snapshot is read from the graph is `loaders/export.py`.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import BadInput, NotReady, RunBroken
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot
from kinfolio.run import read_json, write_json

FORMAT = 1
"""Goes up when the files change so that an older reader would misread them."""
_MANIFEST = "manifest.json"
_TABLES = ("users", "products", "holdings", "ties", "reviews")


def hash_of(snapshot: Snapshot) -> str:
    """SHA-256 of the content, whatever `snapshot.hash` says."""
    digest = hashlib.sha256(f"kinfolio snapshot {FORMAT} {snapshot.cut}".encode())
    for name, columns in _columns(snapshot).items():
        for column, values in columns.items():
            digest.update(f"\n{name}.{column} {len(values)}\n".encode())
            if isinstance(values, np.ndarray):
                digest.update(np.ascontiguousarray(values).data)
            else:
                parts = [text.encode() for text in values]
                digest.update(np.array([len(part) for part in parts], dtype=np.int64).data)
                digest.update(b"".join(parts))
    return digest.hexdigest()


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
    import pyarrow as pa
    import pyarrow.parquet as pq

    _refuse_other_content(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.new-"))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        new.chmod(0o755)
        tables = _columns(snapshot)
        for name, columns in tables.items():
            pq.write_table(
                pa.table({key: _to_arrow(values) for key, values in columns.items()}),
                new / f"{name}.parquet",
                compression="zstd",
            )
        held_out = int((snapshot.holdings.split != 0).sum())
        write_json(
            new / _MANIFEST,
            {
                "format": FORMAT,
                "counts": {
                    name: len(next(iter(columns.values()))) for name, columns in tables.items()
                },
                "held_out": held_out,
                "hash": snapshot.hash,
                "server": server,
                "cut": None if snapshot.cut == NO_TIME else snapshot.cut,
                "watermark": _latest(snapshot),
            },
        )
        _take_place(new, folder)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def read_snapshot(folder: Path) -> Snapshot:
    """The snapshot in a folder that `write_snapshot` wrote.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is half written or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    again = f"type: kinfolio export --run {folder.parent}"
    if not (folder / _MANIFEST).is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise RunBroken(f"{folder} is half written (no {_MANIFEST}); {again}")
        raise NotReady(f"there is no snapshot in {folder} yet; {again}")
    manifest = read_json(folder / _MANIFEST)
    if manifest.get("format") != FORMAT:
        raise RunBroken(
            f"{folder} has snapshot format {manifest.get('format')}, this kinfolio reads {FORMAT}; "
            f"{again}"
        )
    try:
        users, products, holdings, ties, reviews = (
            pq.read_table(folder / f"{name}.parquet") for name in _TABLES
        )
        cut = manifest["cut"]
        snapshot = Snapshot(
            user_ids=_texts(users, "id"),
            product_ids=_texts(products, "id"),
            user_gids=_numbers(users, "gid"),
            product_gids=_numbers(products, "gid"),
            product_names=_texts(products, "name"),
            product_texts=_texts(products, "text"),
            holdings=_edges(holdings),
            ties=_edges(ties),
            reviews=Reviews(
                user=_numbers(reviews, "user"),
                product=_numbers(reviews, "product"),
                at=_numbers(reviews, "at"),
                text=_texts(reviews, "text"),
                describes_user=_numbers(reviews, "describes_user"),
                describes_product=_numbers(reviews, "describes_product"),
            ),
            cut=NO_TIME if cut is None else int(cut),
            hash=str(manifest["hash"]),
        )
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise RunBroken(f"the snapshot in {folder} is damaged ({error}); {again}") from error
    if hash_of(snapshot) != snapshot.hash:
        raise RunBroken(f"the snapshot in {folder} is not what its manifest says; {again}")
    return snapshot


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


def _numbers(table: Any, column: str) -> NDArray[Any]:
    # A copy: torch warns about the read-only arrays that pyarrow hands out.
    return np.array(table.column(column).to_numpy())


def _texts(table: Any, column: str) -> tuple[str, ...]:
    return tuple(table.column(column).to_pylist())


def _to_arrow(values: NDArray[Any] | tuple[str, ...]) -> Any:
    import pyarrow as pa

    # large_string: the texts of one column may pass 2 GB together.
    return (
        pa.array(values) if isinstance(values, np.ndarray) else pa.array(values, pa.large_string())
    )


def _latest(snapshot: Snapshot) -> int | None:
    """Time of the newest holding, tie or review; None where nothing has a time."""
    times = [snapshot.holdings.at, snapshot.ties.at, snapshot.reviews.at]
    latest = max((int(at.max()) for at in times if at.size), default=NO_TIME)
    return None if latest == NO_TIME else latest


def _refuse_other_content(folder: Path) -> None:
    if not folder.is_dir():
        if folder.exists():
            raise BadInput(f"{folder} is a file, a folder was expected; give another --run")
        return
    ours = {_MANIFEST, *(f"{name}.parquet" for name in _TABLES)}
    others = sorted(item.name for item in folder.iterdir() if item.name not in ours)
    if others:
        raise BadInput(
            f"{folder} holds {others[0]!r}, which is no part of a snapshot, so it is not replaced; "
            "move it away or give another --run"
        )


def _take_place(new: Path, folder: Path) -> None:
    """Move `new` to `folder`; what was there comes back when that fails."""
    if not folder.exists():
        new.rename(folder)
        return
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old-"))
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _cannot_write(folder: Path, error: OSError) -> BadInput:
    return BadInput(f"cannot write {folder} ({error.strerror or error}); give another --run")
