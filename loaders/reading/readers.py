"""Files to batches of columns, each row with its line; rows that cannot be read are rejected.

`.tsv` has no quoting, a quote is a letter like any other; `.csv` is quoted with `"`. Both, and
Parquet, are read by pyarrow, a block at a time. `.jsonl` is read line by line, because pyarrow
gives up a whole block for one broken line and does not say which.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kinfolio.errors import BadInput
from kinfolio.loaders.reading.rejects import Rejects, shown
from kinfolio.loaders.reading.tables import TableFile, check_header

BLOCK_BYTES = 8 * 1024 * 1024
"""Read at once; a row may not be longer."""
_ROWS_AT_ONCE = 50_000
_EVIDENCE = re.compile(r": .*", re.DOTALL)
MORE = "\0more"
"""Column of a `.jsonl` batch: the unknown fields of each row as JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of a file as they came."""

    columns: dict[str, Any]
    """Name to pyarrow array; texts for .tsv and .csv; known columns are texts for .jsonl."""
    lines: NDArray[np.int64]
    """Shape (num_rows,); line in the file, counted from 1."""


def read(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    """The rows of a file; those that cannot be read go to `rejects`.

    Raises:
        BadInput: the file as a whole cannot be used.
    """
    readers = {"tsv": _read_text, "csv": _read_text, "jsonl": _read_json, "parquet": _read_parquet}
    with _told(file):
        yield from readers[file.format](file, rejects)


def check(file: TableFile) -> None:
    """Look at the head of a file, quickly.

    Raises:
        BadInput: it is empty, not what its ending says, or has not the columns it needs.
    """
    with _told(file):
        if file.path.stat().st_size == 0:
            raise BadInput(f"{file.path} is empty; {_expected(file)}")
        if file.format == "parquet":
            with _parquet(file) as parquet:
                check_header(file, parquet.schema_arrow.names)
            return
        with _open(file) as stream:
            head = stream.read(4)
        if head[:2] == b"\x1f\x8b":
            raise BadInput(f"{file.path} is gzip-ed; let its name end in .gz")
        if head == b"PAR1":
            raise BadInput(f"{file.path} is Parquet; let its name end in .parquet")
        if file.format == "jsonl":
            return
        check_header(file, _header(file))


@contextmanager
def _told(file: TableFile) -> Iterator[None]:
    """Turn what reading raises into one sentence."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(
            f"{file.path} is cut off or no gzip file ({error}); copy it again"
        ) from error
    except pa.ArrowInvalid as error:
        if "straddling object" in str(error):
            text = f"has a row longer than {BLOCK_BYTES // 1024 // 1024} MB"
        elif "Empty CSV" in str(error):
            text = f"is empty; {_expected(file)}"
        else:
            text = f"is not what {file.format} looks like ({str(error).rstrip('.')})"
        raise BadInput(f"{file.path} {text}") from error
    except pa.ArrowException as error:
        raise BadInput(f"{file.path} cannot be read ({error})") from error
    except OSError as error:
        raise BadInput(f"cannot read {file.path} ({error.strerror or error})") from error


def _expected(file: TableFile) -> str:
    names = ", ".join(column.name for column in file.columns if column.required)
    return f"rows with at least {names} were expected"


@contextmanager
def _open(file: TableFile) -> Iterator[IO[bytes]]:
    with gzip.open(file.path) if file.is_gzip else file.path.open("rb") as stream:
        yield stream  # type: ignore[misc]  # GzipFile is not an IO[bytes], but reads like one


def _header(file: TableFile) -> list[str]:
    with _open(file) as stream:
        first = stream.readline(BLOCK_BYTES).lstrip(b"\xef\xbb\xbf").rstrip(b"\r\n")
    try:
        text = first.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{file.path} is not UTF-8 in its first line; save it as UTF-8") from error
    if not text.strip():
        raise BadInput(f"{file.path} has no header in its first line; {_expected(file)}")
    if file.format == "tsv":
        return text.split("\t")
    return next(csv.reader([text]))


