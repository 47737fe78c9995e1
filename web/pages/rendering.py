"""Templates to responses: every value is cleaned, then escaped; htmx gets one block of a page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.environment import TemplateStream
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, StreamingResponse

from kinfolio.errors import KinfolioError
from kinfolio.json_text import UNSAFE
from kinfolio.web.callers import Caller, find_caller
from kinfolio.web.paths import segment
from kinfolio.web.pictures.svg import percent, signed

INTEGRITY = {
    "htmx.min.js": "sha384-Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn",
    "hx-sse.min.js": "sha384-v8HvucQ+ohQhMg0arboXc5049yNR46QKMjphs7YDch+Wm7zpfK5XVS01f26mQDJV",
}
"""Hashes of the bundled scripts, htmx 4.0.1: browsers run nothing else."""
_VARY = {"vary": "HX-Request-Type"}
_PARTS_AT_ONCE = 40
"""Parts of a template in one chunk: about one product of a list."""
CITATION = re.compile(r"(?P<quoted>“[^”]*”)|\s*\[(?P<number>\d+)\]")
"""Of evidence; brackets in a quoted name are no citation."""


def render(
    request: Request,
    template: str,
    *,
    block: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """Return a page; where htmx asks for a part of it, only the block of that name."""
    page = _environment().get_template(template)
    context = {"area": "", **values, "caller": _caller(request)}
    if block and is_partial(request):
        text = "".join(page.blocks[block](page.new_context(context)))
    else:
        text = page.render(context)
    return HTMLResponse(text, status, _VARY | (headers or {}))


def render_stream(
    request: Request, template: str, *, block: str, **values: object
) -> StreamingResponse:
    """Return a page, or its block, sent while it is written: its values may be functions."""
    page = _environment().get_template(template)
    context = {"area": "", **values, "caller": _caller(request)}
    parts = page.blocks[block](page.new_context(context)) if is_partial(request) else None
    stream = TemplateStream(iter(parts or page.generate(context)))
    stream.enable_buffering(_PARTS_AT_ONCE)
    return StreamingResponse(stream, headers=_VARY, media_type="text/html")


def fragments(template: str, block: str, **values: object) -> Iterator[str]:
    """Yield one block of a page; for events of a stream."""
    page = _environment().get_template(template)
    yield from page.blocks[block](page.new_context(values))


def is_partial(request: Request) -> bool:
    """Return whether htmx asks for a part of a page."""
    return request.headers.get("hx-request-type") == "partial"


def error_page(
    request: Request, status: int, title: str, detail: str, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """Return an error in the words of the command line; a notice where htmx asked for a part."""
    template = "problem.html" if is_partial(request) else "error.html"
    words = {"title": title, "detail": detail}
    return render(request, template, status=status, headers=headers, code=status, words=words)


def sign_in_page(request: Request, problem: str = "") -> HTMLResponse:
    """Return the form that takes a token; htmx loads it as a page of its own."""
    headers = {"hx-redirect": "/login"} if is_partial(request) else None
    return render(request, "login.html", status=401, headers=headers, problem=problem)


def link(*segments: str) -> str:
    """Return the address of a page; ids may contain any character."""
    return "/" + "/".join(map(segment, segments))


def _caller(request: Request) -> Caller | None:
    try:
        return find_caller(request)
    except KinfolioError:
        return None  # a bad header, or a damaged file of tokens: the page says so


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("kinfolio.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_displayed,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "cited": _cited,
        "coded": _coded,
        "uncited": lambda text: CITATION.sub(lambda found: found["quoted"] or "", text),
        "percent": percent,
        "points": _points,
        "signed": signed,
        "sentence": _sentence,
    }
    found.globals |= {"link": link, "static": _static, "integrity": INTEGRITY}
    found.globals["ui"] = found.get_template("parts.html").module
    return found


def _displayed(value: Any) -> Any:
    # Any: Jinja passes every value. Bidirectional marks would reverse what is read.
    return UNSAFE.sub(" ", value) if type(value) is str else value


def _cited(text: str) -> Markup:
    """Return a sentence whose marks `[1]` are links to the rows of the table."""

    def linked(found: re.Match[str]) -> str:
        number = found["number"]
        link = (
            f'<a class="cite" href="#evidence-{number}" aria-label="evidence {number}">{number}</a>'
        )
        return found["quoted"] or link

    return Markup(CITATION.sub(linked, str(escape(_displayed(text)))))  # noqa: S704 escaped


def _coded(text: str) -> Markup:
    """Return a text whose words between backticks are code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(_displayed(text)))))  # noqa: S704 escaped


def _sentence(text: str) -> str:
    """Return a message as a sentence; an id at its beginning keeps its letters."""
    first = text.partition(" ")[0]
    start = text[:1].upper() if first.isalpha() else text[:1]
    return f"{start}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"


def _points(value: float) -> str:
    """Return percentage points with their sign."""
    return f"{value:+.2f}".replace("-", "−")


@cache
def _static(name: str) -> str:
    """Return the address of a bundled file, which changes with its content."""
    content = files("kinfolio.web").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"
