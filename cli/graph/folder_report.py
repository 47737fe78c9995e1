"""The text that `kinfolio load --check` prints of a folder, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinfolio.loaders.reports import Degrees, FolderReport, TableQuality

_WIDTH = 80
_INDENT = 13


def lines(report: FolderReport) -> Iterator[str]:
    """Yield the report line by line."""
    for rows in _rows(report):
        yield from rows.split("\n")


def _rows(report: FolderReport) -> Iterator[str]:
    for table in report.tables:
        yield from _table(table, report.reasons.get(table.file, {}))
        yield ""
    outside = f", {report.outside_users:,} more are in the graph" if report.outside_users else ""
    yield _row("users", [f"{report.users:,}{outside}", *_degrees(report.holdings_of_users)])
    yield _row("products", [f"{report.products:,}", *_degrees(report.holdings_of_products)])


def _table(table: TableQuality, reasons: dict[str, int]) -> Iterator[str]:
    rejected = f", {table.rejected:,} would be rejected" if table.rejected else ""
    yield f"{table.file}: {table.rows:,} rows{rejected}"
    for column, meaning in table.understood.items():
        yield _row("read as", f"{column}: {meaning}".split(" "), separator=" ")
    if table.first and table.last and "timestamp" not in table.understood:
        yield _row("dates", [f"{table.first} to {table.last}"])
    if table.splits:
        yield _row("splits", [f"{name or 'none'} {rows:,}" for name, rows in table.splits.items()])
    if table.missing:
        yield _row(
            "no value",
            [
                name if rows == table.rows else f"{name} in {rows:,} rows"
                for name, rows in table.missing.items()
            ],
        )
    for reason, rows in reasons.items():
        yield _row("rejected", f"{rows:,}: {reason}".split(" "), separator=" ")


def _degrees(degrees: Degrees) -> list[str]:
    none = [f"{degrees.none:,} with no holding"] if degrees.none else []
    return [
        *none,
        f"{degrees.one:,} with one",
        f"median {degrees.median:g}",
        f"95 % at most {degrees.p95:,.0f}",
        f"largest {degrees.largest:,}",
    ]


def _row(name: str, values: list[str], separator: str = ", ") -> str:
    """Return a name and its values, wrapped between values."""
    unbroken = separator.join(value.replace(" ", "\xa0") for value in values)
    return textwrap.fill(
        unbroken,
        _WIDTH,
        initial_indent=f"  {name}".ljust(_INDENT),
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    ).replace("\xa0", " ")
