"""The table of results in a page; rows of faults that were not caused this time remain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from faults.runner import FAULTS, Fault, Result

_MARKED = re.compile(r"(<!-- faults: begin -->\n)(.*?)(<!-- faults: end -->)", re.DOTALL)
_HEAD = [
    "| kind | fault | command | the user sees | afterwards |",
    "| --- | --- | --- | --- | --- |",
]
_BAD = ("FAILED: ", "skipped: ")
"""How the last cell of a result begins that is not good."""


def write_page(page: Path, results: Sequence[Result], faults: Sequence[Fault] = FAULTS) -> None:
    """Replace the rows of results in a page, in the order of the faults."""
    text = page.read_text("utf-8")
    marked = _MARKED.search(text)
    assert marked is not None, f"{page} has no marks"
    rows = {_key(row): row for row in marked[2].splitlines() if row.startswith("| ")}
    rows |= {_key(row): row for row in map(_row, results)}
    names = [_name(one) for one in faults]
    listed = [rows[name] for name in names if name in rows]
    good = sum(not row.split(" | ")[-1].startswith(_BAD) for row in listed)
    total = f"{good} of {len(listed)} faults: one sentence or the right result, and whole."
    table = "\n".join([*_HEAD, *listed, "", total, ""])
    page.write_text(text[: marked.start(2)] + table + text[marked.end(2) :], "utf-8")


def _name(fault: Fault) -> tuple[str, ...]:
    return fault.kind, fault.name, f"`{fault.command}`"


def _key(row: str) -> tuple[str, ...]:
    return tuple(row.removeprefix("| ").split(" | ")[:3])


def _row(result: Result) -> str:
    cells = (*_name(result.fault), result.seen, result.holds)
    return f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in cells)} |"
