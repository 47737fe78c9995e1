"""Templates to responses: Jinja2 with escaping; hostile characters of names are not displayed."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from kinfolio.json_text import UNSAFE
from kinfolio.web.callers import find_caller
from kinfolio.web.paths import segment


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("kinfolio.web", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_displayed,
    )
    environment.filters["segment"] = segment
    return environment


def _displayed(value: Any) -> Any:
    # Any: Jinja passes every value. Bidirectional marks would reverse what is read.
    return UNSAFE.sub(" ", value) if type(value) is str else value


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """Return a page; `caller`, `is_fragment` and `path` are available in every template."""
    text = (
        _environment()
        .get_template(template)
        .render(
            caller=find_caller(request),
            is_fragment="hx-request" in request.headers,
            path=request.url.path,
            **values,
        )
    )
    return HTMLResponse(text, status, {"vary": "HX-Request", **(headers or {})})


def error_page(
    request: Request, status: int, title: str, detail: str, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """Return an error in the words of the command line."""
    return render(request, "error.html", status=status, headers=headers, title=title, detail=detail)


def sign_in_page(request: Request, problem: str = "") -> HTMLResponse:
    """Return the form that takes a token."""
    return render(request, "login.html", status=401, problem=problem)
