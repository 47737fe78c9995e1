"""Where a text file that cannot be read to its end is wrong; used after an error only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kinfolio.loaders.files import source
from kinfolio.loaders.files.encoding import open_text
from kinfolio.loaders.files.header import Header
from kinfolio.loaders.files.source import never_closed, too_long
from kinfolio.loaders.files.tables import TableFile

_CHUNK_BYTES = 1024 * 1024
_BREAK = re.compile(rb"\r\n|\r|\n")


def open_quote(file: TableFile, header: Header) -> int | None:
    """Return the line of a quote that is not closed until the end of the file."""
    last = None
    for opened, _ in _rows(file, header):
        last = opened
    return last


def long_row(file: TableFile, header: Header) -> str:
    """Return the error message for a row that is longer than a block."""
    first, size = header.num_lines + 1, 0
    for number, (opened, length) in enumerate(_rows(file, header), start=first):
        size += length
        if size > source.BLOCK_BYTES:
            if opened is not None and open_quote(file, header) == opened:
                return never_closed(file, opened)
            return f"{too_long(file)} on line {first}; put a line break after each row"
        if opened is None:
            first, size = number + 1, 0
    return too_long(file)


def _rows(file: TableFile, header: Header) -> Iterator[tuple[int | None, int]]:
    """Yield for each line its size, and the line of the quote that is open at its end."""
    separator, is_quoted = header.dialect[0].encode(), header.dialect[1]
    opened: int | None = None
    for number, line in enumerate(_lines(file, header.num_bytes), start=header.num_lines + 1):
        place = 0
        while is_quoted and (place := line.find(b'"', place)) >= 0:
            if opened is None:
                if place == 0 or line[place - len(separator) : place] == separator:
                    opened = number
            elif line[place + 1 : place + 2] == b'"':
                place += 1
            else:
                opened = None
            place += 1
        yield opened, len(line)


def _lines(file: TableFile, skip: int) -> Iterator[bytes]:
    """Yield the lines of a file, one that is longer than a block in pieces."""
    rest = b""
    with open_text(file) as stream:
        stream.read(skip)
        while chunk := stream.read(_CHUNK_BYTES):
            if chunk.endswith(b"\r"):
                chunk += stream.read(1)
            *lines, rest = _BREAK.split(rest + chunk)
            yield from lines
            if len(rest) > source.BLOCK_BYTES:
                yield rest
                rest = b""
    if rest:
        yield rest
