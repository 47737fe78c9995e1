"""`.tsv` and `.csv`, read by pyarrow a block at a time.

A `.tsv` has no quoting: a quote is an ordinary character. A `.csv` is quoted with `"`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from kinfolio.errors import BadInput
from kinfolio.loaders.files import source
from kinfolio.loaders.files.rejects import Rejects, quoted
from kinfolio.loaders.files.source import Batch, expected_columns, open_stream
from kinfolio.loaders.files.tables import TableFile, check_header


def read_header(file: TableFile) -> list[str]:
    """Return the column names of a text file.

    Raises:
        BadInput: the first line is empty or not UTF-8.
    """
    with open_stream(file) as stream:
        first = stream.readline(source.BLOCK_BYTES).lstrip(b"\xef\xbb\xbf").rstrip(b"\r\n")
    try:
        text = first.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{file.path} is not UTF-8 in its first line; save it as UTF-8") from error
    if not text.strip():
        raise BadInput(f"{file.path} has no header in its first line; {expected_columns(file)}")
    return text.split("\t") if file.format == "tsv" else next(csv.reader([text]))


def read_delimited(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    """Yield the rows of a `.tsv` or `.csv` file."""
    names = read_header(file)
    check_header(file, names)
    numbering = _LineNumbers(file, rejects)
    is_csv = file.format == "csv"
    with open_stream(file) as stream:
        tail = _Tail(stream)
        reader = pyarrow.csv.open_csv(
            tail,
            # Only a single thread reports the numbers of invalid rows.
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=source.BLOCK_BYTES),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter="," if is_csv else "\t",
                quote_char='"' if is_csv else False,
                newlines_in_values=is_csv,
                ignore_empty_lines=False,
                invalid_row_handler=numbering.refuse,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=False
            ),
        )
        last_line, ends_in_break = 1, False
        for block in reader:
            if block.num_rows == 0:
                continue
            breaks = np.zeros(block.num_rows, np.int64)
            if is_csv:
                for column in block.columns:
                    breaks += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
            lines = numbering.next_lines(breaks)
            last_line, ends_in_break = int(lines[-1]), bool(breaks[-1])
            yield _decode(file, dict(zip(names, block.columns, strict=True)), lines, rejects)
        numbering.next_lines(np.zeros(0, np.int64))
        if ends_in_break and not tail.end.rstrip(b"\r\n").endswith(b'"'):
            raise BadInput(f"{file.path} opens a quote on line {last_line} that is never closed")


class _LineNumbers:
    """Line numbers of the rows of a text file; rows that pyarrow cannot parse are rejected."""

    def __init__(self, file: TableFile, rejects: Rejects) -> None:
        self._file, self._rejects = file, rejects
        self._invalid: list[tuple[int, int, str]] = []
        """Row number, line breaks inside, reason; pyarrow counts the header as row 1."""
        self._next_row = 2
        self._shift = 0
        """Line breaks inside all earlier rows."""

    def refuse(self, row: Any) -> str:
        """Record a row with a wrong number of columns: pyarrow's `invalid_row_handler`."""
        reason = f"{row.actual_columns} columns, {row.expected_columns} were expected"
        self._invalid.append((row.number, row.text.count("\n"), reason))
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


class _Tail(io.RawIOBase):
    """A stream that stores its last bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream
        self.end = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        if data:
            self.end = (self.end + data[-16:])[-16:]
        return data


def _decode(
    file: TableFile, columns: dict[str, Any], lines: NDArray[np.int64], rejects: Rejects
) -> Batch:
    """Decode bytes to texts; drop blank lines and reject rows that are not UTF-8."""
    is_blank = np.ones(len(lines), np.bool_)
    is_invalid = np.zeros(len(lines), np.bool_)
    texts: dict[str, Any] = {}
    for name, column in columns.items():
        try:
            text = column.cast(pa.string())
        except pa.ArrowInvalid:
            mask = np.zeros(len(column), np.bool_)
            mask[_not_utf8(column)] = True
            for row in np.flatnonzero(mask & ~is_invalid).tolist():
                kind = f"{name} is not UTF-8"
                value = quoted(column[row].as_py())
                rejects.add(file.name, int(lines[row]), f"{kind}: {value}", kind=kind)
            is_invalid |= mask
            text = pc.if_else(pa.array(mask), pa.scalar(b""), column).cast(pa.string())
        is_blank &= pc.equal(text, "").to_numpy(zero_copy_only=False)
        texts[name] = text
    # In a table of one column an empty value is also a blank line.
    return Batch(columns=texts, lines=lines).filter(~(is_blank | is_invalid))


def _not_utf8(column: Any, first: int = 0) -> list[int]:
    """Return the rows of a binary column that are not UTF-8, by bisection."""
    try:
        column.cast(pa.string())
    except pa.ArrowInvalid:
        if len(column) == 1:
            return [first]
        half = len(column) // 2
        return _not_utf8(column[:half], first) + _not_utf8(column[half:], first + half)
    return []
