"""The caller of a request: by a bearer token, a session's cookie or a trusted proxy's header.

A customer's token carries its user, and the user in a path must be that one. No user id is taken
from a body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from kinfolio.errors import KinfolioError
from kinfolio.web.access.sessions import COOKIE
from kinfolio.web.access.tokens import Role, Token
from kinfolio.web.paths import Id
from kinfolio.web.site import Site, site_of


class NotSignedIn(KinfolioError):
    """The request has no valid token."""


class Forbidden(KinfolioError):
    """The caller may not do this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks."""

    token: str
    """Id of the token."""
    role: Role
    user: str | None
    name: str

    @property
    def is_staff(self) -> bool:
        """Whether the caller may read about all users."""
        return self.role != "customer"


_bearer = Security(HTTPBearer(auto_error=False, description="kinfolio token add --role analyst"))
_cookie = Security(APIKeyCookie(name=COOKIE, auto_error=False, description="set by POST /login"))


def find_caller(request: Request) -> Caller | None:
    """Return the caller of a request; None without a valid token.

    Raises:
        NotSignedIn: the `Authorization` header is not valid; a cookie does not replace it.
    """
    site = site_of(request)
    if headers := request.headers.getlist("authorization"):
        kind, _, secret = headers[0].partition(" ")
        is_one = len(headers) == 1 and kind.lower() == "bearer"
        found = site.tokens.find(secret.strip()) if is_one else None
        if found is None:
            raise NotSignedIn("the token is not known; type: kinfolio token add --role analyst")
        return _caller(found)
    if session := request.cookies.get(COOKIE):
        token_id = site.sessions.token_of(session)
        token = site.tokens.by_id(token_id) if token_id else None
        if token is not None:
            return _caller(token)
    if site.settings.proxy_header:
        # Two of them: one is the caller's own, and which one is not known.
        names = request.headers.getlist(site.settings.proxy_header)
        named = site.tokens.by_name(names[0]) if len(names) == 1 else None
        return _caller(named) if named else None
    return None


def _caller(token: Token) -> Caller:
    return Caller(token=token.id, role=token.role, user=token.user, name=token.name)


async def current_caller(request: Request, _: Any = _bearer, __: Any = _cookie) -> Caller:
    """Return the caller, who has not exceeded the rate limit.

    Raises:
        NotSignedIn: there is none.
        TooManyRequests: the caller asks too often.
    """
    caller = find_caller(request)
    if caller is None:
        raise NotSignedIn(
            "sign in, or send the header Authorization: Bearer TOKEN; "
            "type: kinfolio token add --role analyst"
        )
    site_of(request).rate.take(caller.token)
    return caller


AnyCaller = Annotated[Caller, Depends(current_caller)]


def _require(*roles: Role) -> Callable[[Caller], Awaitable[Caller]]:
    async def check(caller: AnyCaller) -> Caller:
        if caller.role not in roles:
            raise Forbidden(f"a token of role {caller.role} may not do this; it needs {roles[0]}")
        return caller

    return check


Staff = Annotated[Caller, Depends(_require("analyst", "admin"))]
Admin = Annotated[Caller, Depends(_require("admin"))]


async def _user_of_path(
    request: Request,
    user: Annotated[Id, Path(description="id of a user", examples=["p007"])],
    caller: AnyCaller,
) -> str:
    site: Site = site_of(request)
    id = site.service.normal_id(user)
    if caller.role == "customer" and id != caller.user:
        raise Forbidden("this token is for another user")
    return id


async def _product_of_path(
    request: Request,
    product: Annotated[Id, Path(description="id of a product", examples=["opal-daily-note"])],
) -> str:
    return site_of(request).service.normal_id(product)


UserId = Annotated[str, Depends(_user_of_path)]
"""The user in the path, whom the caller may ask about."""
ProductId = Annotated[str, Depends(_product_of_path)]
