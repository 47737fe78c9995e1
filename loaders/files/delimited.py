"""`.tsv` and `.csv`, read by pyarrow a block at a time.

A `.tsv` has no quoting: a quote is an ordinary character. A `.csv` is quoted with `"`.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from kinfolio.errors import BadInput
from kinfolio.loaders.files import source
from kinfolio.loaders.files.encoding import Rewritten, open_text
from kinfolio.loaders.files.header import Header, read_header
from kinfolio.loaders.files.quotes import long_row, open_quote
from kinfolio.loaders.files.rejects import Rejects, quoted
from kinfolio.loaders.files.source import Batch, never_closed
from kinfolio.loaders.files.tables import TableFile

_UNNAMED = "\0unnamed "
_BREAK = re.compile("\r\n|\r|\n")


def read_delimited(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    """Yield the rows of a `.tsv` or `.csv` file."""
    header = read_header(file)
    separator, is_quoted = header.dialect
    # A column without a name is read, to check that it is empty, and then left out.
    names = [name or f"{_UNNAMED}{place}" for place, name in enumerate(header.names)]
    numbering = _LineNumbers(file, header.num_lines, rejects)
    check = _TextCheck(file, header, rejects)
    ends_in_break = False
    with open_text(file) as stream:
        stream.read(header.num_bytes)
        watched = _Watched(stream)
        try:
            reader = pyarrow.csv.open_csv(
                io.BufferedReader(watched, source.BLOCK_BYTES),
                # Only a single thread reports the numbers of invalid rows.
                read_options=pyarrow.csv.ReadOptions(
                    use_threads=False, block_size=source.BLOCK_BYTES, column_names=names
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=separator,
                    quote_char='"' if is_quoted else False,
                    newlines_in_values=is_quoted,
                    ignore_empty_lines=False,
                    invalid_row_handler=numbering.refuse,
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
            for block in reader:
                if block.num_rows == 0:
                    continue
                columns = dict(zip(names, block.columns, strict=True))
                breaks = np.zeros(block.num_rows, np.int64)
                if is_quoted:
                    for column in block.columns:
                        breaks += _line_breaks(column)
                lines = numbering.next_lines(breaks)
                ends_in_break = bool(breaks[-1])
                yield check.accept(columns, lines, watched)
            numbering.next_lines(np.zeros(0, np.int64))
        except pa.ArrowInvalid as error:
            if "straddling object" in str(error):
                raise BadInput(long_row(file, header)) from error
            if watched.is_empty and "Empty CSV" in str(error):
                return
            raise
    # Only then may the last row be one whose quote is not closed.
    is_suspicious = watched.num_quotes % 2 or ends_in_break
    if is_quoted and is_suspicious and (line := open_quote(file, header)):
        raise BadInput(never_closed(file, line))


def _line_breaks(column: Any) -> NDArray[np.int64]:
    """Return the number of line breaks in each value."""
    breaks = pc.subtract(pc.count_substring(column, "\r"), pc.count_substring(column, "\r\n"))
    breaks = pc.add(breaks, pc.count_substring(column, "\n"))
    return np.asarray(breaks.to_numpy(zero_copy_only=False), np.int64)


class _LineNumbers:
    """Line numbers of the rows of a text file; rows that pyarrow cannot parse are rejected."""

    def __init__(self, file: TableFile, header_lines: int, rejects: Rejects) -> None:
        self._file, self._rejects = file, rejects
        self._invalid: list[tuple[int, int, str]] = []
        """Row number from 1, line breaks inside, reason."""
        self._next_row = 1
        self._shift = header_lines
        """Lines of the header, and line breaks inside all earlier rows."""

    def refuse(self, row: Any) -> str:
        """Record a row with a wrong number of columns: pyarrow's `invalid_row_handler`."""
        reason = f"{row.actual_columns} columns, {row.expected_columns} were expected"
        self._invalid.append((row.number, len(_BREAK.findall(row.text)), reason))
        return "skip"

    def next_lines(self, breaks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the line of each row of the next batch; reject invalid rows in between.

        Args:
            breaks: line breaks inside the quoted values of each row.
        """
        first = self._next_row
        invalid = np.array([row for row, _, _ in self._invalid], np.int64)
        rows = np.arange(first, first + len(breaks) + len(invalid))
        if len(invalid):
            rows = np.setdiff1d(rows, invalid, assume_unique=True)[: len(breaks)]
        end = int(rows[-1]) if len(rows) else first + len(invalid) - 1
        before = self._invalid[: int((invalid <= end).sum())]
        inside = np.zeros(end + 1 - first, np.int64)
        inside[rows - first] = breaks
        for row, count, _ in before:
            inside[row - first] = count
        lines = np.arange(first, end + 1) + self._shift + np.cumsum(inside) - inside
        for row, _, reason in before:
            line = int(lines[row - first])
            self._rejects.add(self._file.name, line, reason, kind="wrong number of columns")
        del self._invalid[: len(before)]
        self._next_row, self._shift = end + 1, self._shift + int(inside.sum())
        found: NDArray[np.int64] = lines[rows - first]
        return found


class _Watched(Rewritten):
    """A stream of valid UTF-8 that counts quotes and notices NUL bytes.

    pyarrow refuses the whole file for a row of a wrong length that is not UTF-8, so bytes that are
    not are replaced, and their rows rejected by the replacement.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self._rest = b""
        self.num_quotes = 0
        self.is_empty = True
        self.has_nul = self.has_replacement = False

    def _rewrite(self, data: bytes, *, is_end: bool) -> bytes:
        valid = self._valid(self._rest + data, is_end=is_end)
        self.num_quotes += valid.count(b'"')
        self.is_empty &= not valid
        self.has_nul |= b"\0" in valid
        return valid

    def _valid(self, data: bytes, *, is_end: bool) -> bytes:
        """Return the data up to the last whole character."""
        try:
            _, used = codecs.utf_8_decode(data, "strict", is_end)
            valid = data[:used]
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(data, "replace", is_end)
            valid, self.has_replacement = text.encode(), True
        self._rest = data[used:]
        return valid


class _TextCheck:
    """Checks the texts of a block; rows with values that are no text are rejected."""

    def __init__(self, file: TableFile, header: Header, rejects: Rejects) -> None:
        self._file, self._header, self._rejects = file, header, rejects

    def accept(self, columns: dict[str, Any], lines: NDArray[np.int64], watched: _Watched) -> Batch:
        """Return the rows without blank lines."""
        is_blank = np.ones(len(lines), np.bool_)
        is_invalid = np.zeros(len(lines), np.bool_)
        texts: dict[str, Any] = {}

        def reject(mask: NDArray[np.bool_], kind: str, column: Any) -> None:
            for row in np.flatnonzero(mask & ~is_invalid).tolist():
                text = f"{kind}: {quoted(column[row].as_py())}" if column is not None else kind
                self._rejects.add(self._file.name, int(lines[row]), text, kind=kind)
            np.logical_or(is_invalid, mask, out=is_invalid)

        for place, (name, column) in enumerate(columns.items(), start=1):
            shown = f"column {place}" if name.startswith(_UNNAMED) else name
            wrong = {"\0": f"{shown} has a NUL byte"} if watched.has_nul else {}
            if watched.has_replacement:
                wrong["\ufffd"] = f"{shown} is not UTF-8, save the file as UTF-8"
            for character, kind in wrong.items():
                mask = pc.match_substring(column, character).to_numpy(zero_copy_only=False)
                reject(mask, kind, column)
            is_empty = pc.equal(column, "").to_numpy(zero_copy_only=False)
            is_blank &= is_empty
            if place > self._header.num_named:
                expected = f"{self._header.num_named} were expected"
                reject(~is_empty, f"{place} columns, {expected}", None)
            elif not name.startswith(_UNNAMED):
                texts[name] = column
        # In a table of one column an empty value is also a blank line.
        return Batch(columns=texts, lines=lines).filter(~(is_blank | is_invalid))
