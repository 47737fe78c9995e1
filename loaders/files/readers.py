"""Batches of raw columns from files; unreadable rows are rejected."""

from __future__ import annotations

from collections.abc import Iterator

from kinfolio.errors import BadInput
from kinfolio.loaders.files.delimited import read_delimited, read_header
from kinfolio.loaders.files.json_lines import read_json_lines
from kinfolio.loaders.files.parquet import open_parquet, read_parquet
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import Batch, expected_columns, open_stream, read_errors
from kinfolio.loaders.files.tables import TableFile, check_header

_READERS = {
    "tsv": read_delimited,
    "csv": read_delimited,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
}


def read(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    """Yield the rows of a file; unreadable rows are added to `rejects`.

    Raises:
        BadInput: the whole file cannot be used.
    """
    with read_errors(file):
        yield from _READERS[file.format](file, rejects)


def check(file: TableFile) -> None:
    """Check the first bytes and the header of a file.

    Raises:
        BadInput: it is empty, not of the format of its name, or lacks a required column.
    """
    with read_errors(file):
        if file.path.stat().st_size == 0:
            raise BadInput(f"{file.path} is empty; {expected_columns(file)}")
        if file.format == "parquet":
            with open_parquet(file) as parquet:
                check_header(file, parquet.schema_arrow.names)
            return
        with open_stream(file) as stream:
            magic = stream.read(4)
        if magic[:2] == b"\x1f\x8b":
            raise BadInput(f"{file.path} is gzip-ed; let its name end in .gz")
        if magic == b"PAR1":
            raise BadInput(f"{file.path} is Parquet; let its name end in .parquet")
        if file.format != "jsonl":
            check_header(file, read_header(file))
