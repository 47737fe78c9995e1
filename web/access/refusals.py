"""Middleware before any answer: foreign requests are refused, and every response gets its headers.

Cross-site request forgery: a state-changing request of a browser says where it comes from, in
`Sec-Fetch-Site` (all current browsers) or `Origin` (older ones).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from kinfolio.web.access.sessions import COOKIE
from kinfolio.web.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OWN_SITES = ("same-origin", "none")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Refusals:
    """Refuses foreign hosts and forged requests."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refused request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        if not self._is_known_host(headers.get("host", "")):
            refused = problem(
                400,
                "Unknown host",
                "the request names another host; open the address that kinfolio serve printed, "
                "or start it with --allow-host NAME",
            )
        elif scope["method"] not in _SAFE_METHODS and is_forged(headers):
            refused = problem(
                403, "Forbidden", "the request comes from another site; send it from kinfolio's own"
            )
        else:
            await self._app(scope, receive, send_with_headers)
            return
        await refused(scope, receive, send_with_headers)

    def _is_known_host(self, host: str) -> bool:
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return name.lower() in self._hosts or "*" in self._hosts


def is_forged(headers: Headers) -> bool:
    """Return whether a state-changing request comes from another site."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OWN_SITES
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc != headers.get("host")
    # Without either it is no browser of this decade; a cookie then proves nothing.
    return f"{COOKIE}=" in headers.get("cookie", "") and "authorization" not in headers
