"""What staff and administrators do: exports, a user's data, versions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, islice
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from kinfolio.gnn.feedback.report import EventReport
from kinfolio.gnn.publishing.versions import Split, Version
from kinfolio.gnn.serving.recommend_all import ListLine
from kinfolio.records import NodeView
from kinfolio.tabular import spreadsheet_cell
from kinfolio.web.api.answers import K
from kinfolio.web.api.schemas import MAX_DAYS, Caps, Serving, SplitBody, VersionDocument, Versions
from kinfolio.web.callers import Admin, Staff, UserId
from kinfolio.web.problems import Document
from kinfolio.web.site import site_of

router = APIRouter()
_COLUMNS = ("user", "rank", "product", "score", "version")
_PAGE_LINES = 1_000


@router.get(
    "/recommendations.csv",
    tags=["recommendations"],
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export_lists(
    request: Request, caller: Staff, caps: Caps, k: K = 10, spreadsheet_safe: bool = True
) -> Response:
    """Stream the lists of all users as CSV: user, rank, product, score, version.

    With `at_most` a list has at most so many products of each kind or category.
    With `spreadsheet_safe` cells that a spreadsheet would run as a formula begin with `'`. An
    error after the first lines ends the response early, without its last chunk.
    """
    lines = site_of(request).service.lists(k, caps)
    first = next(lines, None)  # an error before the first line is a problem document
    rows = chain([] if first is None else [first], lines)
    return StreamingResponse(
        _csv(rows, spreadsheet_safe),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="recommendations.csv"'},
    )


def _csv(rows: Iterator[ListLine], is_safe: bool) -> Iterator[str]:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    while page := list(islice(rows, _PAGE_LINES)):
        for row in page:
            line = (row.user, row.rank, row.product, f"{row.score:.9g}", row.version or "")
            writer.writerow([spreadsheet_cell(str(one)) for one in line] if is_safe else line)
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


@router.get("/users/{user:id}/data", tags=["users"], response_model=NodeView)
def data(request: Request, user: UserId) -> Document:
    """Return what the graph stores about a user; people behind ties are only counted."""
    return Document(site_of(request).service.user_data(user))


@router.delete("/users/{user:id}", tags=["users"], status_code=204, response_class=Response)
def delete_user(request: Request, caller: Admin, user: UserId) -> None:
    """Delete a user: conversations, events, and what the graph stores."""
    site_of(request).service.delete_user(user)


@router.get("/versions", tags=["versions"], response_model=Versions)
def versions(request: Request, caller: Staff) -> Document:
    """Return the versions in the graph, newest first."""
    found = site_of(request).service.versions()
    return Document({"versions": list(map(version_document, found))})


@router.put("/versions/serving", tags=["versions"], response_model=VersionDocument)
def serve(request: Request, caller: Admin, serving: Serving) -> Document:
    """Activate a version that is ready, such as the one before (roll back)."""
    return Document(version_document(site_of(request).service.serve_version(serving.version)))


@router.post("/versions/split", tags=["versions"], response_model=Split)
def split(request: Request, caller: Admin, body: SplitBody) -> Document:
    """Let the inactive version serve a percentage of the users, to compare the two; 0 ends it.

    The users are chosen by a hash of their ids; every answer names its version, and
    `events/report` compares the two.
    """
    return Document(site_of(request).service.split_users(body.percent))


@router.get("/events/report", tags=["events"], response_model=EventReport)
def events_report(
    request: Request,
    caller: Staff,
    days: Annotated[
        int | None, Query(ge=1, le=MAX_DAYS, description="lists of the last days only")
    ] = None,
) -> Document:
    """Return the shares of shown products that were held, opened and dismissed.

    By version, place in the list and source, with 95 % intervals whose units are users. `split`
    compares the two versions of a split: the differences are `other` minus `active`.
    """
    return Document(site_of(request).service.event_report(days))


def version_document(version: Version) -> dict[str, Any]:
    """Return the document of a version, with its metrics as an object. Any: JSON values."""
    return {**asdict(version), "metrics": json.loads(version.metrics or "{}")}
