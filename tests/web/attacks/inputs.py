"""Attacks by input: bodies, numbers, ids, paths of files, headers in ids."""

from __future__ import annotations

from tests.web.attacks.attack import DATA, LIST, ROLL_BACK, SERVING, Attack
from tests.web.attacks.identity import EVENT
from tests.web.running import API, FORM, ME, OTHER, OWN_SITE

_JSON = {"Content-Type": "application/json"}
_WHAT_IF = f"{API}/users/{OTHER}/what-if"
_THREADS = f"{API}/users/{OTHER}/threads"
_LARGE = 262_144


def _json(name: str, status: int, body: bytes, path: str = _WHAT_IF) -> Attack:
    return Attack(f"JSON: {name}", status, "POST", path, "admin", body, _JSON)


def _event(name: str, **values: object) -> Attack:
    body = {"events": [{**EVENT["events"][0], **values}]}
    return Attack(f"event: {name}", 422, "POST", f"{API}/users/{OTHER}/events", "admin", body)


SIZES = (
    _json("too large", 413, b'{"without": ["' + b"x" * _LARGE + b'"]}'),
    Attack(
        "too large, in pieces",
        413,
        "POST",
        _WHAT_IF,
        "admin",
        b"%x\r\n%s\r\n0\r\n\r\n" % (_LARGE + 1, b" " * (_LARGE + 1)),
        {**_JSON, "Transfer-Encoding": "chunked"},
    ),
    Attack("a large form", 413, "POST", "/login", None, b"token=" + b"x" * _LARGE, FORM | OWN_SITE),
    Attack("a long token", 401, "POST", "/login", None, b"token=" + b"x" * 999, FORM | OWN_SITE),
    Attack("a long id", 422, path=f"{API}/users/{'x' * 1001}/data", caller="admin"),
    Attack("no id", 404, path=f"{API}/users//data", caller="admin"),
    Attack("an id of blanks", 404, path=f"{API}/users/%20/data", caller="admin"),
    Attack("a long search", 422, path=f"{API}/users?q={'x' * 201}", caller="admin"),
    Attack("many products", 422, "POST", _WHAT_IF, "admin", {"without": ["p"] * 201}),
    Attack(
        "many events",
        422,
        "POST",
        f"{API}/users/{OTHER}/events",
        "admin",
        {"events": EVENT["events"] * 1_001},
    ),
    Attack("many excluded", 422, path=f"{LIST}?{'&'.join(['exclude=p'] * 201)}", caller="admin"),
    Attack(
        "a long line", 422, "POST", f"{_THREADS}/{'0' * 32}/answers", "admin", {"text": "x" * 4001}
    ),
)
NUMBERS = tuple(
    Attack(f"k is {k[:20]}", 422, path=f"{LIST}?k={k}", caller="admin")
    for k in ("0", "-1", "1001", "1e3", "NaN", "inf", "9" * 5000, "0x10", "%D9%A1%00", "true")
)
DOCUMENTS = (
    _json("NaN", 422, b'{"k": NaN}'),
    _json("infinity", 422, b'{"k": -Infinity}'),
    _json("a number beyond floats", 422, b'{"k": 1e999}'),
    _json("a number of 5,000 digits", 400, b'{"k": ' + b"9" * 5_000 + b"}"),
    _json("30,000 levels", 400, b"[" * 30_000),
    _json("30,000 levels of objects", 400, b'{"a":' * 12_000),
    _json("a prototype", 422, b'{"__proto__": {"role": "admin"}, "without": []}'),
    _json("an unknown field", 422, b'{"role": "admin"}'),
    _json("a list", 422, b"[]"),
    _json("null", 422, b"null"),
    _json("a text", 422, b'"x"'),
    _json("nothing", 422, b""),
    _json("no document", 422, b'{"without": ['),
    _json("two documents", 422, b"{} {}"),
    _json("bytes that are no text", 400, b'{"without": ["\xff\xfe"]}'),
    _json("half a character", 422, b'{"without": ["\\ud800"]}'),
    _json("an object as an id", 422, b'{"without": [{"$ne": ""}]}'),
    _json("an empty id", 422, b'{"without": [""]}'),
    Attack("JSON: another name of a field", 422, "PUT", SERVING, "admin", {"Version": "first"}),
    Attack("JSON: a role beside the version", 422, "PUT", SERVING, "admin", {**ROLL_BACK, "x": 1}),
    Attack("an unknown version", 404, "PUT", SERVING, "admin", {"version": "third"}),
    _event("of an unknown kind", kind="bought"),
    _event("with a user", user=ME),
    _event("at a number beyond time", at=1e30),
    _event("at a number of seconds", at=1_790_000_000),
    _event("at no time", at="now"),
    _event("before the first year", at="0001-01-01T00:00:00+14:00"),
    _event("after the last year", at="9999-12-31T23:59:59-14:00"),
    _event("of an empty product", product=""),
)
THREADS = tuple(
    Attack(f"thread: {id}", 422, path=f"{_THREADS}/{id}", caller="admin")
    for id in ("..%2F..", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "%0A", "web%2Fother", "%00")
)
FILES = tuple(
    Attack(f"file: {path}", 404, path=path)
    for path in (
        "/static/../app.py",
        "/static/..%2Fapp.py",
        "/static/%2e%2e/app.py",
        "/static/%2e%2e%2fapp.py",
        "/static/..%5Capp.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/%2Fetc%2Fpasswd",
        "/static/x%00.css",
        "/static/",
        "/../../etc/passwd",
        "/.env",
        "//evil.example/",
        "/%2F%2Fevil.example",
    )
)
INJECTIONS = (
    Attack(
        "header: a line break in an id",
        404,
        path=f"{API}/users/x%0D%0AX-Injected:%20yes/data",
        caller="admin",
    ),
    Attack(
        "header: a line break in a query",
        422,
        path=f"{LIST}?k=%0D%0AX-Injected:%20yes",
        caller="admin",
    ),
    Attack(
        "header: a line break in a link",
        401,
        path="/start/x%0D%0AX-Injected:%20yes",
    ),
    Attack(
        "Cypher in an id",
        404,
        path=f"{API}/users/x'%7D)%20DETACH%20DELETE%20(n)%20%2F%2F/data",
        caller="admin",
    ),
    Attack("a path below a document", 404, path=f"{DATA}/..", caller="admin"),
)
ATTACKS = (*SIZES, *NUMBERS, *DOCUMENTS, *THREADS, *FILES, *INJECTIONS)
