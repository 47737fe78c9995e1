"""A snapshot folder written piece by piece: files of tables, the hash of their content, a manifest.

Memory does not grow with the graph, and the hash does not depend on the size of the pieces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kinfolio.errors import BadInput
from kinfolio.os_errors import os_errors
from kinfolio.records import NO_TIME
from kinfolio.run import write_json
from kinfolio.snapshot_tables import (
    FORMAT,
    TABLES,
    UNHASHED,
    TableFile,
    arrow_texts,
    is_text,
    table_path,
    text_buffers,
)
from kinfolio.storage.lock import locked
from kinfolio.storage.manifest import MANIFEST, stamp
from kinfolio.storage.temporaries import clear_leftovers, temporary

ARRAYS = "arrays"
"""Folder inside a snapshot for the files of `loaders/pyg/arrays.py`."""


class Digest:
    """SHA-256 of the columns of a snapshot, updated piece by piece."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, str], list[Any]] = {}  # Any: hashlib names no type
        self._counts: dict[tuple[str, str], int] = {}
        for table, columns in TABLES.items():
            for column in columns:
                if (table, column) not in UNHASHED:
                    # Texts have two streams, lengths and bytes, so that pieces may have any size.
                    streams = 2 if is_text(table, column) else 1
                    self._columns[table, column] = [hashlib.sha256() for _ in range(streams)]
                    self._counts[table, column] = 0

    def add(self, table: str, columns: dict[str, Any]) -> None:
        """Add the next piece of a table: NumPy arrays of numbers, Arrow arrays of texts."""
        for column, values in columns.items():
            streams = self._columns.get((table, column))
            if streams is None:
                continue
            self._counts[table, column] += len(values)
            if isinstance(values, np.ndarray):
                streams[0].update(np.ascontiguousarray(values).data)
            elif len(values):
                lengths, content = text_buffers(values)
                streams[0].update(lengths.data)
                streams[1].update(content)

    def rows(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        return {table: self._counts[table, next(iter(TABLES[table]))] for table in TABLES}

    def text(self, cut: int) -> str:
        """Return the hash of all pieces and of the training cut."""
        whole = hashlib.sha256(f"kinfolio snapshot {FORMAT} {cut}".encode())
        for (table, column), streams in self._columns.items():
            whole.update(f"\n{table}.{column} {self._counts[table, column]}\n".encode())
            for stream in streams:
                whole.update(stream.digest())
        return whole.hexdigest()


class SnapshotWriter:
    """Writes the files of a snapshot; call `close` in any case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.digest = Digest()
        self.counts = dict.fromkeys(TABLES, 0)
        self._files: dict[str, TableFile] = {}

    def add(self, table: str, **columns: Any) -> None:
        """Write the next rows of a table: NumPy arrays, and texts as lists or Arrow arrays."""
        arrays = arrow_texts(table, columns)
        lengths = {len(values) for values in arrays.values()}
        if len(lengths) > 1:
            raise ValueError(f"the columns of {table} differ in length: {sorted(lengths)}")
        self._file(table).add(list(arrays.values()))
        self.digest.add(table, arrays)
        self.counts[table] += lengths.pop()

    def finish_table(self, table: str) -> None:
        """Close the file of a table, which may be empty, for reading."""
        self._file(table).close()

    def finish(self, *, cut: int, **manifest: Any) -> str:
        """Write the manifest with further fields; return the hash of the content."""
        for table in TABLES:
            self.finish_table(table)
        content_hash = self.digest.text(cut)
        write_json(
            self.folder / MANIFEST,
            {
                "format": FORMAT,
                "counts": self.counts,
                "hash": content_hash,
                "cut": None if cut == NO_TIME else cut,
                "files": {path.name: stamp(path) for path in self._paths()},
                **manifest,
            },
        )
        return content_hash

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()

    def _paths(self) -> Iterator[Path]:
        return (table_path(self.folder, table) for table in TABLES)

    def _file(self, table: str) -> TableFile:
        if table not in self._files:
            self._files[table] = TableFile(self.folder, table)
        return self._files[table]


def _check_replaceable(folder: Path) -> None:
    """Raise `BadInput` for a file, or a folder with other content than a snapshot."""
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            raise BadInput(f"{path} is a file, a folder was expected; give another --run")
    if folder.is_symlink() and not folder.exists():
        raise BadInput(f"{folder} is a link to nothing; remove it or give another --run")
    if not folder.exists():
        return
    allowed = {MANIFEST, ARRAYS, *(table_path(folder, name).name for name in TABLES)}
    allowed |= {f"{name}.parquet" for name in TABLES}  # of format 1
    others = sorted(item.name for item in folder.iterdir() if item.name not in allowed)
    if others:
        raise BadInput(
            f"{folder} holds {others[0]!r}, which is no part of a snapshot, so it is not replaced; "
            "move it away or give another --run"
        )


@contextmanager
def scratch_beside(folder: Path) -> Iterator[Path]:
    """Create an empty folder next to the one to be replaced, deleted at the end of the block.

    Holds the lock of the run. What killed exports left is cleared.

    Raises:
        BadInput: there is something else in its place.
        FileError: it cannot be written.
        NotReady: another process works there.
    """
    _check_replaceable(folder)
    created = [path for path in (folder.parent, *folder.parent.parents) if not path.exists()]
    try:
        with os_errors(folder, cure="give another --run"), locked(folder.parent, "export"):
            _restore(folder)
            with temporary(folder.parent, f".{folder.name}.new-", is_folder=True) as scratch:
                yield scratch
    finally:
        for path in created:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def take_place(new: Path, folder: Path) -> None:
    """Replace `folder` by `new`; the old content is restored if that fails."""
    if not folder.exists():
        new.rename(folder)
        return
    with temporary(folder.parent, _old(folder), is_folder=True) as old:
        folder.rename(old)
        try:
            new.rename(folder)
        except BaseException:
            old.rename(folder)
            raise


def _restore(folder: Path) -> None:
    """Rename the old content back, if an export was killed while it took its place."""
    for old in folder.parent.glob(f"{_old(folder)}*"):
        if not folder.exists() and (old / MANIFEST).is_file():
            old.rename(folder)
    clear_leftovers(folder.parent, _old(folder))


def _old(folder: Path) -> str:
    return f".{folder.name}.old-"
