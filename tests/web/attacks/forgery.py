"""Attacks by other sites: forged requests of a signed-in browser, hosts, preflights, redirects."""

from __future__ import annotations

import json
from typing import Any

from tests.web.attacks.attack import LIST, ROLL_BACK, SERVING, Attack
from tests.web.running import API, FORM, OTHER, OWN_SITE, Web

_JSON = {"Content-Type": "application/json"}
_CHAT = f"{API}/users/{OTHER}/threads"


def _forged(
    name: str, headers: dict[str, str], status: int = 403, body: object = ROLL_BACK
) -> Attack:
    return Attack(f"forged: {name}", status, "PUT", SERVING, None, body, headers, session="admin")


def _origin(name: str, pattern: str) -> Attack:
    def prepare(web: Web) -> dict[str, Any]:
        return {"headers": {"Origin": pattern.format(port=web.port)}}

    return Attack(
        f"forged: origin {name}", 403, "PUT", SERVING, None, ROLL_BACK, {}, prepare, "admin"
    )


ORIGINS = (
    _origin("of another site", "https://evil.example"),
    _origin("null", "null"),
    _origin("of another port", "http://127.0.0.1:1"),
    _origin("without the port", "http://127.0.0.1"),
    _origin("that begins alike", "http://127.0.0.1:{port}.evil.example"),
    _origin("with a user", "http://127.0.0.1:{port}@evil.example"),
    _origin("of another name of this machine", "http://localhost:{port}"),
    _origin("in brackets", "http://["),
    _origin("that is empty", ""),
    _origin("without a scheme", "127.0.0.1:{port}"),
    _origin("twice", "http://127.0.0.1:{port}, https://evil.example"),
)
SITES = (
    _forged("cross-site", {"Sec-Fetch-Site": "cross-site"}),
    _forged("same-site", {"Sec-Fetch-Site": "same-site"}),
    _forged("site in capitals", {"Sec-Fetch-Site": "SAME-ORIGIN"}),
    _forged("two sites", {"Sec-Fetch-Site": "same-origin, cross-site"}),
    _forged("neither site nor origin", {}),
    _forged("only a referrer", {"Referer": "http://127.0.0.1/"}),
    _forged("in a frame", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}),
    _forged("from htmx", {"HX-Request": "true", "Sec-Fetch-Site": "cross-site"}),
)
BODIES = (
    _forged(
        "JSON as plain text",
        {"Content-Type": "text/plain", **OWN_SITE},
        422,
        json.dumps(ROLL_BACK).encode(),
    ),
    _forged("a form", {**FORM, **OWN_SITE}, 422, b"version=first"),
    _forged(
        "a form with files",
        {"Content-Type": "multipart/form-data; boundary=x", **OWN_SITE},
        422,
        b'--x\r\nContent-Disposition: form-data; name="version"\r\n\r\nfirst\r\n--x--\r\n',
    ),
    _forged("no type", {**OWN_SITE}, 422, json.dumps(ROLL_BACK).encode()),
    _forged(
        "two types",
        {"Content-Type": "text/plain, application/json", **OWN_SITE},
        422,
        json.dumps(ROLL_BACK).encode(),
    ),
)
ADDRESSES = tuple(
    Attack(f"forged: {method} {path}", 403, method, path, None, body, headers, session="admin")
    for method, path, body, headers in (
        ("DELETE", f"{API}/users/{OTHER}", None, {"Sec-Fetch-Site": "cross-site"}),
        ("POST", _CHAT, None, {"Sec-Fetch-Site": "cross-site"}),
        (
            "POST",
            f"{_CHAT}/{'0' * 32}/messages",
            {"text": "hello"},
            {"Sec-Fetch-Site": "cross-site"},
        ),
        ("POST", f"{API}/versions/split", {"percent": 50}, {"Sec-Fetch-Site": "cross-site"}),
        ("POST", "/versions/split", b"percent=50", {**FORM, "Sec-Fetch-Site": "cross-site"}),
        ("POST", "/logout", None, {"Sec-Fetch-Site": "cross-site"}),
        ("POST", "/login", b"token=x", {"Sec-Fetch-Site": "cross-site", **FORM}),
        ("POST", "/login?", b"token=x", {"Origin": "https://evil.example", **FORM}),
    )
)
HOSTS = tuple(
    Attack(f"host: {host}", 400, "GET", "/livez", None, None, {"Host": host, **more})
    for host, more in (
        ("evil.example", {}),
        ("evil.example:8080", {}),
        ("127.0.0.1.evil.example", {}),
        ("localhost.evil.example:80", {}),
        ("localhost@evil.example", {}),
        ("localhost:80@evil.example", {}),
        ("localhost:80:80", {}),
        ("localhost:evil.example", {}),
        ("evil.example#localhost", {}),
        ("localhost evil.example", {}),
        ("[::2]", {}),
        ("2130706433", {}),
        ("", {}),
        ("rebind.example", {"X-Forwarded-Host": "localhost"}),
    )
)
METHODS = (
    Attack("method: TRACE", 405, "TRACE", LIST, "analyst"),
    Attack("method: PROPFIND", 405, "PROPFIND", LIST, "analyst"),
    Attack("method: lower case", 405, "get", LIST, "analyst"),
    Attack("method: HEAD", 405, "HEAD", LIST, "analyst"),
    Attack("method: HEAD of a link", 405, "HEAD", "/start/0000"),
    Attack("method: a reading message", 405, "GET", f"{_CHAT}/{'0' * 32}/messages", "analyst"),
    Attack("method: a reading roll back", 405, "GET", SERVING, "admin"),
    Attack("method: a reading sign-out", 405, "GET", "/logout", "admin"),
    Attack(
        "method: a preflight",
        405,
        "OPTIONS",
        SERVING,
        headers={
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization",
        },
    ),
)
ATTACKS = (*ORIGINS, *SITES, *BODIES, *ADDRESSES, *HOSTS, *METHODS)
