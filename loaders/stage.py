"""A whole folder read and checked before the graph is touched.

Good rows wait, converted, in Arrow files of a temporary folder (mapped, not held in memory);
users and products are numbered as they first appear; every other row is among the rejects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.errors import BadInput
from kinfolio.loaders.columns import convert, kept, kept_kind, reason, wider
from kinfolio.loaders.readers import MORE, Batch, check, read
from kinfolio.loaders.rejects import Rejects, shown
from kinfolio.loaders.tables import TableFile, find_tables
from kinfolio.records import Progress

_LINE = "\0line"
_ENDS = {
    "users": {"user": "user"},
    "products": {"product": "product"},
    "interactions": {"user": "user", "product": "product"},
    "reviews": {"user": "user", "product": "product"},
    "ties": {"source": "user", "target": "user"},
}
"""Columns that name a user or a product: staged as its number."""
_KEYS = {
    "users": ("user",),
    "products": ("product",),
    "interactions": ("user", "product"),
    "reviews": ("review",),
    "ties": ("source", "target", "kind"),
}
_ROWS_AT_ONCE = 10_000


class Ids:
    """Ids numbered from 0 in the order in which they first appear."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.index)

    def numbers(self, ids: Any) -> NDArray[np.int32]:
        """The number of each id of a pyarrow array; new ids get the next ones."""
        coded = pc.dictionary_encode(ids)
        index = self.index
        found = [index.setdefault(id, len(index)) for id in coded.dictionary.to_pylist()]
        numbers: NDArray[np.int32] = np.array(found, np.int32)[coded.indices.to_numpy()]
        return numbers

    def known(self, ids: Any) -> NDArray[np.bool_]:
        """Whether each id of a pyarrow array has a number."""
        coded = pc.dictionary_encode(ids)
        found = np.array([id in self.index for id in coded.dictionary.to_pylist()], np.bool_)
        if not len(found):
            return np.zeros(len(ids), np.bool_)
        known: NDArray[np.bool_] = found[coded.indices.to_numpy()]
        return known


@dataclass(slots=True)
class StagedTable:
    """The good rows of one table."""

    file: TableFile
    path: Path
    kinds: dict[str, str] = field(default_factory=dict)
    """What the unknown columns of a text file were found to hold."""
    keep: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """False for rows that a later check refused."""

    def __len__(self) -> int:
        return int(self.keep.sum())

    def table(self) -> Any:
        """All rows, the refused ones too, mapped from disk."""
        with pa.memory_map(str(self.path)) as source:
            return pa.ipc.open_file(source).read_all()

    def rows(self, ends: dict[str, NDArray[np.int64]]) -> Iterator[dict[str, Any]]:
        """The good rows as the loading statements take them.

        Args:
            ends: the gid of each number, for `user` and `product`.
        """
        first = 0
        named = _ENDS[self.file.table]
        for batch in self.table().to_batches(max_chunksize=_ROWS_AT_ONCE):
            keep = self.keep[first : first + batch.num_rows]
            first += batch.num_rows
            if not keep.all():
                batch = batch.filter(pa.array(keep))
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            del columns[_LINE]
            heads = {
                name: ends[of][columns.pop(name).to_numpy()].tolist() for name, of in named.items()
            }
            if self.file.table == "reviews":
                heads["id"] = columns.pop("review").to_pylist()
            more = columns.pop(MORE, None)
            properties: dict[str, list[Any]] = {
                name: kept(values, self.kinds.get(name, "text")).to_pylist()
                for name, values in columns.items()
            }
            for number, head in enumerate(zip(*heads.values(), strict=True)):
                row: dict[str, Any] = {name: values[number] for name, values in properties.items()}
                if more is not None and (text := more[number].as_py()):
                    row.update(json.loads(text))
                yield {**dict(zip(heads, head, strict=True)), "properties": row}


