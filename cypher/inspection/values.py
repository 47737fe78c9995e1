"""Validation of a property's values for a line of a mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kinfolio.records import SPLITS

NUMBERS = ("INTEGER", "FLOAT")
MOMENTS = ("DATE", "ZONED DATETIME", "LOCAL DATETIME", "STRING")
_PLAIN = ("STRING", *NUMBERS, "BOOLEAN")
TYPES: dict[str, tuple[str, ...]] = {
    "name": _PLAIN,
    "kind": _PLAIN,
    "sector": _PLAIN,
    "text": ("STRING",),
    "risk_tolerance": NUMBERS,
    "risk": NUMBERS,
    "country": ("STRING",),
    "open": ("BOOLEAN",),
    "countries": ("LIST<STRING>", "LIST<NOTHING>"),
    "rating": NUMBERS,
    "weight": NUMBERS,
    "split": ("STRING",),
    "id": ("STRING", "INTEGER"),
}
"""Types that a property may have, by line of a mapping; `at` depends on its unit."""
_RARE = 0.5
"""Share of nodes or relationships with the property below which a warning is reported."""
_FIRST_YEAR, _LAST_YEAR = 1980, 2200


def check_values(line: str, key: str, row: dict[str, Any], names: Any) -> tuple[str, bool]:
    """Return a note on the values of a property, and whether they are a problem.

    Args:
        line: line of the mapping.
        key: the property.
        row: total, filled, types, least and most of `map_node_values` or `map_link_values`.
        names: the section of the mapping. Any: each section has a class.
    """
    if not row["filled"]:
        return f"{key} does not exist; correct the name or omit the line", False
    allowed = TYPES.get(line, ())
    if line == "at":
        allowed = MOMENTS if names.at_unit == "date" else NUMBERS
    wrong = [kind for kind in row["types"] if kind not in allowed]
    if wrong:
        return (
            f"{key} holds {' and '.join(row['types'])}; {', '.join(allowed)} was expected"
            + (' (at_unit = "date" takes dates)' if line == "at" and wrong[0] in MOMENTS else "")
            + (' (at_unit is "date")' if line == "at" and wrong[0] in NUMBERS else "")
        ), True
    if line == "at" and (note := _implausible_time(key, row["most"], names.at_unit)):
        return note, True
    if line == "split" and {row["least"], row["most"]} - set(SPLITS):
        return f"{key} holds {row['least']!r}; {', '.join(SPLITS)} was expected", True
    if row["filled"] < _RARE * row["total"]:
        return f"{row['total'] - row['filled']:,} of {row['total']:,} have none", False
    return "", False


def _implausible_time(key: str, latest: Any, unit: str) -> str:
    if unit == "date":
        text = str(latest)
        year = int(text[:4]) if text[:4].isdecimal() else 0
    else:
        seconds = latest / (1000 if unit == "milliseconds" else 1)
        is_sane = 0 <= seconds < (_LAST_YEAR - 1970) * 31_556_952
        year = datetime.fromtimestamp(seconds, UTC).year if is_sane else 0
    if _FIRST_YEAR <= year < _LAST_YEAR:
        return ""
    other = {"milliseconds": "seconds", "seconds": "milliseconds"}.get(unit)
    remedy = (
        f'; is at_unit = "{other}" meant?' if other else "; dates like 2024-01-31 were expected"
    )
    return f"the latest {key} is {latest}, which as {unit} is no plausible time{remedy}"
