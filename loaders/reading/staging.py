"""A whole folder read and checked before the graph is touched.

Good rows wait, converted, in Arrow files of a temporary folder (mapped, not held in memory);
users and products are sorted by their ids, so that nothing depends on the order of rows or files;
every other row is among the rejects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.errors import BadInput
from kinfolio.loaders.reading.columns import convert, kept, kept_kind, reason, wider
from kinfolio.loaders.reading.duplicates import duplicates
from kinfolio.loaders.reading.ids import Ids
from kinfolio.loaders.reading.readers import MORE, Batch, check, read
from kinfolio.loaders.reading.rejects import Rejects, shown
from kinfolio.loaders.reading.tables import TableFile, find_tables
from kinfolio.records import Progress

_LINE = "\0line"
ENDS = {
    "users": {"user": "user"},
    "products": {"product": "product"},
    "interactions": {"user": "user", "product": "product"},
    "reviews": {"user": "user", "product": "product"},
    "ties": {"source": "user", "target": "user"},
}
"""Columns that name a user or a product: staged as its number."""
KEYS = {
    "users": ("user",),
    "products": ("product",),
    "interactions": ("user", "product"),
    "reviews": ("review",),
    "ties": ("source", "target", "kind"),
}
_ROWS_AT_ONCE = 50_000


@dataclass(slots=True)
class StagedTable:
    """The good rows of one table."""

    file: TableFile
    path: Path
    kinds: dict[str, str] = field(default_factory=dict)
    """What the unknown columns of a text file were found to hold."""
    keep: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """False for rows that a later check refused."""
    places: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    """Place among the sorted ids of each number, for `user` and `product`."""
    absent: set[str] = field(default_factory=set)
    """Known columns that no row of a `.jsonl` file has, so that it says nothing of them."""

    def __len__(self) -> int:
        return int(self.keep.sum())

    def table(self) -> Any:
        """All rows, the refused ones too, mapped from disk."""
        with pa.memory_map(str(self.path)) as source:
            return pa.ipc.open_file(source).read_all()

    def batches(self) -> Iterator[Any]:
        """The good rows in pyarrow record batches, typed as they are stored.

        Users and products are places among the sorted ids of `Staged`. A column `MORE` is left as
        it came: the unknown fields of a `.jsonl` row as JSON text.
        """
        first = 0
        for batch in self.table().to_batches(max_chunksize=_ROWS_AT_ONCE):
            keep = self.keep[first : first + batch.num_rows]
            first += batch.num_rows
            if not keep.all():
                batch = batch.filter(pa.array(keep))
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            del columns[_LINE]
            for name, of in ENDS[self.file.table].items():
                columns[name] = pa.array(self.places[of][columns[name].to_numpy()])
            for name in self.absent:
                columns.pop(name, None)
            for name, kind in self.kinds.items():
                columns[name] = kept(columns[name], kind)
            yield pa.record_batch(columns)

    def good(self) -> Any:
        """All good rows as one pyarrow table, in memory."""
        return pa.Table.from_batches(self.batches()) if len(self) else None


@dataclass(slots=True)
class Staged:
    """A folder that can be loaded."""

    users: Any
    """Sorted ids, a pyarrow array; those that only ties name, people the graph knows, too."""
    products: Any
    outside_users: frozenset[str]
    """Those of `users` that only ties name."""
    tables: dict[str, StagedTable]
    rejects: Rejects

    def count(self, table: str) -> int:
        """Number of good rows."""
        return len(self.tables[table]) if table in self.tables else 0


def stage(
    folder: Path,
    scratch: Path,
    *,
    known_users: Callable[[list[str]], Iterable[str]],
    progress: Progress,
) -> Staged:
    """Read and check every file of a folder.

    Args:
        folder: the input.
        scratch: an empty folder for the converted rows.
        known_users: which of some ids the graph has already.
        progress: told of the rows read.

    Raises:
        BadInput: a file cannot be used, or no interaction can.
    """
    files = find_tables(folder)
    for file in files:
        check(file)
    ids = {"user": Ids(), "product": Ids()}
    rejects = Rejects()
    outside: set[str] = set()
    tables: dict[str, StagedTable] = {}
    for file in files:
        staged = StagedTable(file, scratch / f"{file.table}.arrow")
        outside |= _stage_file(staged, ids, rejects, known_users, progress)
        _refuse_duplicates(staged, ids, rejects)
        _use(staged, ids)
        tables[file.table] = staged
        if file.table == "interactions" and not len(staged):
            _refuse_all(file, rejects)
    users, user_places = ids["user"].sort()
    products, product_places = ids["product"].sort()
    for staged in tables.values():
        staged.places = {"user": user_places, "product": product_places}
    return Staged(
        users=users,
        products=products,
        outside_users=frozenset(outside),
        tables=tables,
        rejects=rejects,
    )


def _use(staged: StagedTable, ids: dict[str, Ids]) -> None:
    """Note the users and products of the rows that are kept; no other is created."""
    table = staged.table()
    for name, of in ENDS[staged.file.table].items():
        if name in table.schema.names:
            ids[of].use(table.column(name).to_numpy()[staged.keep])


def _refuse_all(file: TableFile, rejects: Rejects) -> None:
    first = next((row for row in rejects.all() if row.file == file.name), None)
    why = f": line {first.line}: {first.reason}" if first else ""
    raise BadInput(f"{file.path} has no row that can be used{why}; nothing was loaded")


def _stage_file(
    staged: StagedTable,
    ids: dict[str, Ids],
    rejects: Rejects,
    known_users: Callable[[list[str]], Iterable[str]],
    progress: Progress,
) -> set[str]:
    """Convert the rows of a file; the ids of users that the graph has and the folder not."""
    file = staged.file
    writer = None
    done = count = 0
    outside: set[str] = set()
    given: set[str] = set()
    try:
        for batch in read(file, rejects):
            done += len(batch.lines)
            columns, lines = _converted(staged, batch, rejects)
            if file.table == "ties":
                columns, lines = _tied(
                    file, columns, lines, ids["user"], known_users, rejects, outside
                )
            for name, of in ENDS[file.table].items():
                columns[name] = pa.array(ids[of].numbers(columns[name]), pa.int32())
            given.update(name for name in columns if columns[name].null_count < len(lines))
            block = pa.record_batch({**columns, _LINE: pa.array(lines, pa.int64())})
            if writer is None:
                writer = pa.ipc.new_file(str(staged.path), block.schema)
            writer.write_batch(block)
            count += block.num_rows
            progress(f"reading {file.name}", done, 0)
    except OSError as error:
        raise BadInput(
            f"cannot keep working files in {staged.path.parent} ({error.strerror or error}); "
            "set TMPDIR to a folder with more room"
        ) from error
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        pa.ipc.new_file(str(staged.path), pa.schema([(_LINE, pa.int64())])).close()
    if file.format == "jsonl":
        staged.absent = {column.stored for column in file.columns} - given - set(ENDS[file.table])
    staged.keep = np.ones(count, np.bool_)
    return outside


def _converted(
    staged: StagedTable, batch: Batch, rejects: Rejects
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """The columns as they are stored, without the rows that have a wrong value."""
    file = staged.file
    wrong = np.zeros(len(batch.lines), np.bool_)
    columns: dict[str, Any] = {}
    for column in file.columns:
        values = batch.columns.get(column.name)
        if values is None:
            continue
        columns[column.stored], bad = convert(column, values)
        if bad.any():
            for row in np.flatnonzero(bad & ~wrong).tolist():
                why, kind = reason(column, values[row].as_py())
                rejects.add(file.name, int(batch.lines[row]), why, kind=kind)
        wrong |= bad
    known = {column.name for column in file.columns}
    for name, values in batch.columns.items():
        if name in known:
            continue
        if name == MORE or file.format == "parquet":
            columns[name] = _native(file, name, values)
            continue
        texts = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
        staged.kinds[name] = wider(staged.kinds.get(name, "any"), kept_kind(texts))
        columns[name] = texts
    if wrong.any():
        mask = pa.array(~wrong)
        columns = {name: values.filter(mask) for name, values in columns.items()}
    return columns, batch.lines[~wrong]


def _native(file: TableFile, name: str, values: Any) -> Any:
    """An unknown column of a Parquet file as a type that the graph has; NaN becomes absent."""
    kind = values.type
    try:
        if pa.types.is_dictionary(kind):
            return _native(file, name, values.dictionary_decode())
        if pa.types.is_unsigned_integer(kind):
            return values.cast(pa.int64())
        if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
            return values.cast(pa.float64())
        if pa.types.is_floating(kind):
            return pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    except pa.ArrowInvalid as error:
        raise BadInput(f"{file.path}: column {name!r} cannot be kept ({error})") from error
    return values


def _tied(
    file: TableFile,
    columns: dict[str, Any],
    lines: NDArray[np.int64],
    users: Ids,
    known_users: Callable[[list[str]], Iterable[str]],
    rejects: Rejects,
    outside: set[str],
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """The ties without those that lead nowhere or back to where they start."""
    unknown: set[str] = set()
    for name in ("source", "target"):
        ids = pc.unique(columns[name])
        unknown.update(ids.filter(pa.array(~users.known(ids))).to_pylist())
    if unknown - outside:
        outside.update(known_users(sorted(unknown - outside)))
    wrong = np.zeros(len(lines), np.bool_)
    for name in ("source", "target"):
        bad = ~users.known(columns[name])
        for row in np.flatnonzero(bad).tolist():
            id = columns[name][row].as_py()
            if id in outside:
                bad[row] = False
            elif not wrong[row]:
                rejects.add(
                    file.name,
                    int(lines[row]),
                    f"dangling tie: no user {shown(id)}",
                    kind="dangling tie",
                )
        wrong |= bad
    itself = pc.equal(columns["source"], columns["target"]).to_numpy(zero_copy_only=False) & ~wrong
    for row in np.flatnonzero(itself).tolist():
        why = "a tie of a user to itself"
        rejects.add(file.name, int(lines[row]), why, kind=why)
    wrong |= itself
    if not wrong.any():
        return columns, lines
    mask = pa.array(~wrong)
    return {name: values.filter(mask) for name, values in columns.items()}, lines[~wrong]


def _refuse_duplicates(staged: StagedTable, ids: dict[str, Ids], rejects: Rejects) -> None:
    """Keep one row of each key."""
    table = staged.table()
    if table.num_rows == 0:
        return
    named = {name: ids[of].names for name, of in ENDS[staged.file.table].items()}
    found = duplicates(table.drop_columns([_LINE]), KEYS[staged.file.table], named)
    if not found:
        return
    lines = table.column(_LINE).to_numpy()
    key = " and ".join(KEYS[staged.file.table])
    for duplicate in found:
        staged.keep[duplicate.row] = False
        kept_line = lines[duplicate.kept]
        text, kind = {
            "same": (f"duplicate of line {kept_line}", "duplicate"),
            "earlier": (
                f"same {key} as line {kept_line}, which is later and is kept",
                f"same {key}, earlier",
            ),
            "order": (
                f"same {key} as line {kept_line} but other values; of such rows the one whose "
                "values come last in order is kept",
                f"same {key}, other values",
            ),
        }[duplicate.kind]
        rejects.add(staged.file.name, int(lines[duplicate.row]), text, kind=kind)
