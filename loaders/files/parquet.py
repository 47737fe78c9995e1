"""`.parquet`, read by pyarrow in batches."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from pyarrow import types

from kinfolio.errors import BadInput
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import ROWS_PER_BATCH, Batch, open_stream
from kinfolio.loaders.files.tables import TableFile, check_header

_LIST_ITEMS = (types.is_boolean, types.is_integer, types.is_floating, types.is_string)
_SCALARS = (
    *_LIST_ITEMS,
    types.is_decimal,
    types.is_large_string,
    types.is_string_view,
    types.is_date,
    types.is_timestamp,
    types.is_null,
)


@contextmanager
def open_parquet(file: TableFile) -> Iterator[Any]:
    """Open a file as pyarrow's `ParquetFile`, decompressed to a temporary file."""
    if not file.is_gzip:
        with pq.ParquetFile(file.path) as parquet:
            yield parquet
        return
    with tempfile.TemporaryFile() as plain:
        with open_stream(file) as stream:
            shutil.copyfileobj(stream, plain)
        plain.seek(0)
        with pq.ParquetFile(plain) as parquet:
            yield parquet


def read_parquet(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    """Yield the rows of a `.parquet` file with their types; `lines` are row numbers."""
    with open_parquet(file) as parquet:
        check_header(file, parquet.schema_arrow.names)
        meanings = {column.name: column.meaning for column in file.columns}
        for field in parquet.schema_arrow:
            _check_type(file, field.name, field.type, meanings.get(field.name))
        first = 1
        for block in parquet.iter_batches(batch_size=ROWS_PER_BATCH):
            yield Batch(
                columns=dict(zip(block.schema.names, block.columns, strict=True)),
                lines=np.arange(first, first + block.num_rows, dtype=np.int64),
            )
            first += block.num_rows


def _check_type(file: TableFile, name: str, kind: Any, meaning: str | None) -> None:
    """Raise BadInput for a column that cannot be stored as a property."""
    is_list = types.is_list(kind) or types.is_large_list(kind)
    inner = kind.value_type if is_list or types.is_dictionary(kind) else kind
    fits = any(test(inner) for test in (_LIST_ITEMS if is_list else _SCALARS))
    if not fits or (is_list and meaning not in (None, "list")):
        raise BadInput(
            f"{file.path} has a column {name!r} of type {kind}, which cannot be stored; "
            f"{'give it as text or numbers' if meaning else 'remove it'}"
        )
