"""Times and ratings of a mapped graph: those that an export leaves out, and low ones. Read-only."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, isfinite
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.inspection.line import Line, line_of, short

_MAX_RATINGS = 11
"""Different ratings that are listed one by one."""
_FIRST_YEAR, _LAST_YEAR = 1980, 2200
_MILLISECONDS_A_YEAR = 31_556_952_000
_EXPECTED = {
    "date": "dates like 2024-01-31 or 2024-01-31T10:30:00Z",
    "seconds": "seconds since 1970, as numbers,",
    "milliseconds": "milliseconds since 1970, as numbers,",
}

Row = dict[str, Any]
"""A row of a statement. Any: values of properties."""


def unread_values(graph: Graph) -> Iterator[Line]:
    """Yield a line for each time or rating with values that an export leaves out."""
    mapping = graph.mapping
    assert mapping is not None
    sections = {name: getattr(mapping, name) for name in ("holdings", "ties", "reviews")}
    keys = {
        (section, line): getattr(names, line, None) or ""
        for section, names in sections.items()
        for line in ("at", "rating")
    }
    rows = graph.read(
        "export_readings",
        holdings_at=keys["holdings", "at"],
        holdings_rating=keys["holdings", "rating"],
        ties_at=keys["ties", "at"],
        reviews_at=keys["reviews", "at"],
    )
    for row in rows:
        section, line = row["section"], row["line"]
        if key := keys[section, line]:
            note, is_problem = _check(line, key, row, sections[section])
            if note:
                number = row["unreadable"] or row["readable"]
                found = f"{number:,} {'unreadable' if row['unreadable'] else 'values'}"
                example = row["example"]
                yield line_of(section, line, key, found, example, note=note, is_problem=is_problem)


def low_ratings(graph: Graph) -> Line | None:
    """Return a warning where low ratings count as holdings, with the spread of the ratings."""
    mapping = graph.mapping
    assert mapping is not None
    names = mapping.holdings
    if names.rating is None or names.least_rating is not None:
        return None
    rows = [row for row in graph.read("export_ratings") if isfinite(row["rating"])]
    if not rows or rows[0]["rating"] == rows[-1]["rating"]:
        return None
    least, most = rows[0]["rating"], rows[-1]["rating"]
    middle = (least + most) / 2
    low = sum(row["number"] for row in rows if row["rating"] < middle)
    total = sum(row["number"] for row in rows)
    if not low:
        return None
    shown = rows if len(rows) <= _MAX_RATINGS else [rows[0], rows[len(rows) // 2], rows[-1]]
    spread = ", ".join(f"{row['rating']:g} in {row['number']:,}" for row in shown)
    note = (
        f"{low:,} of {total:,} ratings are below the middle of their range, {middle:g} ({spread}), "
        f"and count as holdings; to count them as dismissals: least_rating = {ceil(middle)}.0"
    )
    return line_of("holdings", "rating", names.rating, f"{low:,} low ratings", least, note=note)


def _check(line: str, key: str, row: Row, names: Any) -> tuple[str, bool]:
    """Return a note on times or ratings that cannot be read, and whether they are a problem.

    `row` is one of `export_readings`. Any: each section has a class.
    """
    if row["unreadable"]:
        kind = f"times in the unit {names.at_unit!r}" if line == "at" else "numbers"
        remedy = f"; {_EXPECTED[names.at_unit]} were expected" if line == "at" else ""
        note = (
            f"{row['unreadable']:,} of {row['readable'] + row['unreadable']:,} values of {key} "
            f"are no {kind}, for example {short(row['example'])!r}, and are left out{remedy}"
        )
        return note, not row["readable"]
    if line == "at" and row["latest"] is not None:
        note = _implausible_time(key, row["latest"], names.at_unit)
        return note, bool(note)
    return "", False


def _implausible_time(key: str, latest: int, unit: str) -> str:
    """Return why the latest time, in milliseconds since 1970, is implausible; else ""."""
    if _FIRST_YEAR <= 1970 + latest / _MILLISECONDS_A_YEAR < _LAST_YEAR:
        return ""
    other = {"milliseconds": "seconds", "seconds": "milliseconds"}.get(unit)
    stored = latest // 1000 if unit == "seconds" else latest
    remedy = (
        f'; is at_unit = "{other}" meant?' if other else "; dates like 2024-01-31 were expected"
    )
    shown = f"in the year {1970 + latest / _MILLISECONDS_A_YEAR:.0f}" if unit == "date" else stored
    return f"the latest {key} is {shown}, which as {unit} is no plausible time{remedy}"
