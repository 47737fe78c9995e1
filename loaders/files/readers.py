"""Batches of raw columns from files; unreadable rows are rejected."""

from __future__ import annotations

from collections.abc import Iterator

from kinfolio.errors import BadInput
from kinfolio.loaders.files.delimited import read_delimited
from kinfolio.loaders.files.header import read_header
from kinfolio.loaders.files.json_lines import read_json_lines
from kinfolio.loaders.files.parquet import open_parquet, read_parquet
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import Batch, expected_columns, open_stream, read_errors
from kinfolio.loaders.files.tables import TableFile, check_header, column_names

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


_FORMATS = {
    b"\x1f\x8b": "gzip-ed; let its name end in .gz",
    b"PAR1": "Parquet; let its name end in .parquet",
    b"PK\x03\x04": "a zip archive or an Excel sheet; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel sheet; save it as CSV",
    b"BZh": "compressed by bzip2; decompress it, or compress it by gzip",
    b"\xfd7zX": "compressed by xz; decompress it, or compress it by gzip",
    b"(\xb5/\xfd": "compressed by Zstandard; decompress it, or compress it by gzip",
}
"""What a file is that begins with these bytes, and a remedy."""
_JSON = dict.fromkeys((b"{", b"["), "JSON; write one object a line, and let its name end in .jsonl")


def check(file: TableFile) -> tuple[str, ...]:
    """Check the first bytes and the header of a file; return notes on what is unusual in it.

    Raises:
        BadInput: it is empty, not of the format of its name, or lacks a required column.
    """
    with read_errors(file):
        if file.path.stat().st_size == 0:
            raise BadInput(f"{file.path} is empty; {expected_columns(file)}")
        if file.format == "parquet":
            with open_parquet(file) as parquet:
                check_header(file, column_names(file, parquet.schema_arrow.names))
            return ()
        with open_stream(file) as stream:
            beginning = stream.read(4)
        formats = _FORMATS if file.format == "jsonl" else _FORMATS | _JSON
        for magic, what in formats.items():
            if beginning.startswith(magic):
                if file.is_gzip and what.startswith("gzip"):
                    what = "gzip-ed twice; decompress it once"
                raise BadInput(f"{file.path} is {what}")
        return () if file.format == "jsonl" else read_header(file).notes
