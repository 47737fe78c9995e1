"""Validation of a property's values for a line of a mapping."""

from __future__ import annotations

from typing import Any

from kinfolio.cypher.inspection.line import short
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
    "rating": (*NUMBERS, "STRING"),
    "weight": NUMBERS,
    "split": ("STRING",),
    "id": ("STRING", "INTEGER"),
}
"""Types that a property may have, by line of a mapping; `at` depends on its unit."""
_RARE = 0.5
"""Share of nodes or relationships with the property below which a warning is reported."""


def check_values(line: str, key: str, rows: list[dict[str, Any]], names: Any) -> tuple[str, bool]:
    """Return a note on the values of a property, and whether they are a problem.

    Args:
        line: line of the mapping.
        key: the property.
        rows: one for each type, of `map_node_values` or `map_link_values`.
        names: the section of the mapping. Any: each section has a class.
    """
    total = sum(row["number"] for row in rows)
    by_type = {row["type"]: row for row in rows if row["type"] not in ("NULL", "NOTHING")}
    filled = sum(row["number"] for row in by_type.values())
    if not filled:
        return f"{key} does not exist; correct the name or omit the line", False
    allowed = TYPES.get(line, ())
    if line == "at":
        allowed = MOMENTS if names.at_unit == "date" else NUMBERS
    # Of times of several types, those that can be read are used: see `readings.py`.
    is_mixed = line == "at" and not by_type.keys().isdisjoint(allowed)
    for kind, row in by_type.items():
        if kind not in allowed and not is_mixed:
            return (
                f"{row['number']:,} of {filled:,} values of {key} are {kind}, for example "
                f"{short(row['least'])!r}; {', '.join(allowed)} was expected"
                + (' (at_unit = "date" takes dates)' if line == "at" and kind in MOMENTS else "")
                + (' (at_unit is "date")' if line == "at" and kind in NUMBERS else "")
            ), True
    if line == "split":
        row = by_type["STRING"]
        for value in (row["least"], row["most"]):
            if value not in SPLITS:
                return f"{key} holds {short(value)!r}; {', '.join(SPLITS)} was expected", True
    if filled < _RARE * total:
        return f"{total - filled:,} of {total:,} have none", False
    return "", False
