"""Attacks on who asks: tokens, users of paths, roles, sessions, headers of proxies."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from kinfolio.web.access.sessions import COOKIE
from tests.web.attacks.attack import DATA, LIST, ROLL_BACK, SERVING, Attack
from tests.web.running import API, FORM, ME, OTHER, OWN_SITE, Web


def _bearer(text: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {text}"}}


def _basic(web: Web) -> dict[str, Any]:
    pair = base64.b64encode(f"admin:{web.secrets['admin']}".encode()).decode()
    return {"headers": {"Authorization": f"Basic {pair}"}}


def _hash(web: Web) -> dict[str, Any]:
    return _bearer(hashlib.sha256(web.secrets["admin"].encode()).hexdigest())


def _id(web: Web) -> dict[str, Any]:
    return _bearer(web.site.tokens.list()[0].id)


TOKENS = (
    Attack("no token", 401),
    Attack("a wrong token", 401, prepare=lambda _: _bearer("kf_wrong")),
    Attack("an empty header", 401, headers={"Authorization": ""}),
    Attack("no secret after Bearer", 401, headers={"Authorization": "Bearer"}),
    Attack(
        "the token in the query",
        401,
        prepare=lambda web: {
            "path": f"{LIST}?token={web.secrets['admin']}&access_token={web.secrets['admin']}"
        },
    ),
    Attack("Basic with a valid token", 401, prepare=_basic),
    Attack("a token without its end", 401, prepare=lambda w: _bearer(w.secrets["admin"][:-1])),
    Attack("a token in capitals", 401, prepare=lambda w: _bearer(w.secrets["admin"].upper())),
    Attack("a wrong token before one", 401, prepare=lambda w: _bearer(f"x {w.secrets['admin']}")),
    Attack("the hash from the file of tokens", 401, prepare=_hash),
    Attack("the id of a token", 401, prepare=_id),
    Attack("the name of a token", 401, prepare=lambda _: _bearer("admin")),
    Attack("letters outside ASCII", 401, prepare=lambda _: _bearer("kf_\xe9\xff")),
    Attack("a wrong token beside a session", 401, session="admin", prepare=lambda _: _bearer("x")),
    Attack("a token as the cookie", 401, prepare=lambda w: {"cookie": w.secrets["admin"]}),
    Attack("a guessed cookie", 401, headers={"Cookie": f"{COOKIE}=0000"}),
    Attack("a token in another cookie", 401, prepare=lambda w: _other_cookie(w.secrets["admin"])),
    Attack("metrics without a token", 401, path="/metrics"),
)


def _other_cookie(secret: str) -> dict[str, Any]:
    return {"headers": {"Cookie": f"token={secret}; authorization=Bearer {secret}"}}


def _own(path: str, name: str, method: str = "GET", body: object = None) -> Attack:
    return Attack(f"customer: {name}", 403, method, f"{API}{path}", "customer", body)


EVENT = {"events": [{"request": "r", "product": "p5", "kind": "held", "at": "2026-01-01T00:00:00"}]}
OTHER_USERS = (
    _own(f"/users/{OTHER}/recommendations", "another's list"),
    _own(f"/users/{OTHER}/recommendations/p5", "another's reasons"),
    _own(f"/users/{OTHER}/data", "another's data"),
    _own(f"/users/{OTHER}/why-not/p5", "another's rules"),
    _own(f"/users/{OTHER}/compare/p5/p2", "a comparison for another"),
    _own(f"/users/{OTHER}/what-if", "what if for another", "POST", {"without": []}),
    _own(f"/users/{OTHER}/events", "an event of another", "POST", EVENT),
    _own(f"/users/{OTHER}/threads", "a conversation of another", "POST"),
    _own(f"/users/{OTHER}/threads/{'0' * 32}", "another's thread"),
    _own(f"/users/{OTHER}/threads/{'0' * 32}", "deletes another's thread", "DELETE"),
    _own("/users/nobody/data", "whether a user exists"),
    _own("/users/%62ond/data", "another's encoded id"),
    _own("/users/%2562ond/data", "an id that is encoded twice"),
    _own(f"/users/{ME}%2F..%2F{OTHER}/data", "an encoded path"),
    _own(f"/users/{ME}%00{OTHER}/data", "a zero byte"),
    _own(f"/users/{OTHER}%00/data", "a zero byte at the end"),
    _own(f"/users/{ME}%0A{OTHER}/data", "a line break"),
    _own(f"/users/{ME};{OTHER}/data", "a path parameter"),
    _own(f"/users/{ME},{OTHER}/data", "a list of ids"),
    _own("/users/PEOPLE/data", "the own id in capitals"),
    _own("/users/%D1%80eople/data", "a look-alike letter"),
    _own("/users/%EF%BD%90eople/data", "a wide letter"),
    _own("/users/peo%E2%80%8Bple/data", "an invisible letter"),
    _own("/users/*/data", "a wildcard"),
    Attack(
        "customer: a path with dots", 404, "GET", f"{API}/users/{ME}/../{OTHER}/data", "customer"
    ),
    Attack(
        "customer: an address instead of the path",
        403,
        path=DATA,
        caller="customer",
        headers={"X-Original-URL": f"{API}/users/{ME}/data", "X-Rewrite-URL": "/livez"},
    ),
    Attack(
        "customer: another user in the body",
        422,
        "POST",
        f"{API}/users/{ME}/events",
        "customer",
        {**EVENT, "user": OTHER},
    ),
)
ROLES = (
    _own("/users", "searches users"),
    _own("/recommendations.csv", "exports all lists"),
    _own("/products/p2/audience", "reads whom to offer a product"),
    _own("/versions", "reads versions"),
    _own("/versions/serving", "rolls back", "PUT", ROLL_BACK),
    _own("/versions/split", "splits the users", "POST", {"percent": 50}),
    _own("/events/report", "reads the report of events"),
    _own(f"/users/{ME}", "deletes without the questions", "DELETE"),
    Attack("customer: metrics", 403, path="/metrics", caller="customer"),
    Attack("analyst: deletes a user", 403, "DELETE", f"{API}/users/{OTHER}", "analyst"),
    Attack("analyst: rolls back", 403, "PUT", SERVING, "analyst", ROLL_BACK),
    Attack("analyst: splits", 403, "POST", f"{API}/versions/split", "analyst", {"percent": 50}),
    Attack(
        "analyst: names a role",
        403,
        "DELETE",
        f"{API}/users/{OTHER}?role=admin",
        "analyst",
        headers={"X-Role": "admin", "X-User": "admin"},
    ),
    Attack(
        "analyst: overrides the method of a reading request",
        405,
        "GET",
        f"{API}/users/{OTHER}?_method=DELETE",
        "admin",
        headers={"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"},
    ),
    Attack(
        "analyst: overrides the method of a writing request",
        405,
        "POST",
        f"{API}/users/{OTHER}",
        "admin",
        b"_method=DELETE",
        headers={"X-HTTP-Method-Override": "DELETE", **FORM},
    ),
)
PROXIES = tuple(
    Attack(f"a proxy's header {name}", 401, headers={name: value})
    for name, value in (
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Real-IP", "127.0.0.1"),
        ("X-Forwarded-User", "admin"),
        ("X-Remote-User", "admin"),
        ("Remote-User", "browser"),
        ("Forwarded", "for=127.0.0.1;host=localhost"),
        ("X-Forwarded-Proto", "https"),
    )
)


def _revoked(web: Web) -> dict[str, Any]:
    token, secret = web.site.tokens.add("admin")
    form = f"token={secret}".encode()
    cookie = web.post("/login", form, caller=None, headers=FORM | OWN_SITE).cookie
    assert web.get(f"{API}/me", caller=None, cookie=cookie).status == 200
    web.site.tokens.revoke(token.id)
    return {"cookie": cookie}


def _revoked_token(web: Web) -> dict[str, Any]:
    token, secret = web.site.tokens.add("admin")
    web.site.tokens.revoke(token.id)
    return _bearer(secret)


def _signed_out(web: Web) -> dict[str, Any]:
    cookie = web.sign_in("admin")
    assert web.post("/logout", caller=None, cookie=cookie, headers=OWN_SITE).status == 303
    return {"cookie": cookie}


def _signed_out_beside_a_token(web: Web) -> dict[str, Any]:
    cookie = web.sign_in("admin")
    assert web.post("/logout", caller="other", cookie=cookie, headers=OWN_SITE).status == 303
    return {"cookie": cookie}


def _fixed(web: Web) -> dict[str, Any]:
    form = f"token={web.secrets['admin']}".encode()
    answer = web.post("/login", form, caller=None, cookie="fixed", headers=FORM | OWN_SITE)
    assert answer.cookie not in ("", "fixed")
    return {"cookie": "fixed"}


def _used_link(web: Web) -> dict[str, Any]:
    token = next(one for one in web.site.tokens.list() if one.name == "admin")
    path = f"/start/{web.site.sessions.create_link(token.id)}"
    assert web.get(path, caller=None).cookie
    return {"path": path}


def _link_of_revoked(web: Web) -> dict[str, Any]:
    token, _ = web.site.tokens.add("admin")
    path = f"/start/{web.site.sessions.create_link(token.id)}"
    web.site.tokens.revoke(token.id)
    return {"path": path}


SESSIONS = (
    Attack("the cookie of a revoked token", 401, prepare=_revoked),
    Attack("a revoked token", 401, prepare=_revoked_token),
    Attack("a cookie after signing out", 401, prepare=_signed_out),
    Attack("a cookie after signing out with a token", 401, prepare=_signed_out_beside_a_token),
    Attack("a session that the attacker chose", 401, prepare=_fixed),
    Attack("a link that was used", 401, prepare=_used_link),
    Attack("the link of a revoked token", 401, prepare=_link_of_revoked),
    Attack("a guessed link", 401, path="/start/0000"),
    Attack("the link as a token", 401, prepare=lambda web: _bearer(_unused_link(web))),
    Attack("the link as a cookie", 401, prepare=lambda web: {"cookie": _unused_link(web)}),
    Attack("a session as a token", 401, prepare=lambda web: _bearer(web.sign_in("admin"))),
    Attack(
        "sign in with a wrong token",
        401,
        "POST",
        "/login",
        body=b"token=x",
        headers=FORM | OWN_SITE,
    ),
)


def _unused_link(web: Web) -> str:
    return web.site.sessions.create_link(web.site.tokens.list()[0].id)


ATTACKS = (*TOKENS, *OTHER_USERS, *ROLES, *PROXIES, *SESSIONS)
