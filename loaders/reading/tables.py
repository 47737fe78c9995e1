"""Which tables a folder may hold, their columns, and which file holds each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kinfolio.cypher.mapping.names import OWN_SLOT_PROPERTIES
from kinfolio.errors import BadInput

Meaning = Literal["id", "name", "text", "number", "integer", "flag", "time", "split", "list"]
"""What a column holds; `name` is a short text that the graph looks up."""
Format = Literal["tsv", "csv", "jsonl", "parquet"]

FORMATS: tuple[Format, ...] = ("tsv", "csv", "jsonl", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column kinfolio knows."""

    name: str
    meaning: Meaning
    stored: str
    """Name of the property it becomes."""
    required: bool = False


def _column(name: str, meaning: Meaning, *, stored: str = "", required: bool = False) -> Column:
    return Column(name=name, meaning=meaning, stored=stored or name, required=required)


TABLES: dict[str, tuple[Column, ...]] = {
    "users": (
        _column("user", "id", required=True),
        _column("name", "text"),
        _column("country", "text"),
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
        _column("countries", "list"),
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
"""Tables in the order they are read: users and products are numbered as they first appear, and
ties come last because both their ends must be known."""

_KEPT_NAMES = {"id", "gid", "at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """The file of one table."""

    table: str
    path: Path
    format: Format
    is_gzip: bool

    @property
    def name(self) -> str:
        """Name of the file, as rejects give it."""
        return self.path.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that kinfolio knows in this table."""
        return TABLES[self.table]


def find_tables(folder: Path) -> list[TableFile]:
    """The files of a folder that hold a table, in the order they are read.

    Raises:
        BadInput: no such folder, no interactions, the same table twice, or not a file.
    """
    if not folder.exists():
        raise BadInput(
            f"{folder} does not exist; give the folder that holds interactions.tsv or .csv"
        )
    if not folder.is_dir():
        raise BadInput(f"{folder} is a file; give the folder that holds it")
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise BadInput(f"cannot look into {folder} ({error.strerror})") from error
    found: dict[str, TableFile] = {}
    for path in entries:
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
            raise BadInput(f"{path} is a folder or not there; a file with {table} was expected")
        if table in found:
            raise BadInput(
                f"{folder} holds {table} twice, {found[table].name} and {path.name}; keep one"
            )
        found[table] = TableFile(
            table=table,
            path=path,
            format=FORMATS[FORMATS.index(kind)],
            is_gzip=ending.lower().endswith(".gz"),
        )
    if "interactions" not in found:
        others = (
            f"it holds {', '.join(file.name for file in found.values())}"
            if found
            else (
                f"it holds {', '.join(path.name for path in entries[:3])}"
                if entries
                else "it is empty"
            )
        )
        raise BadInput(
            f"{folder} has no interactions ({others}); a file interactions.tsv, .csv, .jsonl or "
            ".parquet with the columns user and product was expected"
        )
    return [found[table] for table in TABLES if table in found]


def check_header(file: TableFile, names: list[str]) -> None:
    """Refuse a file whose columns cannot be used.

    Raises:
        BadInput: a required column is missing, a name comes twice, is empty or is kinfolio's own.
    """
    required = [column.name for column in file.columns if column.required]
    missing = [name for name in required if name not in names]
    if missing:
        raise BadInput(
            f"{file.path} has no column {missing[0]!r}: it has {_listed(names)}, "
            f"and at least {_listed(required)} were expected"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"{file.path} has the column {twice[0]!r} twice; rename one")
    known = {column.name for column in file.columns}
    for name in names:
        if name in known:
            continue
        if not name.strip():
            raise BadInput(f"{file.path} has a column without a name; name it or take it out")
        stem, _, slot = name.rpartition("_")
        if name in _KEPT_NAMES or (slot in ("a", "b") and stem in OWN_SLOT_PROPERTIES):
            raise BadInput(
                f"{file.path} has a column {name!r}, a name that kinfolio keeps for itself; "
                "rename the column"
            )


def _listed(names: list[str]) -> str:
    return (", ".join(names[:12]) or "none") + (", ..." if len(names) > 12 else "")
