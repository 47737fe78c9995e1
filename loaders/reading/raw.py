"""Raw rows of one file on disk: a column is understood as a whole before it is converted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from kinfolio.loaders.columns.conversions import survey
from kinfolio.loaders.columns.interpretation import Interpretation
from kinfolio.loaders.files.readers import read
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import Batch
from kinfolio.loaders.files.tables import TableFile
from kinfolio.loaders.reading.staged import LINE
from kinfolio.records import Progress


def store_raw(
    file: TableFile, path: Path, rejects: Rejects, progress: Progress
) -> dict[str, Interpretation]:
    """Write the rows of a file as read to an Arrow file; return how its columns are to be read.

    Raises:
        BadInput: the file cannot be used.
    """
    surveys = {column.name: survey(column) for column in file.columns}

    def batches() -> Iterator[Batch]:
        num_read = 0
        for batch in read(file, rejects):
            for name in surveys.keys() & batch.columns.keys():
                surveys[name].add(batch.columns[name])
            yield batch
            num_read += len(batch.lines)
            progress(f"reading {file.name}", num_read, 0)

    write_batches(path, batches())
    return {name: found.interpretation() for name, found in surveys.items()}


def write_batches(path: Path, batches: Iterable[Batch]) -> None:
    """Write rows with their lines to an Arrow file; without batches there is none."""
    with ExitStack() as stack:
        writer: Any = None  # Any: pyarrow has no types
        for batch in batches:
            rows = pa.record_batch({**batch.columns, LINE: pa.array(batch.lines, pa.int64())})
            if writer is None:
                writer = stack.enter_context(pa.ipc.new_file(str(path), rows.schema))
            writer.write_batch(rows)


def raw_batches(path: Path) -> Iterator[Batch]:
    """Yield the rows that `store_raw` wrote, mapped from disk."""
    if not path.exists():
        return
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as stored:
        for number in range(stored.num_record_batches):
            rows = stored.get_batch(number)
            columns = dict(zip(rows.schema.names, rows.columns, strict=True))
            lines = columns.pop(LINE).to_numpy()
            yield Batch(columns=columns, lines=lines)
