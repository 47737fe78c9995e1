"""Standard input, output and error that work when closed, full, or of a narrow encoding.

A character that a stream cannot carry is written as its UTF-16 escape, so that JSON stays valid. An
answer that cannot be written is an error; a message that cannot be written is lost.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING

from kinfolio.os_errors import os_errors

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_ESCAPE = "kinfolio.escape"


def prepare_streams() -> None:
    """Replace the standard streams of the process; those that a caller has set stay."""
    codecs.register_error(_ESCAPE, _escape)
    _open_closed()
    if sys.stdin is sys.__stdin__:
        buffer = io.BufferedReader(_Input(0, "rb", closefd=False))
        sys.stdin = io.TextIOWrapper(buffer, _encoding(sys.stdin), "replace")
    if sys.stdout is sys.__stdout__:
        sys.stdout = _writer(_Answers(1, "wb", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _writer(_Messages(2, "wb", closefd=False), sys.stderr)


def _open_closed() -> None:
    """Occupy the numbers of closed streams: the next file or connection would take them."""
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # reading 0 or writing to 1 fails, as it should


def _writer(raw: io.FileIO, old: io.TextIOBase | None) -> io.TextIOWrapper:
    encoding = _encoding(old)
    is_ascii = codecs.lookup(encoding).name == "ascii"
    kind = _AsciiText if is_ascii else io.TextIOWrapper
    is_line_buffered = raw.isatty() or raw.fileno() == 2
    return kind(io.BufferedWriter(raw), encoding, _ESCAPE, line_buffering=is_line_buffered)


def _encoding(old: io.TextIOBase | None) -> str:
    return getattr(old, "encoding", None) or "utf-8"


class _AsciiText(io.TextIOWrapper):
    """A stream that click uses: it would write UTF-8 to one that calls itself ASCII."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "ascii-escaped"


class _Input(io.FileIO):
    def readinto(self, buffer: WriteableBuffer) -> int | None:
        with os_errors("standard input", "read"):
            return super().readinto(buffer)


class _Answers(io.FileIO):
    _has_failed = False

    def write(self, data: ReadableBuffer) -> int:
        # After the first error the rest is dropped, so that closing raises no second one.
        if not self._has_failed:
            try:
                with os_errors("standard output", cure="redirect it to a file elsewhere"):
                    return super().write(data)
            except BaseException:
                self._has_failed = True
                raise
        return len(memoryview(data).cast("B"))


class _Messages(io.FileIO):
    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data).cast("B"))


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end
