"""The five tables of a folder, their columns, and the file of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kinfolio.cypher.mapping.names import OWN_SLOT_PROPERTIES
from kinfolio.errors import BadInput

Meaning = Literal[
    "id", "name", "text", "number", "integer", "flag", "time", "split", "country", "countries"
]
"""Meaning of a column; `name` is a short, indexed text."""
Format = Literal["tsv", "csv", "jsonl", "parquet"]

FORMATS: tuple[Format, ...] = ("tsv", "csv", "jsonl", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A standard column."""

    name: str
    meaning: Meaning
    stored: str
    """Name of its property in the graph."""
    required: bool = False


def _column(name: str, meaning: Meaning, *, stored: str = "", required: bool = False) -> Column:
    return Column(name=name, meaning=meaning, stored=stored or name, required=required)


TABLES: dict[str, tuple[Column, ...]] = {
    "users": (
        _column("user", "id", required=True),
        _column("name", "text"),
        _column("country", "country"),
        _column("risk_tolerance", "integer"),
    ),
    "products": (
        _column("product", "id", required=True),
        _column("name", "text"),
        _column("kind", "text"),
        _column("category", "name"),
        _column("sector", "text"),
        _column("text", "text"),
        _column("open", "flag"),
        _column("risk", "integer"),
        _column("countries", "countries"),
    ),
    "interactions": (
        _column("user", "id", required=True),
        _column("product", "id", required=True),
        _column("rating", "number"),
        _column("timestamp", "time", stored="at"),
        _column("weight", "number"),
        _column("split", "split"),
    ),
    "reviews": (
        _column("review", "id", required=True),
        _column("user", "id", required=True),
        _column("product", "id", required=True),
        _column("timestamp", "time", stored="at"),
        _column("rating", "number"),
        _column("text", "text"),
        _column("split", "split"),
    ),
    "ties": (
        _column("source", "id", required=True),
        _column("target", "id", required=True),
        _column("kind", "name"),
        _column("timestamp", "time", stored="at"),
        _column("split", "split"),
    ),
}
"""Tables in the order of reading: ties last, since both their ends must have been read."""

_SYNONYMS = {
    "users": ("people", "user customer client people person member"),
    "products": ("products", "product item article fund movie book"),
    "interactions": (
        "holdings, purchases or ratings",
        "interaction rating purchase order transaction click holding event",
    ),
    "ties": ("ties between users", "tie friend friendship follow follower edge relation"),
    "reviews": ("reviews", "review comment"),
}
"""Content of each table, and words in file names that indicate it."""
_RESERVED = {"id", "gid", "at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """The file of one table."""

    table: str
    path: Path
    format: Format
    is_gzip: bool

    @property
    def name(self) -> str:
        """File name, as in the list of rejects."""
        return self.path.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """Standard columns of the table."""
        return TABLES[self.table]

    @property
    def required(self) -> list[str]:
        """Names of the required columns."""
        return [column.name for column in self.columns if column.required]


def find_tables(folder: Path) -> list[TableFile]:
    """Return the files of a folder that are tables, in the order of reading.

    Raises:
        BadInput: no such folder, no interactions, a table twice, or a table that is no file.
    """
    paths = _entries(folder)
    found: dict[str, TableFile] = {}
    for path in paths:
        table, _, ending = path.name.partition(".")
        if table not in TABLES:
            continue
        kind = ending.lower().removesuffix(".gz")
        if kind not in FORMATS:
            raise BadInput(
                f"{path} ends in {'.' + ending if ending else 'nothing'}; {table} is read from "
                ".tsv, .csv, .jsonl or .parquet, each with or without .gz"
            )
        if not path.is_file():
            raise BadInput(
                f"{path} is a folder or not there; one file with {table} was expected. The parts "
                "of a Parquet folder are joined by pyarrow: parquet.write_table("
                f"parquet.read_table('{path.name}'), 'one.parquet')"
                if kind == "parquet"
                else f"{path} is a folder or not there; a file with {table} was expected"
            )
        if table in found:
            raise BadInput(
                f"{folder} holds {table} twice, {found[table].name} and {path.name}; keep one"
            )
        is_gzip = ending.lower().endswith(".gz")
        format = FORMATS[FORMATS.index(kind)]
        found[table] = TableFile(table=table, path=path, format=format, is_gzip=is_gzip)
    if "interactions" not in found:
        raise BadInput(_no_interactions(folder, [path.name for path in paths]))
    return [found[table] for table in TABLES if table in found]


def ignored_files(folder: Path) -> tuple[str, ...]:
    """Return one sentence for each file of a folder that is not loaded; hidden files have none."""
    paths = [path for path in _entries(folder) if not path.name.startswith(".")]
    tables = {path.name.partition(".")[0]: path.name for path in paths}
    notes = []
    for path in paths:
        if path.name.partition(".")[0] in TABLES:
            continue
        if path.is_dir():
            notes.append(f"{path.name}: a folder; its files are not read")
            continue
        table = _suggested_table(path.name)
        if table is None:
            reason = f"tables are called {', '.join(TABLES)}"
        elif table in tables:
            reason = f"{table} are read from {tables[table]}"
        else:
            reason = f"a table of {_SYNONYMS[table][0]} is called {table}"
        notes.append(f"{path.name}: not a table; {reason}")
    return tuple(notes)


def _entries(folder: Path) -> list[Path]:
    if not folder.exists():
        raise BadInput(
            f"{folder} does not exist; give the folder that holds interactions.tsv or .csv"
        )
    if not folder.is_dir():
        raise BadInput(f"{folder} is a file; give the folder that holds it")
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise BadInput(f"cannot list {folder} ({error.strerror})") from error


def _suggested_table(name: str) -> str | None:
    """Return the table that a file name suggests, e.g. `users` for `all_customers.csv`."""
    words = re.findall(r"[a-z]+", name.partition(".")[0].lower())
    for word in words:
        for table, (_, synonyms) in _SYNONYMS.items():
            if {word, word.removesuffix("s")} & set(synonyms.split()):
                return table
    return None


def _no_interactions(folder: Path, names: list[str]) -> str:
    content = f"it holds {_listed(names, 3)}" if names else "it is empty"
    message = (
        f"{folder} has no interactions ({content}); a file interactions.tsv, .csv, .jsonl or "
        ".parquet with the columns user and product was expected"
    )
    for name in names:
        if _suggested_table(name) == "interactions":
            ending = name.partition(".")[2]
            return f"{message}; if {name} is that file, rename it to interactions.{ending}"
    return message


def check_header(file: TableFile, names: list[str]) -> None:
    """Raise BadInput if a column is missing, or a name is repeated, empty or reserved."""
    missing = [name for name in file.required if name not in names]
    if missing:
        raise BadInput(
            f"{file.path} has no column {missing[0]!r}: it has {_listed(names, 12) or 'none'}, "
            f"and at least {_listed(file.required, 12)} were expected"
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise BadInput(f"{file.path} has the column {repeated[0]!r} twice; rename one")
    standard = {column.name for column in file.columns}
    for name in names:
        if name in standard:
            continue
        if not name.strip():
            raise BadInput(f"{file.path} has a column without a name; name it or remove it")
        if "\0" in name:
            raise BadInput(f"{file.path} has a column {name!r}, with a null byte; rename it")
        stem, _, slot = name.rpartition("_")
        if name in _RESERVED or (slot in ("a", "b") and stem in OWN_SLOT_PROPERTIES):
            raise BadInput(
                f"{file.path} has a column {name!r}, a name that kinfolio reserves; "
                "rename the column"
            )


def _listed(names: list[str], most: int) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
