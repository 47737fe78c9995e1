"""One file of the event log: lines are appended under a lock and found by their request."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kinfolio.events.records import REQUEST_FIELD, REQUEST_LENGTH

_AT_ONCE = 1 << 22
_BEGIN = len(REQUEST_FIELD)


class DayFile:
    """The lists shown on one day and all events about them.

    The lock (flock) is that of the file itself, so that it ends with its process. The index is in
    memory and is brought up to date by reading what was appended since. Not for several threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = -1
        self._end = 0
        """Bytes of the file that are in the index; the end of a line."""
        self._places: dict[bytes, tuple[tuple[int, int], ...]] = {}
        """Begin and length of the lines of a request."""

    def close(self) -> None:
        """Close the file and forget its index."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle, self._end, self._places = -1, 0, {}

    @contextmanager
    def locked(self, *, create: bool) -> Iterator[bool]:
        """Hold the lock with an index that is up to date; yield False if there is no file."""
        if not self._lock(create):
            yield False
            return
        try:
            self._read_on()
            yield True
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def lines_of(self, request: str) -> list[bytes]:
        """Return the lines of a request."""
        return [
            os.pread(self._handle, length, begin)
            for begin, length in self._places.get(request.encode(), ())
        ]

    def append(self, lines: bytes) -> None:
        """Append whole lines, all or none of them, by one write."""
        size = os.fstat(self._handle).st_size
        # A process that died while writing left a part of a line: it must not damage the next one.
        left = lines if size == self._end else b"\n" + lines
        try:
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._handle, size)
            raise

    def rewrite(self, new: Path, keep: Callable[[bytes], bool]) -> int:
        """Copy the lines to keep to `new`, which is to replace this file; return those left out."""
        removed = 0
        with self.path.open("rb") as lines, new.open("wb") as out:
            for line in lines:
                if keep(line):
                    out.write(line if line.endswith(b"\n") else line + b"\n")
                else:
                    removed += 1
        return removed

    def _lock(self, create: bool) -> bool:
        while True:
            if self._handle < 0 and not self._open(create):
                return False
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            # Replaced or removed meanwhile? The open file keeps its number from being used again.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._handle), self.path.stat()):
                    return True
            self.close()

    def _open(self, create: bool) -> bool:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        try:
            self._handle = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            if create:
                raise
            return False
        return True

    def _read_on(self) -> None:
        """Add the lines that were appended since to the index."""
        rest = b""
        while data := os.pread(self._handle, _AT_ONCE, self._end + len(rest)):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                length = len(line) + 1
                if line.startswith(REQUEST_FIELD):
                    request = line[_BEGIN : _BEGIN + REQUEST_LENGTH]
                    known = self._places.get(request, ())
                    self._places[request] = (*known, (self._end, length))
                self._end += length
