"""Sign in by a token or a one-time link, and sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from kinfolio.web.access.sessions import COOKIE
from kinfolio.web.callers import find_caller
from kinfolio.web.pages.rendering import render, sign_in_page
from kinfolio.web.site import site_of

router = APIRouter()
_SEE_OTHER = 303


@router.get("/login")
def show_form(request: Request) -> Response:
    """Show the form that takes a token."""
    return render(request, "login.html", problem="")


@router.post("/login")
def sign_in(request: Request, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Trade a token for a session."""
    site = site_of(request)
    site.sign_ins.take(request.client.host if request.client else "")
    found = site.tokens.find(token.strip())
    if found is None:
        return sign_in_page(
            request,
            "This token is not known. Create one with: kinfolio token add --role analyst",
        )
    return _with_session(request, found.id)


@router.get("/start/{secret}")
def use_link(request: Request, secret: str) -> Response:
    """Begin a session by the one-time link that `kinfolio serve` prints."""
    site = site_of(request)
    site.sign_ins.take(request.client.host if request.client else "")
    token = site.sessions.use_link(secret)
    if token is None or site.tokens.by_id(token) is None:
        return sign_in_page(
            request,
            "This link was used or is too old. Restart kinfolio serve for a new one, or sign in "
            "with a token.",
        )
    return _with_session(request, token)


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session."""
    caller = find_caller(request)
    if caller and caller.session:
        site_of(request).sessions.close(caller.session)
    response = RedirectResponse("/login", _SEE_OTHER)
    response.delete_cookie(COOKIE, path="/")
    return response


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
