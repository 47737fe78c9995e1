"""Middleware before any answer: foreign requests are refused, and every response gets its headers.

Cross-site request forgery: a state-changing request of a browser says where it comes from, in
`Sec-Fetch-Site` (all current browsers) or `Origin` (older ones).
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from kinfolio.web.problems import TOO_LARGE, problem
from kinfolio.web.settings import Settings

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HOST = re.compile(r"([^\s:@/\[\]]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")
"""Name or address, and port."""
_OWN_SITES = ("same-origin", "none")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FRAMING_POLICY = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
"""Of the page that shows the report of the run in a frame."""
_STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)
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

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._max_body_bytes = settings.max_body_bytes
        self._ambient = ("cookie", settings.proxy_header or "cookie")
        """Headers that come with every request of a browser, whoever caused it."""

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

        refused = self._refusal(scope["method"], Headers(scope=scope))
        await (refused or self._app)(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        if not self._is_known_host(headers.get("host", "")):
            return problem(
                400,
                "Unknown host",
                "the request names another host; open the address that kinfolio serve printed, "
                "or start it with --allow-host NAME",
            )
        if "transfer-encoding" in headers and "content-length" in headers:
            # A proxy may have used the other one to find the end of the request (RFC 9112, 6.1).
            return problem(
                400,
                "Bad request",
                "the request has two lengths; send Content-Length or Transfer-Encoding, not both",
                {"connection": "close"},
            )
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_body_bytes:
            return problem(413, "Too large", TOO_LARGE)
        if method not in _SAFE_METHODS and is_forged(headers, self._ambient):
            return problem(
                403, "Forbidden", "the request comes from another site; send it from kinfolio's own"
            )
        return None

    def _is_known_host(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        return found is not None and (found[1].lower() in self._hosts or "*" in self._hosts)


def policy_of_report(page: str) -> str:
    """Return the policy of a report: its own style sheet, no scripts, nothing loaded, no origin."""
    sheets = " ".join(f"'sha256-{_hash(sheet)}'" for sheet in _STYLE.findall(page)) or "'none'"
    return (
        f"sandbox; default-src 'none'; style-src {sheets}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def is_forged(headers: Headers, ambient: tuple[str, ...]) -> bool:
    """Return whether a state-changing request comes from another site.

    `ambient`: headers that a browser or its proxy adds to requests of other sites, too.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OWN_SITES
    origin = headers.get("origin")
    if origin is not None:
        own = headers.get("host", "")
        return origin not in (f"http://{own}", f"https://{own}")
    # Without either it is no browser of this decade; a cookie then proves nothing.
    return "authorization" not in headers and any(name in headers for name in ambient)
