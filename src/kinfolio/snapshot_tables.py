"""The tables of a snapshot: their columns, and writing and reading of their files.

A table is one Arrow file (Feather 2), readable by pandas and polars. Numeric columns are mapped,
not copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 2
"""Increased when an older reader would read the files incorrectly."""
_EDGES = {"source": "int32", "target": "int32", "split": "int8", "at": "int64", "rating": "float32"}
EDGE_COLUMNS = tuple(_EDGES)
TABLES = {
    "users": {"gid": "int64", "id": "large_string"},
    "products": {
        "gid": "int64",
        "id": "large_string",
        "name": "large_string",
        "text": "large_string",
    },
    "holdings": {**_EDGES, "stated": "int8"},
    "ties": {**_EDGES, "stated": "int8"},
    "reviews": {
        "user": "int32",
        "product": "int32",
        "at": "int64",
        "text": "large_string",
        "describes_user": "bool",
        "describes_product": "bool",
        "stated": "int8",
        "id": "large_string",
    },
}
"""Columns and types of each table; a column of large_string may exceed 2 GB."""
UNHASHED = {("holdings", "stated"), ("ties", "stated"), ("reviews", "stated"), ("reviews", "id")}
"""Columns for `export --since`, which are not part of a `Snapshot`."""
_COMPRESSED = {"products", "reviews"}
"""Tables with texts; compressing numbers takes longer than writing them."""


def table_path(folder: Path, table: str) -> Path:
    """Return the file of a table in a snapshot folder."""
    return folder / f"{table}.arrow"


def is_text(table: str, column: str) -> bool:
    """Return whether a column contains texts."""
    return TABLES[table][column] == "large_string"


class TableFile:
    """The file of one table, written piece by piece."""

    def __init__(self, folder: Path, table: str) -> None:
        import pyarrow as pa

        kinds = {"bool": pa.bool_()}
        self._schema = pa.schema(
            [(name, kinds.get(kind) or getattr(pa, kind)()) for name, kind in TABLES[table].items()]
        )
        self._file = pa.OSFile(str(table_path(folder, table)), "wb")
        options = pa.ipc.IpcWriteOptions(compression="lz4" if table in _COMPRESSED else None)
        self._writer = pa.ipc.new_file(self._file, self._schema, options=options)

    def add(self, columns: Sequence[Any]) -> None:
        """Write a piece: numpy or Arrow arrays in the order of `TABLES`."""
        import pyarrow as pa

        arrays = [pa.array(values) for values in columns]
        if len(arrays[0]):
            self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the footer; may be called twice."""
        if not self._file.closed:
            self._writer.close()
            self._file.close()


def read_pieces(
    folder: Path, table: str, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the pieces of a table as written: read-only NumPy arrays, Arrow arrays of texts.

    Raises:
        OSError, ArrowException: the file is missing or damaged.
    """
    import pyarrow as pa

    names = list(columns or TABLES[table])
    places = [list(TABLES[table]).index(name) for name in names]
    with pa.memory_map(str(table_path(folder, table))) as source:
        options = pa.ipc.IpcReadOptions(included_fields=places)
        reader = pa.ipc.open_file(source, options=options)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            yield {
                name: batch.column(name)
                if is_text(table, name)
                else batch.column(name).to_numpy(zero_copy_only=False)
                for name in names
            }


def arrow_texts(table: str, columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns in the order of `TABLES`, sequences of texts as Arrow arrays."""
    import pyarrow as pa

    return {
        name: pa.array(columns[name], pa.large_string())
        if is_text(table, name) and not isinstance(columns[name], pa.Array)
        else columns[name]
        for name in TABLES[table]
        if name in columns
    }


def text_buffers(values: Any) -> tuple[NDArray[np.int64], Any]:
    """Return the lengths in bytes, and the bytes, of large strings without nulls."""
    _, offsets, content = values.buffers()
    ends = np.frombuffer(offsets, np.int64)[values.offset : values.offset + len(values) + 1]
    return np.diff(ends), memoryview(content or b"")[ends[0] : ends[-1]]
