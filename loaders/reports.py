"""Reports of loading and of checking a folder."""

from __future__ import annotations

from dataclasses import dataclass

from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row of the input that was not loaded, and the reason."""

    file: str
    line: int
    """Line in the file, counted from 1, the header included; row number for Parquet."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableQuality:
    """Content of one file of a folder."""

    table: str
    file: str
    rows: int
    """Rows that a load would accept."""
    rejected: int
    duplicates: int
    """Rejected rows with the key of another row."""
    dangling: int
    """Rejected ties of users that do not exist."""
    first: str | None
    """ISO date of the earliest time, UTC."""
    last: str | None
    understood: dict[str, str]
    """How columns were read that have several readings, e.g. `seconds since 1970, ... to ...`."""
    splits: dict[str, int]
    """Number of rows of each split; `""`: without one."""
    missing: dict[str, int]
    """Number of rows without a value, for each standard column with missing values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Degrees:
    """Distribution of the number of holdings of users or products."""

    count: int
    """Users or products with at least one holding."""
    none: int
    one: int
    median: float
    p95: float
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """Result of checking a folder."""

    tables: tuple[TableQuality, ...]
    users: int
    products: int
    outside_users: int
    """Users in the graph that only ties and events of the folder refer to."""
    outside_products: int
    """Products in the graph that only events of the folder refer to."""
    holdings_of_users: Degrees
    holdings_of_products: Degrees
    reasons: dict[str, dict[str, int]]
    """Number of rejected rows by file and reason, without the values of the rows."""
    rejected: tuple[Reject, ...]
    notes: tuple[str, ...]
    """What a user should know, such as files that are not loaded, a sentence each."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Number of nodes and relationships that `load --replace` removes from the graph."""

    users: int
    products: int
    interactions: int
    ties: int
    reviews: int
    categories: int
    dismissals: int = 0
    """Those of earlier loads with `--least-rating`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport(Tabular):
    """Result of one `load`."""

    users: int
    products: int
    interactions: int
    """Holdings."""
    dismissals: int
    """Interactions with a rating below `--least-rating`, or none."""
    ties: int
    reviews: int
    rejected: tuple[Reject, ...]
    rejects_file: str | None
    seconds: float
    notes: tuple[str, ...]
    """What a user should know, such as files that are not loaded, a sentence each."""
    held_by_events: int
    """Pairs that events make holdings, which `interactions` does not count."""
    dismissed_by_events: int
    removed: Removed | None = None
    """None unless the load replaces."""
