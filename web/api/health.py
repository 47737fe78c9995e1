"""Health of the server, for supervisors and monitoring."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response
from typing_extensions import TypedDict

from kinfolio.errors import KinfolioError
from kinfolio.web.callers import Staff
from kinfolio.web.metrics import exposition
from kinfolio.web.problems import Document, error_responses, problem
from kinfolio.web.site import site_of

router = APIRouter(tags=["health"])


class Ready(TypedDict):
    """The server can answer."""

    status: Literal["ready"]
    version: str
    other: str | None
    """Version that serves a part of the users while they are split."""


@router.get("/livez", response_class=PlainTextResponse)
async def livez() -> str:
    """Return "ok" while the process answers; asks nobody."""
    # Not in the thread pool, which long answers may fill.
    return "ok"


@router.get("/readyz", response_model=Ready, responses=error_responses(503))
def readyz(request: Request) -> Document:
    """Ask the database and the serving versions, two in a split; 503 names what fails."""
    try:
        version, other = site_of(request).service.serving_versions()
    except KinfolioError as error:
        return problem(503, "Not ready", str(error))
    return Document({"status": "ready", "version": version, "other": other})


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **error_responses(401, 403, 429),
    },
)
def metrics(request: Request, caller: Staff) -> Response:
    """Return metrics in the text format of Prometheus, for a token of role analyst."""
    registry = site_of(request).registry
    return Response(exposition(registry), media_type=CONTENT_TYPE_LATEST)
