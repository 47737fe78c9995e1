"""Tables that were read and checked: valid rows in Arrow files that are mapped into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.columns.arrays import mask_of
from kinfolio.loaders.columns.ids import as_texts
from kinfolio.loaders.columns.interpretation import Interpretation
from kinfolio.loaders.columns.kinds import cast_to_kind
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import ROWS_PER_BATCH
from kinfolio.loaders.files.tables import TableFile
from kinfolio.records import SPLITS

LINE = "\0line"
"""Column of the staged file: line of each row in the input."""
ENDS = {
    "users": {"user": "user"},
    "products": {"product": "product"},
    "interactions": {"user": "user", "product": "product"},
    "dismissals": {"user": "user", "product": "product"},
    "reviews": {"user": "user", "product": "product"},
    "events": {"user": "user", "product": "product"},
    "ties": {"source": "user", "target": "user"},
}
"""Columns that refer to a user or a product, staged as its number."""
KEYS = {  # events have none: they are compared when they are combined
    "users": ("user",),
    "products": ("product",),
    "interactions": ("user", "product"),
    "reviews": ("review",),
    "ties": ("source", "target", "kind"),
}


@dataclass(slots=True)
class StagedTable:
    """The valid rows of one table."""

    file: TableFile
    path: Path
    interpretations: dict[str, Interpretation] = field(default_factory=dict)
    """How each standard column is read."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Inferred kinds of the additional columns of a text file."""
    keep: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """False for rows that a check after reading rejected."""
    places: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    """Position among the sorted ids of each number, for `user` and `product`."""
    absent: set[str] = field(default_factory=set)
    """Standard columns without any value in a `.jsonl` file: the graph's values stay."""
    former_ids: dict[str, dict[str, str]] = field(default_factory=dict)
    """By kind of node: ids as they are in the file, and their normal form, where it is another."""
    sha256: str = ""
    """Of the file."""
    rows: int = 0
    """Number of rows that were accepted, of whatever use."""
    splits: NDArray[np.int8] | None = None
    """Position in `SPLITS` of each row, if the load assigns the splits."""

    def __len__(self) -> int:
        return int(self.keep.sum())

    def note_former_ids(self, name: str, raw: Any, ids: Any) -> None:
        """Store the ids of a column whose normal form is not what the file says."""
        texts = as_texts(raw)[0]
        is_changed = pa.array(mask_of(pc.not_equal(texts, ids)))
        changed = (column.filter(is_changed).to_pylist() for column in (texts, ids))
        kind = ENDS[self.file.table].get(name, name)
        self.former_ids.setdefault(kind, {}).update(zip(*changed, strict=True))

    def table(self) -> Any:
        """Return all rows, including rejected ones, mapped from disk."""
        with pa.memory_map(str(self.path)) as source:
            return pa.ipc.open_file(source).read_all()

    def batches(self) -> Iterator[Any]:
        """Yield the valid rows as pyarrow record batches with the types of the graph.

        Users and products are positions among the sorted ids of `Staged`. The column `MORE`
        contains the additional fields of a `.jsonl` row as JSON text.
        """
        first = 0
        for batch in self.table().to_batches(max_chunksize=ROWS_PER_BATCH):
            rows = slice(first, first + batch.num_rows)
            first += batch.num_rows
            keep = self.keep[rows]
            if not keep.all():
                batch = batch.filter(pa.array(keep))
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            del columns[LINE]
            for name, of in ENDS[self.file.table].items():
                columns[name] = pa.array(self.places[of][columns[name].to_numpy()])
            for name in self.absent:
                columns.pop(name, None)
            for name, kind in self.kinds.items():
                columns[name] = cast_to_kind(columns[name], kind)
            if self.splits is not None:
                columns["split"] = pa.array(SPLITS).take(pa.array(self.splits[rows][keep]))
            yield pa.record_batch(columns)

    def valid_rows(self) -> Any:
        """Return all valid rows as one pyarrow table in memory; None without rows."""
        return pa.Table.from_batches(self.batches()).combine_chunks() if len(self) else None


@dataclass(slots=True)
class Staged:
    """A folder that can be loaded."""

    users: Any
    """Sorted ids, a pyarrow array, including `outside_users`."""
    products: Any
    outside_users: frozenset[str]
    """Users in the graph that only ties and events of the folder refer to."""
    outside_products: frozenset[str]
    """Products in the graph that only events of the folder refer to."""
    tables: dict[str, StagedTable]
    rejects: Rejects
    notes: tuple[str, ...]
    """What a user should know of the folder, such as files that are not loaded, a sentence each."""
    readings: tuple[str, ...]
    """How columns were read that have several readings, a sentence each."""

    def former_ids(self, kind: str) -> dict[str, str]:
        """Return ids of users, products or reviews that are not in their normal form in a file."""
        return {
            raw: id
            for table in self.tables.values()
            for raw, id in table.former_ids.get(kind, {}).items()
        }

    def count(self, table: str) -> int:
        """Return the number of valid rows."""
        return len(self.tables[table]) if table in self.tables else 0

    def batches(self, table: str) -> Iterator[Any]:
        """Yield the valid rows of a table, none if it is absent; see `StagedTable.batches`."""
        if table in self.tables:
            yield from self.tables[table].batches()
