"""A folder into kinfolio's own empty server, by Neo4j's offline importer.

Rows are converted from Arrow to CSV and imported without Cypher. Values that a CSV cannot represent
(dates, additional fields of `.jsonl`, special names) are then written as in an ordinary load, so
both ways give the same graph.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.cypher.server.server import Server
from kinfolio.cypher.server.upkeep import import_full
from kinfolio.errors import BadInput, ServerError
from kinfolio.loaders.files.source import MORE
from kinfolio.loaders.reading.events.decision import DISMISSALS, HOLDINGS
from kinfolio.loaders.reading.meaning import AS_IT_IS, Meaning
from kinfolio.loaders.reading.staged import ENDS, Staged
from kinfolio.loaders.reading.staging import stage
from kinfolio.loaders.reports import LoadReport
from kinfolio.loaders.writing.history import record_load
from kinfolio.loaders.writing.load import report, write_all, write_rejects
from kinfolio.os_errors import scratch_folder
from kinfolio.records import Connection, Progress

_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SEPARATOR = "\x1f"
"""Separates the elements of a list."""


def load_in_bulk(
    folder: Path,
    server: Server,
    *,
    progress: Progress,
    note: Callable[[str], None],
    rejects_file: Path | None = None,
    meaning: Meaning = AS_IT_IS,
) -> LoadReport:
    """Load a folder, with the same result as `load`; `note` is called with messages of the server.

    Raises:
        BadInput: the graph is not empty, or a file cannot be used.
        ServerError: the importer or the server failed; the graph is treated as empty.
    """
    started = time.monotonic()
    _refuse_unless_empty(server, note)
    with scratch_folder("bulk") as scratch:
        staged = stage(
            folder,
            scratch,
            known_users=lambda ids: (),
            progress=progress,
            meaning=meaning,
        )
        write_rejects(staged, rejects_file)
        files = _Files(scratch.resolve(), staged, int(time.time() * 1_000))
        note("Writing files for the importer ...")
        files.write()

        def finish(connection: Connection) -> None:
            with Graph(connection) as graph:
                note("Creating indexes ...")
                _finish(graph, staged, files.incomplete, progress)
                record_load(staged, graph, " ".join(meaning.words()), is_replacing=False)

        note("Running Neo4j's importer ...")
        import_full(server, files.arguments, finish, note)
    return report(staged, rejects_file, started)


def _refuse_unless_empty(server: Server, note: Callable[[str], None]) -> None:
    if not server.has_database:
        return
    with Graph(server.start(note)) as graph:
        nodes = graph.read("load_counts")[0]["nodes"]
    if nodes:
        raise BadInput(
            f"--bulk fills an empty graph only, and the one in {server.home} has {nodes:,} nodes; "
            "leave --bulk out, or empty it for good first: kinfolio db wipe --yes"
        )


def _finish(graph: Graph, staged: Staged, incomplete: set[str], progress: Progress) -> None:
    create_schema(graph)
    stored = graph.read("load_counts")[0]
    expected = {
        "users": len(staged.users),
        "products": len(staged.products),
        **{table: staged.count(table) for table in ("interactions", "ties", "reviews")},
    }
    for name, count in expected.items():
        if stored[name] != count:
            raise ServerError(
                f"the importer put {stored[name]:,} {name} into the graph and {count:,} were "
                "expected; load without --bulk"
            )
    if incomplete:
        write_all(staged, graph, progress, only=incomplete)


@dataclass
class _Files:
    """Files of the importer; nodes are numbered: users, products, reviews, categories."""

    folder: Path
    staged: Staged
    now: int
    arguments: list[str] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)
    """Tables that are written, or completed, as in an ordinary load: dismissals, and those with a
    column that a CSV cannot represent."""
    has_line_breaks: bool = False

    def write(self) -> None:
        staged = self.staged
        first_product = len(staged.users)
        first_review = first_product + len(staged.products)
        first_category = first_review + staged.count("reviews")
        self._nodes("users", staged.users, 0)
        categories = self._nodes("products", staged.products, first_product)
        starts = {"user": 0, "product": first_product}
        self._edges("interactions", "HOLDS", starts)
        self._edges("ties", "TIED_TO", starts)
        self._reviews(first_review, starts)
        # Those are written as in an ordinary load.
        self.incomplete |= {
            table for table in ("dismissals", HOLDINGS, DISMISSALS) if staged.count(table)
        }
        if categories is not None:
            self._categories(categories, first_product, first_category)
        self.arguments += [
            "--id-type=actual",
            "--array-delimiter=U+001F",
            "--read-buffer-size=16m",
            f"--multiline-fields={'true' if self.has_line_breaks else 'false'}",
            f"--report-file={self.folder / 'report.txt'}",
        ]

    def _nodes(self, kind: str, ids: Any, first: int) -> Any:
        """Write users or products; return the category of each product, or None."""
        columns: dict[str, Any] = {
            ":ID": pa.array(np.arange(first, first + len(ids))),
            "id:string": ids,
            "gid:long": pa.array(np.arange(len(ids))),
            "changed:long": pa.array(np.full(len(ids), self.now)),
        }
        categories = None
        table = self.staged.tables.get(kind)
        rows = table.valid_rows() if table else None
        if rows is not None:
            row_of = np.full(len(ids), -1, np.int64)
            row_of[rows.column(kind.removesuffix("s")).to_numpy()] = np.arange(rows.num_rows)
            rows = rows.take(pa.array(row_of, mask=row_of < 0))
            if kind == "products" and "category" in rows.schema.names:
                categories = rows.column("category").combine_chunks()
                rows = rows.drop_columns(["category"])
            columns |= self._properties(kind, rows, {kind.removesuffix("s")})
        label = "User" if kind == "users" else "Product"
        self._write_csv(f"--nodes={label}", kind, [pa.table(columns)])
        return categories

    def _edges(self, table: str, kind: str, starts: dict[str, int]) -> None:
        (source, of), (target, to) = ENDS[table].items()
        tables = (
            pa.table(
                {
                    ":START_ID": _shift(batch.column(source), starts[of]),
                    ":END_ID": _shift(batch.column(target), starts[to]),
                    **self._properties(table, batch, {source, target}),
                }
            )
            for batch in self.staged.batches(table)
        )
        if self.staged.count(table):
            self._write_csv(f"--relationships={kind}", table, tables)

    def _reviews(self, first: int, starts: dict[str, int]) -> None:
        if not self.staged.count("reviews"):
            return
        wrote, about = [], []

        def nodes() -> Iterator[Any]:
            numbers = pa.array(np.arange(first, first + self.staged.count("reviews")))
            for batch in self.staged.batches("reviews"):
                review, numbers = numbers[: len(batch)], numbers[len(batch) :]
                user = _shift(batch.column("user"), starts["user"])
                product = _shift(batch.column("product"), starts["product"])
                wrote.append(pa.table({":START_ID": user, ":END_ID": review}))
                about.append(pa.table({":START_ID": review, ":END_ID": product}))
                properties = self._properties("reviews", batch, {"review", "user", "product"})
                yield pa.table({":ID": review, "id:string": batch.column("review"), **properties})

        self._write_csv("--nodes=Review", "reviews", nodes())
        self._write_csv("--relationships=WROTE", "wrote", wrote)
        self._write_csv("--relationships=ABOUT", "about", about)

    def _categories(self, categories: Any, first_product: int, first: int) -> None:
        coded = categories.dictionary_encode()
        if not len(coded.dictionary):
            return
        numbers = pa.array(np.arange(first, first + len(coded.dictionary)))
        self._write_csv(
            "--nodes=Category",
            "categories",
            [pa.table({":ID": numbers, "name:string": coded.dictionary})],
        )
        rows = np.flatnonzero(coded.is_valid().to_numpy(zero_copy_only=False))
        code = coded.indices.take(pa.array(rows)).to_numpy()
        table = {":START_ID": pa.array(rows + first_product), ":END_ID": pa.array(code + first)}
        self._write_csv("--relationships=IN_CATEGORY", "in_category", [pa.table(table)])

    def _properties(self, table: str, rows: Any, without: set[str]) -> dict[str, Any]:
        """Return the columns, with the types for the importer in their names."""
        found: dict[str, Any] = {}
        for name in rows.schema.names:
            if name in without:
                continue
            values = rows.column(name)
            kind = _kind(values)
            if name == MORE or kind is None or not _PLAIN_NAME.fullmatch(name):
                self.incomplete.add(table)
                continue
            if kind == "string[]":
                values = pc.binary_join(values, _SEPARATOR)
            if kind.startswith("string"):
                breaks = pc.any(pc.match_substring_regex(values, r"[\r\n]")).as_py()
                self.has_line_breaks |= bool(breaks)
            found[f"{name}:{kind}"] = values
        return found

    def _write_csv(self, option: str, name: str, tables: Iterable[Any]) -> None:
        path = self.folder / f"{name}.csv"
        options = pyarrow.csv.WriteOptions(include_header=False)
        with path.open("wb") as out:
            writer = None
            for table in tables:
                if writer is None:
                    out.write((",".join(table.schema.names) + "\n").encode())
                    writer = pyarrow.csv.CSVWriter(out, table.schema, write_options=options)
                writer.write_table(table)
            if writer is not None:
                writer.close()
        self.arguments.append(f"{option}={path}")


def _shift(positions: Any, start: int) -> Any:
    return pa.array(positions.to_numpy().astype(np.int64) + start)


def _kind(values: Any) -> str | None:
    """Return the importer's name of a column's type; None if a CSV cannot represent it."""
    kind = values.type
    if pa.types.is_integer(kind):
        return "long"
    if pa.types.is_floating(kind):
        return "double" if pc.all(pc.is_finite(values)).as_py() is not False else None
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_string(kind):
        return "string"
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        parts = pc.list_flatten(values)
        unsafe = parts.null_count or pc.any(pc.match_substring(parts, _SEPARATOR)).as_py()
        empty = (
            pc.any(pc.equal(parts, "")).as_py()
            or pc.any(pc.equal(pc.list_value_length(values), 0)).as_py()
        )
        return None if unsafe or empty else "string[]"
    return None
