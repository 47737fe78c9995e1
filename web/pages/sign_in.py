"""Sign in by a token or a one-time link, and sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from kinfolio.web.access.sessions import COOKIE
from kinfolio.web.pages.rendering import render, sign_in_page
from kinfolio.web.site import site_of

router = APIRouter()
_SEE_OTHER = 303


@router.get("/login")
def show_form(request: Request) -> Response:
    """Show the form that takes a token."""
    return render(request, "login.html", problem="")


@router.post("/login")
def sign_in(request: Request, token: Annotated[str, Form()] = "") -> Response:
    """Trade a token for a session."""
    site = site_of(request)
    found = site.tokens.find(token.strip())
    if found is None:
        _count_failure(request)
        return sign_in_page(
            request,
            "This token is not known. Create one with: kinfolio token add --role analyst",
        )
    return _with_session(request, found.id)


@router.get("/start/{secret}")
def use_link(request: Request, secret: str) -> Response:
    """Begin a session by the one-time link that `kinfolio serve` prints."""
    site = site_of(request)
    token = site.sessions.use_link(secret)
    if token is None or site.tokens.by_id(token) is None:
        _count_failure(request)
        return sign_in_page(
            request,
            "This link was used or is too old. Restart kinfolio serve for a new one, or sign in "
            "with a token.",
        )
    return _with_session(request, token)


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session."""
    # Whoever sent the request: a token beside the cookie must not keep the session alive.
    if secret := request.cookies.get(COOKIE):
        site_of(request).sessions.close(secret)
    response = RedirectResponse("/login", _SEE_OTHER)
    response.delete_cookie(COOKIE, path="/")
    return response


def _count_failure(request: Request) -> None:
    # Only failures: behind a proxy all callers have one address, and one must not lock out others.
    site_of(request).sign_ins.take(request.client.host if request.client else "")


def _with_session(request: Request, token_id: str) -> Response:
    site = site_of(request)
    response = RedirectResponse("/", _SEE_OTHER)
    response.set_cookie(
        COOKIE,
        site.sessions.open(token_id),
        max_age=int(site.sessions.seconds),
        httponly=True,
        samesite="lax",
        secure=site.settings.is_secure,
    )
    return response
