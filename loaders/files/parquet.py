"""`.parquet`, read by pyarrow in batches."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from kinfolio.errors import BadInput
from kinfolio.loaders.files.rejects import Rejects, quoted
from kinfolio.loaders.files.source import ROWS_PER_BATCH, Batch, open_stream
from kinfolio.loaders.files.storable import storable, storable_type
from kinfolio.loaders.files.tables import TableFile, check_header, column_names

_TEXT_MEANINGS = ("id", "name", "text", "country", "countries")


@contextmanager
def open_parquet(file: TableFile) -> Iterator[Any]:
    """Open a file as pyarrow's `ParquetFile`, decompressed to a temporary file.

    Raises:
        BadInput: inside the block too, if the file is damaged or encrypted.
    """
    try:
        with ExitStack() as stack:
            source: Any = file.path  # Any: a path or a file
            if file.is_gzip:
                source = stack.enter_context(tempfile.TemporaryFile())
                with open_stream(file) as stream:
                    shutil.copyfileobj(stream, source)
                source.seek(0)
            yield stack.enter_context(pq.ParquetFile(source))
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and (error.errno or isinstance(error, gzip.BadGzipFile)):
            raise
        reason = " ".join(str(error).split()).rstrip(".")
        if "encrypt" in reason.lower() or "decrypt" in reason.lower():
            why = "is encrypted; write it without encryption"
        else:
            why = f"is not valid parquet ({reason}); copy it again, or write it anew"
        raise BadInput(f"{file.path} {why}") from error


def read_parquet(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    """Yield the rows of a `.parquet` file as storable types; `lines` are row numbers."""
    meanings = {column.name: column.meaning for column in file.columns}
    with open_parquet(file) as parquet:
        names = column_names(file, parquet.schema_arrow.names)
        check_header(file, names)
        targets = {
            name: _target(file, field, meanings.get(name))
            for name, field in zip(names, parquet.schema_arrow, strict=True)
        }
        first = 1
        for block in parquet.iter_batches(batch_size=ROWS_PER_BATCH):
            lines = np.arange(first, first + block.num_rows, dtype=np.int64)
            first += block.num_rows
            columns: dict[str, Any] = {}
            invalid = np.zeros(block.num_rows, np.bool_)
            for name, values in zip(names, block.columns, strict=True):
                columns[name], mask, why = storable(values, targets[name])
                for row in np.flatnonzero(mask & ~invalid).tolist():
                    reason = f"{name} {_shown(values[row])} {why}"
                    rejects.add(file.name, int(lines[row]), reason, kind=f"{name} {why}")
                invalid |= mask
            yield Batch(columns=columns, lines=lines).filter(~invalid)


def _target(file: TableFile, field: Any, meaning: str | None) -> Any:
    """Return the type that a column is read as.

    Raises:
        BadInput: it cannot be stored as a property.
    """
    target = storable_type(field.type)
    is_list = target is not None and types.is_nested(target)
    if target is None or (is_list and meaning not in (None, "countries")):
        raise BadInput(
            f"{file.path} has a column {quoted(field.name)} of type {field.type}, which cannot be "
            f"stored; {'give it as text or numbers' if meaning else 'remove it'}"
        )
    if meaning == "id" and types.is_floating(field.type):
        return target
    return pa.string() if meaning in _TEXT_MEANINGS and not is_list else target


def _shown(value: Any) -> str:
    if types.is_temporal(value.type):  # Python does not have every date and zone
        return quoted(value.value)
    try:
        return quoted(value.as_py())
    except UnicodeDecodeError as error:
        return quoted(error.object)
