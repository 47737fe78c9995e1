"""Cache of text vectors: a SQLite file that is rebuilt when damaged and left out when unusable."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kinfolio.os_errors import is_damaged, optional_file, warn_once

Vectors = dict[bytes, NDArray[np.float32]]
_TIMEOUT_SECONDS = 60
_CREATE = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)"
_CHECKSUM_BYTES = 4
_Result = TypeVar("_Result")


class VectorCache:
    """Vectors by key; each is stored with a checksum, and one that does not match is not read."""

    def __init__(self, file: Path) -> None:
        """Open or create the file; call `close` in any case."""
        self._file = file
        self._database: sqlite3.Connection | None = None
        with optional_file(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self._database = self._connect()
        self._attempt(lambda database: database.execute(_CREATE), None)

    def read(self, keys: Iterable[bytes]) -> Vectors:
        """Return the vectors of the keys that are stored."""
        return self._attempt(lambda database: _read(database, keys), {})

    def add(self, vectors: Vectors) -> None:
        """Store vectors."""
        rows = []
        for key, vector in vectors.items():
            content = vector.astype("<f4").tobytes()
            rows.append((key, content + _checksum(key, content)))

        def insert(database: sqlite3.Connection) -> None:
            with database:
                database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

        self._attempt(insert, None)

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _attempt(self, work: Callable[[sqlite3.Connection], _Result], default: _Result) -> _Result:
        """Return the result; the default if the file is damaged, or cannot be used any more."""
        if self._database is None:
            return default
        with optional_file(self._file):
            try:
                return work(self._database)
            except sqlite3.DatabaseError as error:
                if not is_damaged(error):
                    raise
                self._rebuild()
                return default
        self.close()
        return default

    def _rebuild(self) -> None:
        warn_once(f"{self._file} is damaged and is rebuilt")
        self.close()
        self._file.unlink()
        self._database = self._connect()
        self._database.execute(_CREATE)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=_TIMEOUT_SECONDS)


def _checksum(key: bytes, content: bytes) -> bytes:
    return zlib.crc32(key + content).to_bytes(_CHECKSUM_BYTES, "little")


def _read(database: sqlite3.Connection, keys: Iterable[bytes]) -> Vectors:
    # One query a key: an IN list of 30,000 would exceed SQLite's limit of variables.
    found: Vectors = {}
    for key in keys:
        row = database.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
        if row is not None and isinstance(row[0], bytes):
            content, checksum = row[0][:-_CHECKSUM_BYTES], row[0][-_CHECKSUM_BYTES:]
            if checksum == _checksum(key, content):
                found[key] = np.frombuffer(content, "<f4").astype(np.float32)
    return found
