"""Versions of the embeddings, their drift, roll back with a confirmation, the report of the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kinfolio.errors import NotFound, NotReady, quoted
from kinfolio.gnn.drift.config import DriftConfig
from kinfolio.gnn.drift.records import DriftReport, Measure
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

_BADGES = {
    "steady": ("good", "steady"),
    "moved": ("accent", "moved"),
    "retrain": ("bad", "train again"),
}
_TITLES = {
    "new_users": "New users",
    "new_products": "New products",
    "new_holdings": "New holdings",
    "lost_holdings": "Lost holdings",
    "holdings_per_user": "Holdings per user",
    "popularity": "Popularity",
    "categories": "Categories",
    "popularity_of_new_holdings": "Popularity, new holdings only",
    "categories_of_new_holdings": "Categories, new holdings only",
}
_MOST_MOVES = 3


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version for display."""

    version: Version
    created: str
    metrics: dict[str, float]
    recall: str


@dataclass(frozen=True, slots=True)
class ShownMeasure:
    """A measure for display."""

    measure: Measure
    title: str
    value: str
    about: str


@router.get("/versions")
def list_versions(request: Request, caller: Staff) -> Response:
    """Show the versions in the graph."""
    found = [shown_version(one) for one in site_of(request).service.versions()]
    is_serving = any(one.version.state == "active" for one in found)
    return render(
        request, "model/versions.html", area="versions", versions=found, is_serving=is_serving
    )


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


@router.get("/versions/drift")
def drift(request: Request, caller: Staff) -> Response:
    """Show the last measurement; begin another one if it is old."""
    found = site_of(request).service.drift.latest()
    report = found.report
    return render(
        request,
        "model/drift.html",
        block="drift",
        area="versions",
        found=found,
        summary="" if report is None else _summary(report),
        rows=[] if report is None else [_shown_measure(one) for one in report.measures],
        at="" if found.at is None else f"{found.at:%Y-%m-%d %H:%M} UTC",
        badges=_BADGES,
        limits=DriftConfig(),
    )


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


def _summary(report: DriftReport) -> str:
    if report.verdict == "steady":
        return "Users, products and holdings are distributed as in the training."
    names = ["the quality of lists" if one == "quality" else one for one in report.moved]
    joined = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    if report.verdict == "moved":
        return f"Moved since the training: {joined}. Lists still follow new holdings at once."
    return f"Far from the training: {joined}. Train again:"


def _shown_measure(measure: Measure) -> ShownMeasure:
    value = "withheld"
    if measure.value is not None:
        is_share = measure.kind == "share"
        value = f"{measure.value:.1%}" if is_share else f"{measure.value:.3f}"
    return ShownMeasure(
        measure, _TITLES.get(measure.name, measure.name), value, _moves(measure) or measure.detail
    )


def _moves(measure: Measure) -> str:
    """Return the categories that moved most; empty where nothing moved."""
    if measure.verdict == "steady" or not measure.name.startswith("categories"):
        return ""
    told = [
        (one.name, one.then, one.now)
        for one in measure.groups
        if one.then is not None and one.now is not None
    ]
    told.sort(key=lambda one: -abs(one[2] - one[1]))
    return ", ".join(f"{name} {then:.0%} to {now:.0%}" for name, then, now in told[:_MOST_MOVES])
