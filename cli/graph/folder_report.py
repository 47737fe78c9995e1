"""What `kinfolio load --check` prints of a folder, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinfolio.loaders.reports import Degrees, FolderReport, TableQuality

WIDTH = 80
_HEAD = 13


def lines(report: FolderReport) -> Iterator[str]:
    """The report, line by line."""
    for table in report.tables:
        yield from _table(table, report.reasons.get(table.file, {}))
        yield ""
    outside = f", {report.outside_users:,} more are in the graph" if report.outside_users else ""
    yield from _part("users", [f"{report.users:,}{outside}", *_degrees(report.holdings_of_users)])
    yield from _part("products", [f"{report.products:,}", *_degrees(report.holdings_of_products)])


def _table(table: TableQuality, reasons: dict[str, int]) -> Iterator[str]:
    rejected = f", {table.rejected:,} would be rejected" if table.rejected else ""
    yield f"{table.file}: {table.rows:,} rows{rejected}"
    if table.first and table.last:
        yield from _part("dates", [f"{table.first} to {table.last}"])
    if table.splits:
        yield from _part(
            "splits", [f"{name or 'none'} {rows:,}" for name, rows in table.splits.items()]
        )
    if table.missing:
        yield from _part(
            "no value",
            [
                name if rows == table.rows else f"{name} in {rows:,} rows"
                for name, rows in table.missing.items()
            ],
        )
    for reason, rows in reasons.items():
        yield from _part("rejected", f"{rows:,}: {reason}".split(), between="")


def _degrees(degrees: Degrees) -> list[str]:
    none = [f"{degrees.none:,} with no holding"] if degrees.none else []
    return [
        *none,
        f"{degrees.one:,} with one",
        f"median {degrees.median:g}",
        f"95 % at most {degrees.p95:,.0f}",
        f"largest {degrees.largest:,}",
    ]


def _part(name: str, pieces: list[str], between: str = ",") -> Iterator[str]:
    """A name and what is said of it, folded between pieces."""
    line = f"  {name}".ljust(_HEAD)
    empty = True
    for number, piece in enumerate(pieces):
        text = piece + ("" if number == len(pieces) - 1 else between)
        if not empty and len(line) + len(text) + 1 > WIDTH:
            yield line
            line, empty = " " * _HEAD, True
        line += text if empty else f" {text}"
        empty = False
    yield line[:WIDTH]
