"""Where a version comes from, and its approval after a confirmation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from kinfolio.errors import NotReady, quoted
from kinfolio.web.api.provenance import approver
from kinfolio.web.callers import Admin, Staff
from kinfolio.web.pages.rendering import render
from kinfolio.web.pages.users import SEE_OTHER
from kinfolio.web.site import site_of

router = APIRouter()


@router.get("/versions/{name:id}/lineage")
def show(request: Request, caller: Staff, name: str, check: bool = False) -> Response:
    """Show where a version comes from; with `check` compared with what is there now."""
    found = site_of(request).service.lineage(name, is_checked=check)
    return render(request, "model/lineage.html", area="versions", found=found)


@router.get("/versions/{name:id}/approve")
def confirm(request: Request, caller: Admin, name: str) -> Response:
    """Ask before a version is approved."""
    found = site_of(request).service.lineage(name, is_checked=False)
    if found.state == "writing":
        raise NotReady(f"version {quoted(name)} is still being written; wait for the write-back")
    return render(request, "model/approve.html", area="versions", found=found, by=approver(caller))


@router.post("/versions/approval")
def approve(
    request: Request, caller: Admin, version: Annotated[str, Form(max_length=200)]
) -> Response:
    """Approve a version in the name of the caller's token."""
    site_of(request).service.approve_version(version, approver(caller))
    return RedirectResponse("/versions", SEE_OTHER)
