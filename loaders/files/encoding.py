"""Text files as a stream of UTF-8: UTF-16 and UTF-32 are recognized, with and without a mark."""

from __future__ import annotations

import codecs
import io
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from kinfolio.loaders.files.source import open_stream
from kinfolio.loaders.files.tables import TableFile

UTF8 = "UTF-8"
_MARKS = {
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: "UTF-32-LE",
    codecs.BOM_UTF32_BE: "UTF-32-BE",
    codecs.BOM_UTF16_LE: "UTF-16-LE",
    codecs.BOM_UTF16_BE: "UTF-16-BE",
}
"""Longer marks first: that of UTF-32-LE begins with that of UTF-16-LE."""
_ZERO_BYTES = {
    "UTF-32-LE": (False, True, True, True),
    "UTF-32-BE": (True, True, True, False),
    "UTF-16-LE": (False, True, False, True),
    "UTF-16-BE": (True, False, True, False),
}
"""Which of each four bytes are zero in a header of ASCII letters."""
_SAMPLE_BYTES = 16
_CHUNK_BYTES = 1024 * 1024


def encoding_of(file: TableFile) -> tuple[str, int]:
    """Return the encoding of a text file and the size of its byte order mark."""
    with open_stream(file) as stream:
        sample = stream.read(_SAMPLE_BYTES)
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return encoding, len(mark)
    zeros = tuple(byte == 0 for byte in sample[: len(sample) // 4 * 4])
    for encoding, pattern in _ZERO_BYTES.items():
        if zeros and zeros == pattern * (len(zeros) // 4):
            return encoding, 0
    return UTF8, 0


@contextmanager
def open_text(file: TableFile) -> Iterator[IO[bytes]]:
    """Open a text file, decompressed, in UTF-8, without a byte order mark."""
    encoding, mark = encoding_of(file)
    with open_stream(file) as stream:
        stream.read(mark)
        if encoding == UTF8:
            yield stream
        else:
            yield io.BufferedReader(_Recoded(stream, encoding), _CHUNK_BYTES)


class Rewritten(io.RawIOBase):
    """A stream whose bytes are replaced by others while they are read."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream
        self._pending = b""

    @abstractmethod
    def _rewrite(self, data: bytes, *, is_end: bool) -> bytes:
        """Return what replaces the next bytes; they are empty at the end."""

    def readable(self) -> bool:
        """Return true: the stream can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # Any: the type of a buffer differs by version
        """Fill a buffer; return the number of bytes, 0 at the end."""
        is_end = False
        while not self._pending and not is_end:
            data = self._stream.read(len(buffer))
            is_end = not data
            self._pending = self._rewrite(data, is_end=is_end)
        part, self._pending = self._pending[: len(buffer)], self._pending[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


class _Recoded(Rewritten):
    """A stream in another encoding as UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        super().__init__(stream)
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def _rewrite(self, data: bytes, *, is_end: bool) -> bytes:
        return self._decoder.decode(data, final=is_end).encode()
