"""The application: routes, error documents and middleware of one server."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from kinfolio.errors import KinfolioError, quoted
from kinfolio.web.access.limits import Overloaded, TooManyRequests
from kinfolio.web.access.refusals import Refusals
from kinfolio.web.api import administration, answers, conversations, health, provenance
from kinfolio.web.api.schemas import Problem
from kinfolio.web.callers import Forbidden, NotSignedIn
from kinfolio.web.metrics import DriftMetrics, Metrics
from kinfolio.web.pages import ROUTERS
from kinfolio.web.pages.rendering import error_page, sign_in_page
from kinfolio.web.paths import API, EscapedSlashes
from kinfolio.web.problems import ERRORS, TOO_LARGE, UNEXPECTED, error_responses, problem, status_of
from kinfolio.web.site import Site

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_DESCRIPTION = """Recommendations from a graph, with reasons that the graph proves.

Every request needs a token (`kinfolio token add --role analyst`) in the header
`Authorization: Bearer TOKEN`. The token of a customer reads about its own user only.
Errors are problem documents (RFC 9457) with the sentences of the command line.
"""
_TITLES = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 413: "Too large"}


def make_app(site: Site) -> ASGIApp:
    """Return the application of a server, with all middleware."""
    app = make_api(site)
    site.registry.register(DriftMetrics(site.service.drift))
    refusals = Refusals(app, site.settings)
    # The outermost one first: headers and metrics include the errors of all others.
    return EscapedSlashes(Metrics(refusals, site.registry))


class _Application(FastAPI):
    """Corrects the OpenAPI document, so that it is valid and the error document has one name."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document. Any: JSON values."""
        document = super().openapi()
        schemas = document["components"]["schemas"]
        schemas.setdefault(Problem.__name__, TypeAdapter(Problem).json_schema())
        for path in document["paths"].values():
            for operation in path.values():
                for media in operation["responses"].get("200", {}).get("content", {}).values():
                    # Of OpenAPI 3.2, which few programs read.
                    if media.pop("itemSchema", None):
                        media["schema"] = {"type": "string"}
        return document


def make_api(site: Site) -> FastAPI:
    """Return the application without middleware; its `openapi()` documents the API."""
    app = _Application(
        title="kinfolio",
        version=version("kinfolio"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=site.settings.max_body_bytes,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.site = site
    api = APIRouter(prefix=API, responses=error_responses(*ERRORS))
    for module in (answers, conversations, administration, provenance):
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=str(files("kinfolio.web") / "static")), "static")
    app.add_exception_handler(KinfolioError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unexpected)
    return app


# Any: Starlette's handlers take every exception.
async def _on_error(request: Request, error: Any) -> Response:
    headers: dict[str, str] = {}
    if isinstance(error, NotSignedIn):
        if not _is_api(request):
            return sign_in_page(request)
        status, title, headers = 401, "Not signed in", {"www-authenticate": "Bearer"}
    elif isinstance(error, Forbidden):
        status, title = 403, "Forbidden"
    elif isinstance(error, TooManyRequests):
        is_overloaded = isinstance(error, Overloaded)
        status, title = (503, "Overloaded") if is_overloaded else (429, "Too many requests")
        headers = {"retry-after": str(error.seconds)}
    else:
        status, title = status_of(error)
    return _respond(request, status, title, str(error), headers)


async def _on_invalid(request: Request, error: Any) -> Response:
    first = error.errors()[0]
    place = ".".join(str(one) for one in first["loc"][1:]) or str(first["loc"][0])
    given = first.get("input")
    found = f" is {quoted(given)}" if isinstance(given, str | int | float | bool) else ""
    return _respond(request, 422, "Bad input", f"{place}{found}: {first['msg'].lower()}")


async def _on_http_error(request: Request, error: Any) -> Response:
    title = _TITLES.get(error.status_code, "Failed")
    details = {
        404: "there is no such address; GET /docs lists the API",
        413: TOO_LARGE,
    }
    detail = details.get(error.status_code, str(error.detail))
    return _respond(request, error.status_code, title, detail, dict(error.headers or {}))


async def _on_unexpected(request: Request, _: Any) -> Response:
    # The server logs the traceback.
    return _respond(request, 500, "Unexpected error", UNEXPECTED)


def _respond(
    request: Request, status: int, title: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    if _is_api(request):
        return problem(status, title, detail, headers)
    return error_page(request, status, title, detail, headers)


def _is_api(request: Request) -> bool:
    path = request.url.path
    return path.startswith((f"{API}/", "/openapi.json", "/readyz", "/livez", "/metrics"))
