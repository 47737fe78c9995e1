"""A folder read and checked before any write to the graph.

Users and products are sorted by their ids, so that the result does not depend on the order of rows
or files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kinfolio.errors import BadInput
from kinfolio.loaders.columns.arrays import null_if_empty
from kinfolio.loaders.columns.kinds import common_kind, infer_kind
from kinfolio.loaders.files.readers import check
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import MORE, Batch
from kinfolio.loaders.files.tables import TableFile, find_tables, ignored_files
from kinfolio.loaders.reading.duplicates import reject_duplicates
from kinfolio.loaders.reading.events.check import EventCheck, KnownIds
from kinfolio.loaders.reading.events.decision import decide
from kinfolio.loaders.reading.holdings import split_by_rating, unread_columns
from kinfolio.loaders.reading.ids import Ids
from kinfolio.loaders.reading.look_alikes import look_alikes
from kinfolio.loaders.reading.meaning import AS_IT_IS, Meaning
from kinfolio.loaders.reading.raw import raw_batches, store_raw, write_batches
from kinfolio.loaders.reading.staged import ENDS, KEYS, LINE, Staged, StagedTable
from kinfolio.loaders.reading.ties import TieCheck
from kinfolio.loaders.reading.understood import implausible_times, readings
from kinfolio.os_errors import os_errors
from kinfolio.records import Progress
from kinfolio.storage.document import checksum


def _none(ids: list[str]) -> Iterable[str]:
    return ()


def stage(
    folder: Path,
    scratch: Path,
    *,
    known_users: KnownIds,
    known_products: KnownIds = _none,
    progress: Progress,
    meaning: Meaning = AS_IT_IS,
) -> Staged:
    """Read and check every file of a folder.

    Args:
        folder: the input.
        scratch: an empty folder for the converted rows.
        known_users: returns the ids that are users of the graph.
        known_products: the same of products.
        progress: called with the number of rows read.
        meaning: how rows are understood.

    Raises:
        BadInput: a file cannot be used, no interaction is valid, or they cannot be split.
    """
    files = find_tables(folder)
    notes = [note for file in files for note in check(file)]
    ids = {"user": Ids(), "product": Ids()}
    known = {"user": known_users, "product": known_products}
    rejects = Rejects()
    outside: dict[str, set[str]] = {"user": set(), "product": set()}
    tables: dict[str, StagedTable] = {}
    for file in files:
        staged = tables[file.table] = StagedTable(file, scratch / f"{file.table}.arrow")
        checking = _check_of(file, ids, known, meaning)
        _stage_rows(staged, ids, rejects, checking, progress)
        for kind, found in checking.outside.items() if checking else ():
            outside[kind] |= found
        if file.table in KEYS:
            reject_duplicates(staged, ids, rejects)
        staged.rows = len(staged)
        _mark_used(staged, ids)
        if file.table in ("interactions", "events") and not len(staged):
            _refuse_if_empty(tables, rejects)
    (users, user_places), (products, product_places) = ids["user"].sort(), ids["product"].sort()
    for staged in tables.values():
        staged.places = {"user": user_places, "product": product_places}
    notes = [*ignored_files(folder), *notes, *look_alikes(tables, ids)]
    notes += chain(*map(implausible_times, tables.values()))
    how_read = tuple(chain(*map(readings, tables.values())))
    notes += _apply(meaning, tables, folder)
    return Staged(
        users=users,
        products=products,
        outside_users=frozenset(outside["user"]),
        outside_products=frozenset(outside["product"]),
        tables=tables,
        rejects=rejects,
        notes=tuple(notes),
        readings=how_read,
    )


def _check_of(
    file: TableFile, ids: dict[str, Ids], known: dict[str, KnownIds], meaning: Meaning
) -> TieCheck | EventCheck | None:
    """Return the check of a table whose rows must name nodes that exist."""
    if file.table == "ties":
        return TieCheck(file.name, ids["user"], known["user"])
    if file.table == "events":
        return EventCheck(file.name, ids, known, meaning)
    return None


def _apply(meaning: Meaning, tables: dict[str, StagedTable], folder: Path) -> Iterator[str]:
    """Decide what the rows of interactions and events are; yield notes.

    Raises:
        BadInput: the interactions cannot be split so.
    """
    interactions = tables.get("interactions")
    if interactions is None and (meaning.split or meaning.least_rating is not None):
        raise BadInput(
            f"{folder} has no interactions, to which {' '.join(meaning.words())} could apply; "
            "leave it out"
        )
    if "events" in tables:
        yield decide(tables, meaning)
    if interactions is None:
        return
    yield from unread_columns(interactions, meaning.least_rating)
    if meaning.least_rating is not None:
        yield split_by_rating(tables, meaning.least_rating)
    if meaning.split is not None:
        meaning.split.assign(interactions)


def _mark_used(staged: StagedTable, ids: dict[str, Ids]) -> None:
    """Mark the users and products of accepted rows; only these are created."""
    table = staged.table()
    for name, of in ENDS[staged.file.table].items():
        if name in table.schema.names:
            ids[of].mark_used(table.column(name).to_numpy()[staged.keep])


def _refuse_if_empty(tables: dict[str, StagedTable], rejects: Rejects) -> None:
    """Raise BadInput if there are neither interactions nor, in a folder without, events."""
    file = tables.get("interactions", tables.get("events"))
    assert file is not None
    if not len(file):
        raise _no_valid_rows(file.file, rejects)


def _no_valid_rows(file: TableFile, rejects: Rejects) -> BadInput:
    first = next((row for row in rejects.all() if row.file == file.name), None)
    why = f": line {first.line}: {first.reason}" if first else ""
    return BadInput(f"{file.path} has no row that can be used{why}; nothing was loaded")


def _stage_rows(
    staged: StagedTable,
    ids: dict[str, Ids],
    rejects: Rejects,
    checking: TieCheck | EventCheck | None,
    progress: Progress,
) -> None:
    """Convert the rows of a file and write them to the staged file."""
    file = staged.file
    raw = staged.path.with_suffix(".raw")

    def converted() -> Iterator[Batch]:
        for unconverted in raw_batches(raw):
            batch = _convert_batch(staged, unconverted, rejects)
            if checking is not None:
                batch = checking.accept(batch, rejects)
            for name, of in ENDS[file.table].items():
                batch.columns[name] = pa.array(ids[of].numbers(batch.columns[name]), pa.int32())
            yield batch

    with os_errors(staged.path.parent, cure="set TMPDIR to a folder with more room"):
        staged.interpretations = store_raw(file, raw, rejects, progress)
        staged.sha256 = checksum(file.path)
        write_batches(staged.path, converted())
        if not staged.path.exists():
            pa.ipc.new_file(str(staged.path), pa.schema([(LINE, pa.int64())])).close()
        raw.unlink(missing_ok=True)
    table = staged.table()
    staged.keep = np.ones(table.num_rows, np.bool_)
    if file.format == "jsonl":
        optional = {column.stored for column in file.columns if not column.required}
        staged.absent = {
            name
            for name in optional.intersection(table.schema.names)
            if table.column(name).null_count == table.num_rows
        }


def _convert_batch(staged: StagedTable, batch: Batch, rejects: Rejects) -> Batch:
    """Return the columns, named as their properties; rows with invalid values are rejected."""
    file = staged.file
    invalid = np.zeros(len(batch.lines), np.bool_)
    columns: dict[str, Any] = {}
    additional = dict(batch.columns)
    for column in file.columns:
        values = additional.pop(column.name, None)
        if values is None:
            continue
        interpretation = staged.interpretations[column.name]
        columns[column.stored], mask = interpretation.convert(values)
        if column.meaning == "id":
            staged.note_former_ids(column.name, values, columns[column.stored])
        for row in np.flatnonzero(mask & ~invalid).tolist():
            why, kind = interpretation.why_invalid(values[row].as_py())
            rejects.add(file.name, int(batch.lines[row]), why, kind=kind)
        invalid |= mask
    for name, values in additional.items():
        if name == MORE or file.format == "parquet":
            columns[name] = values
            continue
        texts = null_if_empty(values)
        staged.kinds[name] = common_kind(staged.kinds.get(name, "any"), infer_kind(texts))
        columns[name] = texts
    return Batch(columns=columns, lines=batch.lines).filter(~invalid)
