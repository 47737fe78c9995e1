"""What loading and checking a folder report."""

from __future__ import annotations

from dataclasses import dataclass

from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row of the input that was not loaded, and why."""

    file: str
    line: int
    """Line in the file, counted from 1, the header included; row number for Parquet."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableQuality:
    """What one file of a folder holds."""

    table: str
    file: str
    rows: int
    """Rows that a load would take."""
    rejected: int
    duplicates: int
    """Rejected rows whose key another row has, with the same values or others."""
    dangling: int
    """Rejected ties to users that nobody knows."""
    first: str | None
    """Day of the earliest time, ISO, UTC."""
    last: str | None
    splits: dict[str, int]
    """Rows of each split; `""`: without one."""
    missing: dict[str, int]
    """Known columns that have no value in some rows, and in how many; those of all rows too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Degrees:
    """How many holdings users or products have."""

    count: int
    """Users or products that have any."""
    none: int
    one: int
    median: float
    p95: float
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """What a load of a folder would find."""

    tables: tuple[TableQuality, ...]
    users: int
    products: int
    outside_users: int
    """Users that only ties name, and that the graph knows already."""
    holdings_of_users: Degrees
    holdings_of_products: Degrees
    reasons: dict[str, dict[str, int]]
    """File, then reason apart from the row's own values, to number of rejected rows."""
    rejected: tuple[Reject, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What `load --replace` takes out of the graph, since the folder has it no longer."""

    users: int
    products: int
    interactions: int
    ties: int
    reviews: int
    categories: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport(Tabular):
    """What one `load` read and wrote."""

    users: int
    products: int
    interactions: int
    ties: int
    reviews: int
    rejected: tuple[Reject, ...]
    rejects_file: str | None
    seconds: float
    removed: Removed | None = None
    """None: it was not asked for."""
