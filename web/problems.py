"""Errors as documents: `application/problem+json` (RFC 9457) with the sentences of the CLI."""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse

from kinfolio.errors import (
    BadConfig,
    BadInput,
    KinfolioError,
    NotFound,
    NotReady,
    OutOfMemory,
    ServerError,
    VersionDamaged,
)
from kinfolio.json_text import json_text

MEDIA_TYPE = "application/problem+json"
_TITLES: tuple[tuple[type[KinfolioError], int, str], ...] = (
    (NotFound, 404, "Not found"),
    (BadInput, 422, "Bad input"),
    (BadConfig, 422, "Bad input"),
    (NotReady, 503, "Not ready"),
    (ServerError, 503, "The database does not answer"),
    (VersionDamaged, 503, "The version is damaged"),
    (OutOfMemory, 503, "Out of memory"),
)
ERRORS = {
    400: "no valid request",
    401: "no valid token",
    403: "not allowed",
    404: "not found",
    413: "the body is too large",
    422: "bad input",
    429: "too many requests",
    503: "the database, the version or a place is missing",
}
TOO_LARGE = "the body of the request is too large"
UNEXPECTED = "an unexpected error; the log of kinfolio serve has the details"


class Document(JSONResponse):
    """A JSON response with the escapes of the command line."""

    def render(self, content: Any) -> bytes:
        """Return the bytes of a document. Any: a value of the graph or a record."""
        return json_text(content).encode()


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return errors for the OpenAPI document. Any: JSON values."""
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": schema}}
    return {one: {"description": ERRORS[one], "content": content} for one in statuses}


def problem(
    status: int, title: str, detail: str, headers: dict[str, str] | None = None
) -> Document:
    """Return an error as a response; `type` and `title` say the kind, `detail` what to do."""
    return Document(_content(status, title, detail), status, headers, MEDIA_TYPE)


def content_of(error: KinfolioError) -> dict[str, Any]:
    """Return an error as a problem document."""
    return _content(*status_of(error), str(error))


def _content(status: int, title: str, detail: str) -> dict[str, Any]:
    kind = title.lower().replace(" ", "-")
    return {"type": f"urn:kinfolio:{kind}", "title": title, "status": status, "detail": detail}


def status_of(error: KinfolioError) -> tuple[int, str]:
    """Return the status and the title of an error."""
    for kind, status, title in _TITLES:
        if isinstance(error, kind):
            return status, title
    return 500, "Failed"
