"""What users did with the products that lists showed them: shares, intervals, the split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from kinfolio.gnn.feedback.intervals import Estimate
from kinfolio.gnn.feedback.report import Act, Comparison, EventReport, Group
from kinfolio.web.api.schemas import MAX_DAYS
from kinfolio.web.callers import Staff
from kinfolio.web.pages.rendering import render
from kinfolio.web.site import site_of

router = APIRouter()
PERIODS: tuple[tuple[str, int | None], ...] = (
    ("All days", None),
    ("Last 30 days", 30),
    ("Last 7 days", 7),
    ("Today", 1),
)
MOST_PLACES = 20
"""Places of lists in the table."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of event in both versions of a split."""

    name: str
    active: Act
    other: Act
    change: Estimate

    @property
    def verdict(self) -> str:
        """Whether the interval excludes zero: `higher`, `lower` or `open`."""
        return "higher" if self.change.low > 0 else "lower" if self.change.high < 0 else "open"


@router.get("/events")
def show_report(
    request: Request,
    caller: Staff,
    days: Annotated[int | None, Query(ge=1, le=MAX_DAYS)] = None,
) -> Response:
    """Show the report of the events of the last days."""
    found = site_of(request).service.event_report(days)
    return render(
        request,
        "model/events.html",
        area="events",
        found=found,
        periods=PERIODS,
        days=days,
        tables=_tables(found),
        hidden_places=max(0, len(found.by_place) - MOST_PLACES),
        split=found.split,
        differences=differences(found.split) if found.split else [],
    )


def _tables(found: EventReport) -> list[tuple[str, str, tuple[Group, ...]]]:
    """Return title, name of the first column and groups of each table that has any."""
    tables = (
        ("By version", "Version", found.by_version),
        ("By place in the list", "Place", found.by_place[:MOST_PLACES]),
        ("By source", "Source", found.by_source),
    )
    return [table for table in tables if table[2]]


def differences(split: Comparison) -> list[Difference]:
    """Return the differences between the versions of a split, the most important first."""
    active, other = split.active.group, split.other.group
    return [
        Difference("held", active.held, other.held, split.held),
        Difference("opened", active.opened, other.opened, split.opened),
        Difference("dismissed", active.dismissed, other.dismissed, split.dismissed),
    ]
