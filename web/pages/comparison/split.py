"""The split of the users between two versions: asked about, then begun, changed or ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from kinfolio.errors import NotReady
from kinfolio.web.api.schemas import MAX_PERCENT
from kinfolio.web.callers import Admin
from kinfolio.web.pages.model import shown_version
from kinfolio.web.pages.rendering import render
from kinfolio.web.pages.users import SEE_OTHER
from kinfolio.web.site import site_of

router = APIRouter()


@router.get("/versions/split")
def confirm(
    request: Request, caller: Admin, percent: Annotated[int, Query(ge=0, le=MAX_PERCENT)]
) -> Response:
    """Ask before the users are split, or before the split ends."""
    versions = {one.state: one for one in site_of(request).service.versions()}
    active, ready = versions.get("active"), versions.get("ready")
    if active is None or ready is None:
        raise NotReady(
            "a split needs two versions, one active and one ready; "
            "write another one back first, type: kinfolio writeback"
        )
    return render(
        request,
        "model/split.html",
        area="versions",
        percent=percent,
        before=active.split,
        active=shown_version(active),
        other=shown_version(ready),
        users=round(active.users * percent / 100),
    )


@router.post("/versions/split")
def split(
    request: Request, caller: Admin, percent: Annotated[int, Form(ge=0, le=MAX_PERCENT)]
) -> Response:
    """Let the ready version serve a part of the users from now on; 0: none."""
    site_of(request).service.split_users(percent)
    return RedirectResponse("/versions", SEE_OTHER)