class _Lines:
    """Lines of the rows of a text file, from the numbers of those that pyarrow refused."""

    def __init__(self) -> None:
        self.refused: list[tuple[int, int, str]] = []
        """Row number, line breaks inside, reason; pyarrow counts the header as row 1."""
        self._next = 2
        self._shift = 0

    def of(self, breaks: NDArray[np.int64], file: TableFile, rejects: Rejects) -> NDArray[np.int64]:
        """Line of each row of a batch; the refused rows among them are rejected.

        Args:
            breaks: line breaks inside the quoted values of each row.
            file: the file.
            rejects: where the refused rows go.
        """
        refused = np.array([number for number, _, _ in self.refused], np.int64)
        reach = np.arange(self._next, self._next + len(breaks) + len(refused))
        if len(refused):
            good = np.ones(len(reach), np.bool_)
            good[refused[refused < self._next + len(reach)] - self._next] = False
            reach = reach[good]
        rows = reach[: len(breaks)]
        end = int(rows[-1]) if len(rows) else self._next + len(refused) - 1
        within = int((refused <= end).sum())
        inside = np.zeros(end + 1 - self._next, np.int64)
        inside[rows - self._next] = breaks
        for number, count, _ in self.refused[:within]:
            inside[number - self._next] = count
        lines = np.arange(self._next, end + 1) + self._shift + np.cumsum(inside) - inside
        for number, _, reason in self.refused[:within]:
            line = int(lines[number - self._next])
            rejects.add(file.name, line, reason, kind="wrong number of columns")
        del self.refused[:within]
        found: NDArray[np.int64] = lines[rows - self._next]
        self._next, self._shift = end + 1, self._shift + int(inside.sum())
        return found


def _read_text(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    names = _header(file)
    check_header(file, names)
    lines = _Lines()

    def refuse(row: Any) -> str:
        reason = f"{row.actual_columns} columns, {row.expected_columns} were expected"
        lines.refused.append((row.number, row.text.count("\n"), reason))
        return "skip"

    is_csv = file.format == "csv"
    with _open(file) as stream:
        tail = _Tail(stream)
        reader = pyarrow.csv.open_csv(
            tail,
            # Only a single thread tells the numbers of bad rows.
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter="," if is_csv else "\t",
                quote_char='"' if is_csv else False,
                newlines_in_values=is_csv,
                ignore_empty_lines=False,
                invalid_row_handler=refuse,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=False
            ),
        )
        last: tuple[int, bool] = (1, False)
        for block in reader:
            if block.num_rows == 0:
                continue
            breaks = np.zeros(block.num_rows, np.int64)
            if is_csv:
                for column in block.columns:
                    breaks += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
            numbers = lines.of(breaks, file, rejects)
            last = (int(numbers[-1]), bool(breaks[-1]))
            yield _decoded(file, names, block.columns, numbers, rejects)
        lines.of(np.zeros(0, np.int64), file, rejects)
        if last[1] and not tail.end.rstrip(b"\r\n").endswith(b'"'):
            raise BadInput(f"{file.path} opens a quote on line {last[0]} that is never closed")


