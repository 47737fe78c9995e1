"""The batch of raw rows, opening of files, and translation of read errors, for all readers."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.errors import BadInput
from kinfolio.loaders.files.tables import TableFile
from kinfolio.os_errors import os_errors

BLOCK_BYTES = 8 * 1024 * 1024
"""Size of a read, and the maximum length of a row."""
ROWS_PER_BATCH = 50_000
MORE = "\0more"
"""Column of a `.jsonl` batch: the additional fields of each row as JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Raw rows of a file."""

    columns: dict[str, Any]
    """Name to pyarrow array; texts for .tsv, .csv and the standard columns of .jsonl."""
    lines: NDArray[np.int64]
    """Shape (num_rows,); line in the file, counted from 1."""

    def filter(self, keep: NDArray[np.bool_]) -> Batch:
        """Return the rows where `keep` is true."""
        if keep.all():
            return self
        mask = pa.array(keep)
        columns = {name: values.filter(mask) for name, values in self.columns.items()}
        return Batch(columns=columns, lines=self.lines[keep])


@contextmanager
def open_stream(file: TableFile) -> Iterator[IO[bytes]]:
    """Open a file, decompressed."""
    with gzip.open(file.path) if file.is_gzip else file.path.open("rb") as stream:
        yield stream  # type: ignore[misc]  # GzipFile is not an IO[bytes], but reads like one


def expected_columns(file: TableFile) -> str:
    """Return the part of an error message that names the required columns."""
    return f"rows with at least {', '.join(file.required)} were expected"


def never_closed(file: TableFile, line: int) -> str:
    """Return the error message for a quote that is not closed until the end of the file."""
    return (
        f"{file.path} opens a quote on line {line} that is never closed; close it, or double a "
        "quote that is part of a value"
    )


def too_long(file: TableFile) -> str:
    """Return the error message for a row longer than `BLOCK_BYTES`."""
    return f"{file.path} has a row longer than {BLOCK_BYTES // 1024 // 1024} MB"


@contextmanager
def read_errors(file: TableFile) -> Iterator[None]:
    """Translate errors of reading: `BadInput`, or those of `os_errors`."""
    try:
        with os_errors(file.path, "read"):
            yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(
            f"{file.path} is cut off or no gzip file ({error}); copy it again"
        ) from error
    except pa.ArrowInvalid as error:
        reason = str(error).rstrip(".")
        raise BadInput(f"{file.path} is not valid {file.format} ({reason})") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file.path} is not valid {error.encoding}; save it as UTF-8") from error
    except pa.ArrowException as error:
        raise BadInput(f"{file.path} cannot be read ({error})") from error
