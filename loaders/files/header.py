"""The header of a text file: separator and names of its columns, and where its rows begin.

Blank lines, comments (`# ...`) and a line `sep=;` before the header are skipped.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from kinfolio.errors import BadInput
from kinfolio.loaders.files import source
from kinfolio.loaders.files.encoding import UTF8, encoding_of, open_text
from kinfolio.loaders.files.source import expected_columns, never_closed, too_long
from kinfolio.loaders.files.tables import (
    TableFile,
    check_header,
    column_names,
    columns_missing,
    missing_columns,
)

Dialect = tuple[str, bool]
"""Separator of columns, and whether values may be quoted."""
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_DIALECTS: dict[str, tuple[Dialect, ...]] = {
    "tsv": (("\t", False), ("\t", True), (",", True), (";", True), ("|", True)),
    "csv": ((",", True), (";", True), ("\t", True), ("|", True)),
}
"""Those that are tried, the usual one first."""
_NAMES = {"\t": "tabs", ",": "commas"}
_UNDECODED = "\ufffd"
"""What decoding puts in place of bytes that are not UTF-8."""
_BLANK = ' \t,;|"\r\n'


@dataclass(frozen=True, slots=True)
class Header:
    """What the first lines of a text file say."""

    names: list[str]
    """Names of the columns; empty for one without a name."""
    dialect: Dialect
    num_lines: int
    """Number of lines before the first row."""
    num_bytes: int
    """Size of these lines in UTF-8."""
    notes: tuple[str, ...] = ()
    """What is unusual in the file, a sentence each."""

    @property
    def num_named(self) -> int:
        """Number of columns up to the last one with a name."""
        return len(_without_last_empty(self.names))


def read_header(file: TableFile) -> Header:
    """Return the header of a text file.

    Raises:
        BadInput: there is none, it is not UTF-8, or a column is missing or has a wrong name.
    """
    with open_text(file) as stream:
        lines = _FirstLines(file, stream.read(source.BLOCK_BYTES))
    dialects = _DIALECTS[file.format]
    for number, start, text in lines.each():
        if match := _SEPARATOR_LINE.fullmatch(text.strip()):
            dialects = ((match[1], (match[1], file.format) != ("\t", "tsv")),)
        elif text.strip(_BLANK):
            for dialect in dialects:
                header = lines.header(number, start, dialect)
                if header is not None and not missing_columns(file, header.names):
                    if _UNDECODED in "".join(header.names):
                        raise lines.wrong_header(number, start, dialect)
                    check_header(file, [name for name in header.names if name])
                    return header
            if not text.startswith("#"):
                raise lines.wrong_header(number, start, dialects[0])
    raise BadInput(f"{file.path} has no header in its first line; {expected_columns(file)}")


class _FirstLines:
    """The beginning of a file."""

    def __init__(self, file: TableFile, head: bytes) -> None:
        self._file, self._head = file, head

    def each(self) -> Iterator[tuple[int, int, str]]:
        """Yield number, position and text of each line."""
        for number, match in enumerate(_LINE.finditer(self._head), start=1):
            yield number, match.start(), match[0].decode(errors="replace")

    def header(self, number: int, start: int, dialect: Dialect) -> Header | None:
        """Return the header at a position; None if it is not written in this dialect."""
        fields, end, num_lines = self._record(start, dialect)
        if not fields or end == source.BLOCK_BYTES:
            return None
        names = column_names(self._file, [fields[0].lstrip("# "), *fields[1:]])
        # A separator at the end of the header or of the rows adds a column without a name.
        named = _without_last_empty(names)
        row, _, _ = self._record(end, dialect)
        if not any(row[len(named) :]):
            names = named + [""] * (len(row) - len(named))
        notes = tuple(self._notes(number, named, dialect))
        return Header(names, dialect, number + num_lines - 1, end, notes)

    def wrong_header(self, number: int, start: int, dialect: Dialect) -> BadInput:
        """Return the error for a line that should be the header."""
        file = self._file
        fields, end, _ = self._record(start, dialect)
        if end == source.BLOCK_BYTES:
            return BadInput(f"{too_long(file)} on line {number}, where the header should be")
        if not fields:
            return BadInput(never_closed(file, number))
        if _UNDECODED in "".join(fields):
            where = "its first line" if number == 1 else f"line {number}"
            return BadInput(f"{file.path} is not UTF-8 in {where}; save it as UTF-8")
        missing = columns_missing(file, column_names(file, fields))
        return BadInput(f"{missing}; name the columns in line {number}")

    def _record(self, start: int, dialect: Dialect) -> tuple[list[str], int, int]:
        """Return the values of a row, the position after it, and the number of its lines.

        There are no values at the end, and in a row that opens a quote and does not close it.
        """
        end, num_lines = start, 0

        def lines() -> Iterator[str]:
            nonlocal end, num_lines
            for match in _LINE.finditer(self._head, start):
                end, num_lines = match.end(), num_lines + 1
                yield match[0].decode(errors="replace")

        separator, is_quoted = dialect
        fields: list[str] = []
        if is_quoted:
            with suppress(csv.Error):
                fields = next(csv.reader(lines(), delimiter=separator, strict=True), [])
        else:
            fields = next(lines(), "").rstrip("\r\n").split(separator)
        return fields, end, num_lines

    def _notes(self, number: int, named: list[str], dialect: Dialect) -> Iterator[str]:
        file = self._file
        encoding, _ = encoding_of(file)
        if encoding != UTF8:
            yield f"{file.name}: read as {encoding}"
        if dialect[0] != _DIALECTS[file.format][0][0]:
            yield f"{file.name}: columns are separated by {_NAMES.get(dialect[0], dialect[0])}"
        if number > 1:
            yield f"{file.name}: what stands before line {number}, the header, is not read"
        for place, name in enumerate(named, start=1):
            if not name:
                yield f"{file.name}: column {place} has no name and is not read"


def _without_last_empty(names: list[str]) -> list[str]:
    """Return the names up to the last one that is not empty."""
    count = max((place for place, name in enumerate(names, start=1) if name), default=0)
    return names[:count]
