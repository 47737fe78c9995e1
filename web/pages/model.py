"""Versions of the embeddings, roll back with a confirmation, and the report of the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kinfolio.errors import NotFound, NotReady, quoted
from kinfolio.gnn.publishing.versions import Version
from kinfolio.gnn.reporting.choices import choice_sentences
from kinfolio.os_errors import os_errors
from kinfolio.run import Run
from kinfolio.web.access.refusals import FRAMING_POLICY, policy_of_report
from kinfolio.web.callers import Admin, Staff
from kinfolio.web.pages.rendering import render
from kinfolio.web.pages.users import SEE_OTHER
from kinfolio.web.service import Service
from kinfolio.web.site import site_of

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version for display."""

    version: Version
    created: str
    metrics: dict[str, float]
    recall: str


@router.get("/versions")
def list_versions(request: Request, caller: Staff) -> Response:
    """Show the versions in the graph."""
    found = [shown_version(one) for one in site_of(request).service.versions()]
    return render(request, "model/versions.html", area="versions", versions=found)


@router.get("/versions/{name:id}/serve")
def confirm(request: Request, caller: Admin, name: str) -> Response:
    """Ask before a version is served."""
    versions = site_of(request).service.versions()
    wanted = _named(versions, name)
    if wanted.state != "ready":
        raise NotReady(f"version {quoted(name)} is {wanted.state}; only a ready one can be served")
    active = next((one for one in versions if one.state == "active"), None)
    return render(
        request,
        "model/serve.html",
        area="versions",
        wanted=shown_version(wanted),
        active=active and shown_version(active),
    )


@router.post("/versions/serving")
def serve(
    request: Request, caller: Admin, version: Annotated[str, Form(max_length=200)]
) -> Response:
    """Serve a version from now on."""
    site_of(request).service.serve_version(version)
    return RedirectResponse("/versions", SEE_OTHER)


@router.get("/report")
def report(request: Request, caller: Staff) -> Response:
    """Show metrics, choices and report of the run; what to type where there is none."""
    site = site_of(request)
    try:
        info = Run(site.settings.run).need_info()
    except NotReady as error:
        return render(
            request,
            "model/report.html",
            area="report",
            info=None,
            problem=str(error),
            recall=None,
            choices=[],
            served=None,
            written=None,
        )
    return render(
        request,
        "model/report.html",
        area="report",
        info=info,
        headers={"content-security-policy": FRAMING_POLICY},
        problem="",
        written=_written(_report_of(request)),
        choices=[sentence.partition(": ") for sentence in choice_sentences(info)],
        served=_served(site.service),
    )


@router.get("/report/whole")
def whole_report(request: Request, caller: Staff) -> Response:
    """Show the page that `kinfolio report` wrote into the run, in a sandbox."""
    file = _report_of(request)
    if _written(file) is None:
        raise NotFound(f"there is no report {file} yet; type: kinfolio report")
    with os_errors(file, "read"):
        page = file.read_text("utf-8")
    return HTMLResponse(page, headers={"content-security-policy": policy_of_report(page)})


def _report_of(request: Request) -> Path:
    return site_of(request).settings.run / "report.html"


def _written(file: Path) -> str | None:
    """Return the time when a file was written, UTC; None if there is none."""
    if not file.is_file():
        return None
    return f"{datetime.fromtimestamp(file.stat().st_mtime, UTC):%Y-%m-%d %H:%M}"


def _served(service: Service) -> ShownVersion | None:
    return next((shown_version(one) for one in service.versions() if one.state == "active"), None)


def _named(versions: tuple[Version, ...], name: str) -> Version:
    for one in versions:
        if one.name == name:
            return one
    raise NotFound(f"there is no version {quoted(name)} in the graph; type: kinfolio versions")


def shown_version(version: Version) -> ShownVersion:
    """Return a version for display."""
    metrics = json.loads(version.metrics or "{}").get("valid", {})
    return ShownVersion(
        version,
        _day(version.created_at),
        {name: value for name, value in metrics.items() if isinstance(value, int | float)},
        "no index" if version.index_recall is None else f"{version.index_recall:.3f}",
    )


def _day(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
    except ValueError:
        return text