@dataclass(slots=True)
class Staged:
    """A folder that can be loaded."""

    users: list[str]
    """Ids in the order in which they first appear."""
    products: list[str]
    outside_users: list[str]
    """Ids that only ties name, of people the graph knows; numbered after `users`."""
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
    users, products, rejects = Ids(), Ids(), Rejects()
    ids = {"user": users, "product": products}
    tables: dict[str, StagedTable] = {}
    num_users = 0
    for file in files:
        if file.table == "ties":
            num_users = len(users)
        staged = StagedTable(file, scratch / f"{file.table}.arrow")
        _stage_file(staged, ids, rejects, known_users, progress)
        _refuse_duplicates(staged, ids, rejects)
        tables[file.table] = staged
        if file.table == "interactions" and not len(staged):
            _refuse_all(file, rejects)
    every_user = list(users.index)
    num_users = num_users if "ties" in tables else len(every_user)
    return Staged(
        users=every_user[:num_users],
        products=list(products.index),
        outside_users=every_user[num_users:],
        tables=tables,
        rejects=rejects,
    )


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
) -> None:
    file = staged.file
    writer = None
    done = count = 0
    try:
        for batch in read(file, rejects):
            done += len(batch.lines)
            columns, lines = _converted(staged, batch, rejects)
            if file.table == "ties":
                columns, lines = _tied(file, columns, lines, ids["user"], known_users, rejects)
            for name, of in _ENDS[file.table].items():
                columns[name] = pa.array(ids[of].numbers(columns[name]), pa.int32())
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
    staged.keep = np.ones(count, np.bool_)


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
                rejects.add(file.name, int(batch.lines[row]), reason(column, values[row].as_py()))
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
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """The ties without those that lead nowhere or back to where they start."""
    unknown = {
        id
        for name in ("source", "target")
        for id in pc.unique(columns[name]).to_pylist()
        if id not in users.index
    }
    outside = set(known_users(sorted(unknown))) if unknown else set()
    wrong = np.zeros(len(lines), np.bool_)
    for name in ("source", "target"):
        bad = ~users.known(columns[name])
        for row in np.flatnonzero(bad).tolist():
            id = columns[name][row].as_py()
            if id in outside:
                bad[row] = False
            elif not wrong[row]:
                rejects.add(file.name, int(lines[row]), f"dangling tie: no user {shown(id)}")
        wrong |= bad
    itself = pc.equal(columns["source"], columns["target"]).to_numpy(zero_copy_only=False) & ~wrong
    for row in np.flatnonzero(itself).tolist():
        rejects.add(file.name, int(lines[row]), "a tie of a user to itself")
    wrong |= itself
    if not wrong.any():
        return columns, lines
    mask = pa.array(~wrong)
    return {name: values.filter(mask) for name, values in columns.items()}, lines[~wrong]


def _refuse_duplicates(staged: StagedTable, ids: dict[str, Ids], rejects: Rejects) -> None:
    """Keep the first row of each key."""
    table = staged.table()
    if table.num_rows == 0:
        return
    code = np.zeros(table.num_rows, np.int64)
    for name in _KEYS[staged.file.table]:
        if name in table.schema.names:
            code = _combined(code, table.column(name))
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    if len(first) == table.num_rows:
        return
    staged.keep[:] = False
    staged.keep[first] = True
    again = np.flatnonzero(~staged.keep)
    earlier = first[inverse[again]]
    lines = table.column(_LINE).to_numpy()
    named = " and ".join(_KEYS[staged.file.table])
    content = table.drop_columns([_LINE])
    for start in range(0, len(again), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        rows = content.take(pa.array(again[part])).to_pylist()
        others = content.take(pa.array(earlier[part])).to_pylist()
        for row, other, line, line_before in zip(
            rows, others, lines[again[part]], lines[earlier[part]], strict=True
        ):
            text = (
                f"duplicate of line {line_before}"
                if row == other
                else f"same {named} as line {line_before} but other values; the first is kept"
            )
            rejects.add(staged.file.name, int(line), text)


def _combined(code: NDArray[np.int64], column: Any) -> NDArray[np.int64]:
    """One number for each pair of a code and a value of a column."""
    if pa.types.is_string(column.type):
        coded = column.combine_chunks().dictionary_encode()
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        values = np.asarray(pc.fill_null(coded.indices, -1).to_numpy(), np.int64) + 1
    else:
        values = np.asarray(column.to_numpy(), np.int64)
    if not code.any():
        return values
    _, dense = np.unique(code, return_inverse=True)
    combined: NDArray[np.int64] = dense.astype(np.int64) * (int(values.max()) + 1) + values
    return combined
