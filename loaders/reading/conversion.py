"""A raw batch to the columns that the graph stores; rows with wrong values are rejected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kinfolio.errors import BadInput
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import MORE, Batch
from kinfolio.loaders.files.tables import TableFile
from kinfolio.loaders.reading.columns import common_kind, convert, infer_kind, reason
from kinfolio.loaders.reading.staged import StagedTable


def convert_batch(staged: StagedTable, batch: Batch, rejects: Rejects) -> Batch:
    """Return the columns by the names of their properties, without the rows that are rejected."""
    file = staged.file
    wrong = np.zeros(len(batch.lines), np.bool_)
    columns: dict[str, Any] = {}
    unknown = dict(batch.columns)
    for column in file.columns:
        values = unknown.pop(column.name, None)
        if values is None:
            continue
        columns[column.stored], bad = convert(column, values)
        for row in np.flatnonzero(bad & ~wrong).tolist():
            why, kind = reason(column, values[row].as_py())
            rejects.add(file.name, int(batch.lines[row]), why, kind=kind)
        wrong |= bad
    for name, values in unknown.items():
        if name == MORE or file.format == "parquet":
            columns[name] = _property(file, name, values)
            continue
        texts = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
        staged.kinds[name] = common_kind(staged.kinds.get(name, "any"), infer_kind(texts))
        columns[name] = texts
    return Batch(columns=columns, lines=batch.lines).filter(~wrong)


def _property(file: TableFile, name: str, values: Any) -> Any:
    """Return an unknown column of a Parquet file as a type of the graph; NaN becomes null."""
    kind = values.type
    try:
        if pa.types.is_dictionary(kind):
            return _property(file, name, values.dictionary_decode())
        if pa.types.is_unsigned_integer(kind):
            return values.cast(pa.int64())
        if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
            return values.cast(pa.float64())
        if pa.types.is_floating(kind):
            return pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    except pa.ArrowInvalid as error:
        raise BadInput(f"{file.path}: column {name!r} cannot be stored ({error})") from error
    return values
