"""The tables of a folder, their columns, and the file of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kinfolio.cypher.mapping.names import own_properties
from kinfolio.errors import BadInput, quoted
from kinfolio.ids import normalized_id

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
    "events": (
        _column("user", "id", required=True),
        _column("product", "id", required=True),
        _column("kind", "name", required=True),
        _column("timestamp", "time", stored="at", required=True),
        _column("request", "name"),
        _column("weight", "number"),
    ),
}
"""Tables in the order of reading: ties and events last, since their ends must have been read."""

_SYNONYMS = {
    "users": ("people", "user customer client people person member"),
    "products": ("products", "product item article fund movie book"),
    "interactions": (
        "holdings, purchases or ratings",
        "interaction rating purchase order transaction click holding",
    ),
    "ties": ("ties between users", "tie friend friendship follow follower edge relation"),
    "reviews": ("reviews", "review comment"),
    "events": ("events of users", "event action"),
}
"""Content of each table, and words in file names that indicate it."""
MAX_COLUMNS = 5_000
_MAX_CHARACTERS = 60
_RESERVED = {"id", "at", *own_properties()}
"""Properties that kinfolio writes; a column of such a name would be overwritten."""


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
    others: dict[str, Path] = {}
    for path in paths:
        table, ending = _parts(path)
        if table not in TABLES:
            continue
        kind = ending.removesuffix(".gz")
        if kind not in FORMATS:
            others.setdefault(table, path)
            continue
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
        is_gzip = ending.endswith(".gz")
        format = FORMATS[FORMATS.index(kind)]
        found[table] = TableFile(table=table, path=path, format=format, is_gzip=is_gzip)
    for table, path in others.items():
        if table not in found and not path.is_dir():
            raise BadInput(
                f"{path} ends in {path.suffix or 'nothing'}; {table} is read from .tsv, .csv, "
                ".jsonl or .parquet, each with or without .gz"
            )
    if not {"interactions", "events"} & set(found):
        raise BadInput(_no_interactions(folder, [path.name for path in paths]))
    return [found[table] for table in TABLES if table in found]


def ignored_files(folder: Path) -> tuple[str, ...]:
    """Return one sentence for each file of a folder that is not loaded; hidden files have none."""
    tables = {file.table: file.name for file in find_tables(folder)}
    notes = []
    for path in _entries(folder):
        if path.name in tables.values() or path.name.startswith("."):
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


def _parts(path: Path) -> tuple[str, str]:
    """Return the table that a file is named after, in any case, and its ending."""
    table, _, ending = path.name.lower().partition(".")
    return table, ending


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
            ending = Path(name.removesuffix(".gz")).suffix + ".gz" * name.endswith(".gz")
            return f"{message}; if {name} is that file, rename it to interactions{ending}"
    return message


def column_names(file: TableFile, raw: list[str]) -> list[str]:
    """Return the names of columns: standard ones in any case, all without blanks around them."""
    names = [" ".join(normalized_id(name).split()) for name in raw]
    standard = {column.name for column in file.columns} - set(names)
    lower = [name.lower().replace(" ", "_").replace("-", "_") for name in names]
    return [low if low in standard else name for low, name in zip(lower, names, strict=True)]


def missing_columns(file: TableFile, names: list[str]) -> list[str]:
    """Return the required columns that are not among the names."""
    return [name for name in file.required if name not in names]


def columns_missing(file: TableFile, names: list[str]) -> str:
    """Return the error message for a file that lacks a required column."""
    missing, found = missing_columns(file, names)[0], _listed(names, 12) or "none"
    return (
        f"{file.path} has no column {quoted(missing)}: it has {found}, "
        f"and at least {_listed(file.required, 12)} were expected"
    )


def repeated_name(names: Iterable[str]) -> str | None:
    """Return the first name that occurs more than once; None if there is none."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def check_header(file: TableFile, names: list[str]) -> None:
    """Raise BadInput if a column is missing, or a name is repeated or reserved."""
    if missing_columns(file, names):
        raise BadInput(columns_missing(file, names))
    if len(names) > MAX_COLUMNS:
        raise BadInput(
            f"{file.path} has {len(names):,} columns; at most {MAX_COLUMNS:,} were expected, so "
            "remove those that nobody needs"
        )
    if (repeated := repeated_name(filter(None, names))) is not None:
        raise BadInput(f"{file.path} has the column {quoted(repeated)} twice; rename one")
    standard = {column.name for column in file.columns}
    for name in [name for name in names if name not in standard]:
        if not name:
            raise BadInput(f"{file.path} has a column without a name; name it or remove it")
        if not name.isprintable():
            raise BadInput(
                f"{file.path} has a column {quoted(name)}, a name with invisible characters; "
                "rename the column"
            )
        if name in _RESERVED:
            raise BadInput(
                f"{file.path} has a column {quoted(name)}, a name that kinfolio reserves; "
                "rename the column"
            )


def _listed(names: list[str], most: int) -> str:
    shown = [name if name.isprintable() else repr(name)[1:-1] for name in names[:most]]
    shown = [name[:_MAX_CHARACTERS] + "..." * (len(name) > _MAX_CHARACTERS) for name in shown]
    return ", ".join(shown) + (", ..." if len(names) > most else "")
