"""Requests that no client library sends: two lengths, odd lines, upgrades, slow senders."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from tests.web.running import API, ME, Web

_BODY = b'{"without": []}'
_VICTIM = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


def exchange(web: Web, data: bytes) -> bytes:
    """Send bytes, and return all that the server answers until it closes, or a second passed."""
    found = b""
    with (
        socket.create_connection(("127.0.0.1", web.port), timeout=60) as connection,
        suppress(TimeoutError, ConnectionError),
    ):
        connection.sendall(data)
        while part := connection.recv(65_536):
            found += part
            connection.settimeout(1)
    return found


def request(web: Web, *lines: str, target: str = f"{API}/users/{ME}/what-if") -> bytes:
    """Return the head of a request of an analyst with further header lines."""
    head = [
        f"POST {target} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {web.secrets['analyst']}",
        "Content-Type: application/json",
        *lines,
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1")


CHUNKED = b"0\r\n\r\n"
SMUGGLED = (
    ("both lengths", ["Content-Length: 4", "Transfer-Encoding: chunked"], CHUNKED),
    ("both, the other way round", ["Transfer-Encoding: chunked", "Content-Length: 4"], CHUNKED),
    ("two lengths", ["Content-Length: 15", "Content-Length: 0"], _BODY),
    ("two lengths in one", ["Content-Length: 15, 0"], _BODY),
    ("a length with a sign", ["Content-Length: +15"], _BODY),
    ("a length in hexadecimal", ["Content-Length: 0xf"], _BODY),
    ("a negative length", ["Content-Length: -1"], _BODY),
    ("an unknown encoding", ["Transfer-Encoding: xchunked"], CHUNKED),
    ("two encodings", ["Transfer-Encoding: gzip, chunked"], CHUNKED),
    ("an encoding twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], CHUNKED),
    ("a blank before the colon", ["Transfer-Encoding : chunked"], CHUNKED),
    ("a folded line", ["X-A: 1", " Transfer-Encoding: chunked"], CHUNKED),
    ("a vertical tab", ["Transfer-Encoding: \x0bchunked"], CHUNKED),
    ("a bare return", ["X-A: 1\rTransfer-Encoding: chunked"], CHUNKED),
    ("a zero byte", ["X-A: 1\x00"], b""),
    ("no end of a chunk", ["Transfer-Encoding: chunked"], b"zz\r\n"),
    ("a huge chunk", ["Transfer-Encoding: chunked"], b"F" * 40 + b"\r\n"),
    ("two hosts", ["Host: evil.example"], b""),
    ("huge headers", ["X-A: " + "x" * 200_000], b""),
)


@pytest.mark.parametrize(
    ("lines", "body"), [row[1:] for row in SMUGGLED], ids=[r[0] for r in SMUGGLED]
)
def test_a_request_of_unclear_length_hides_no_second_one(
    web: Web, lines: list[str], body: bytes
) -> None:
    answer = exchange(web, request(web, *lines) + body + _VICTIM)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 4"), answer
    assert b"\r\nok" not in answer


@pytest.mark.parametrize(
    "data",
    [
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.0\r\n\r\n",
        b"GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /livez\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /li vez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n" * 10 + b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_request_of_this_server_is_refused(web: Web, data: bytes) -> None:
    answer = exchange(web, data)
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert b"\r\nok" not in answer


def test_two_tokens_in_one_request_are_refused(web: Web) -> None:
    line = f"Authorization: Bearer {web.secrets['admin']}"
    head = request(web, line, "Content-Length: 15", target=f"{API}/users/{ME}/what-if")
    assert exchange(web, head + _BODY).startswith(b"HTTP/1.1 401")


def test_there_are_no_websockets(web: Web) -> None:
    lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Content-Length: 0"]
    for target in ("/", f"{API}/me", f"{API}/users/{ME}/threads"):
        assert b"101 Switching" not in exchange(web, request(web, *lines, target=target))


def test_callers_who_send_slowly_stop_nobody(web: Web) -> None:
    slow = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(request(web, "Content-Length: 100")[:-2])
        assert web.get("/livez", caller=None).text == "ok"
        assert web.get(f"{API}/users/{ME}/recommendations").status == 200
    finally:
        for connection in slow:
            connection.close()