class _Tail:
    """A stream that remembers how it ended."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.end = b""
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if data:
            self.end = (self.end + data[-16:])[-16:]
        return data

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def _decoded(
    file: TableFile,
    names: list[str],
    columns: list[Any],
    lines: NDArray[np.int64],
    rejects: Rejects,
) -> Batch:
    """Bytes to texts, without blank lines and rows that are not UTF-8."""
    blank = np.ones(len(lines), np.bool_)
    texts: list[Any] = []
    wrong = np.zeros(len(lines), np.bool_)
    for name, column in zip(names, columns, strict=True):
        try:
            text = column.cast(pa.string())
        except pa.ArrowInvalid:
            bad = _not_utf8(column)
            for row in bad:
                if not wrong[row]:
                    why = f"{name} is not UTF-8"
                    value = shown(column[row].as_py())
                    rejects.add(file.name, int(lines[row]), f"{why}: {value}", kind=why)
            wrong[bad] = True
            mask = np.zeros(len(column), np.bool_)
            mask[bad] = True
            text = pc.if_else(pa.array(mask), pa.scalar(b""), column).cast(pa.string())
        blank &= pc.equal(text, "").to_numpy(zero_copy_only=False)
        texts.append(text)
    # A blank line is no row; in a table of one column neither is an empty value.
    keep = ~(blank | wrong)
    if keep.all():
        return Batch(columns=dict(zip(names, texts, strict=True)), lines=lines)
    mask = pa.array(keep)
    return Batch(
        columns={name: text.filter(mask) for name, text in zip(names, texts, strict=True)},
        lines=lines[keep],
    )


def _not_utf8(column: Any, first: int = 0) -> list[int]:
    """Rows of a column of bytes that are no text, found by halving."""
    try:
        column.cast(pa.string())
    except pa.ArrowInvalid:
        if len(column) == 1:
            return [first]
        half = len(column) // 2
        return _not_utf8(column[:half], first) + _not_utf8(column[half:], first + half)
    return []


def _read_json(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    known = {column.name: column.meaning for column in file.columns}
    required = [column.name for column in file.columns if column.required]
    seen: set[str] = set()
    with _open(file) as stream:
        numbered = enumerate(_lines_of(file, stream), start=1)
        while chunk := list(islice(numbered, _ROWS_AT_ONCE)):
            rows: list[dict[str, Any]] = []
            lines: list[int] = []
            for line, raw in chunk:
                if not raw.strip():
                    continue
                try:
                    row, more = _json_row(raw, known)
                except ValueError as error:
                    kind = _EVIDENCE.sub("", str(error))
                    rejects.add(file.name, line, str(error), kind=kind)
                    continue
                rows.append(row)
                lines.append(line)
                seen.update(row)
                for name in more:
                    if name not in seen:
                        check_header(file, [*required, name])
                        seen.add(name)
            columns = {
                name: pa.array(
                    [row.get(name) for row in rows],
                    pa.list_(pa.string()) if meaning == "list" else pa.string(),
                )
                for name, meaning in [*known.items(), (MORE, "text")]
            }
            yield Batch(columns=columns, lines=np.array(lines, np.int64))
    if seen and not seen.issuperset(required):
        check_header(file, sorted(seen - {MORE}))


def _lines_of(file: TableFile, stream: IO[bytes]) -> Iterator[bytes]:
    first = True
    while line := stream.readline(BLOCK_BYTES):
        if len(line) == BLOCK_BYTES:
            raise BadInput(f"{file.path} has a row longer than {BLOCK_BYTES // 1024 // 1024} MB")
        yield line.removeprefix(b"\xef\xbb\xbf") if first else line
        first = False


def _json_row(raw: bytes, known: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One row, known fields as texts and the others together as JSON text, and those others.

    Raises:
        ValueError: the line cannot be a row; its text says why.
    """
    try:
        row = json.loads(raw.decode(), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise ValueError(f"not UTF-8: {shown(raw.strip())}") from None
    except (json.JSONDecodeError, RecursionError):
        raise ValueError(f"not JSON: {shown(raw.decode().strip())}") from None
    if not isinstance(row, dict):
        raise ValueError(f"not a JSON object: {shown(raw.decode().strip())}")
    found: dict[str, Any] = {}
    more: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            continue
        _storable(name, value)
        if name not in known:
            more[name] = value
        elif known[name] == "list":
            found[name] = [
                str(part)
                for part in (
                    value if isinstance(value, list) else str(value).replace("|", ",").split(",")
                )
            ]
        elif isinstance(value, list):
            raise ValueError(f"{name} is a list, one value was expected")
        else:
            found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    found[MORE] = json.dumps(more, ensure_ascii=False, sort_keys=True) if more else None
    return found, more


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number")


def _storable(name: str, value: object) -> None:
    parts = value if isinstance(value, list) else [value]
    kinds = {type(part) for part in parts}
    if kinds - {str, int, float, bool}:
        raise ValueError(
            f"{name} is nested: {shown(value)}; a text, a number or a list of one kind was expected"
        )
    if len(kinds) > 1 and kinds != {int, float}:
        raise ValueError(f"{name} mixes kinds in a list: {shown(value)}")
    for part in parts:
        if isinstance(part, int) and not -(2**63) <= part < 2**63:
            raise ValueError(f"{name} {shown(part)} is too large")
        if isinstance(part, str) and not part.isascii():
            try:
                part.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{name} holds half a character: {shown(part)}") from None


@contextmanager
def _parquet(file: TableFile) -> Iterator[Any]:
    if not file.is_gzip:
        with pq.ParquetFile(file.path) as parquet:
            yield parquet
        return
    with tempfile.TemporaryFile() as plain:
        with _open(file) as stream:
            shutil.copyfileobj(stream, plain)
        plain.seek(0)
        with pq.ParquetFile(plain) as parquet:
            yield parquet


def _read_parquet(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    with _parquet(file) as parquet:
        check_header(file, parquet.schema_arrow.names)
        known = {column.name: column.meaning for column in file.columns}
        for item in parquet.schema_arrow:
            _check_type(file, item.name, item.type, known.get(item.name))
        row = 1
        for block in parquet.iter_batches(batch_size=_ROWS_AT_ONCE):
            yield Batch(
                columns=dict(zip(block.schema.names, block.columns, strict=True)),
                lines=np.arange(row, row + block.num_rows, dtype=np.int64),
            )
            row += block.num_rows


def _check_type(file: TableFile, name: str, kind: Any, meaning: str | None) -> None:
    """Refuse a column that no property can hold."""
    types = pa.types
    single = (
        types.is_boolean,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_date,
        types.is_timestamp,
        types.is_null,
    )
    listed = (types.is_boolean, types.is_integer, types.is_floating, types.is_string)
    is_list = types.is_list(kind) or types.is_large_list(kind)
    inner = kind.value_type if is_list or types.is_dictionary(kind) else kind
    fits = any(test(inner) for test in (listed if is_list else single))
    if not fits or (is_list and meaning not in (None, "list")):
        raise BadInput(
            f"{file.path} has a column {name!r} of type {kind}, which cannot be kept; "
            f"{'give it as text or numbers' if meaning else 'take it out'}"
        )
