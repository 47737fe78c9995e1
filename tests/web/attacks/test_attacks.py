"""Attacks on the server by single requests: each is refused and changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kinfolio.json_text import json_text
from tests.web.attacks import forgery, identity, inputs
from tests.web.attacks.attack import Attack
from tests.web.running import API, OTHER, Answer, Web

ATTACKS = (*identity.ATTACKS, *forgery.ATTACKS, *inputs.ATTACKS)
_STATE = (
    "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n) AS nodes, count(r) AS links, "
    "sum(size(keys(n))) AS properties"
)
_SERVING = "MATCH (v:EmbeddingVersion {state: 'active'}) RETURN v.name AS name"


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


@pytest.fixture(scope="module")
def log() -> Iterator[_Log]:
    """All that the server logs, at every level."""
    handler, root = _Log(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
def _nothing_changes(
    web: Web, log: _Log, read: Callable[..., list[dict[str, Any]]]
) -> Iterator[None]:
    def state() -> object:
        events = sum(path.stat().st_size for path in web.site.service.events.folder.glob("*"))
        tokens = web.site.tokens.list()
        return read(_STATE), read(_SERVING), events, [one.id for one in tokens]

    before = state()
    log.lines.clear()
    yield
    assert state() == before


def request(web: Web, attack: Attack) -> tuple[str, Answer]:
    """Send the request of an attack; return its path, too."""
    prepared = attack.prepare(web) if attack.prepare else {}
    if attack.session:
        prepared["cookie"] = web.sign_in(attack.session)
    headers = {**attack.headers, **prepared.get("headers", {})}
    path = prepared.get("path", attack.path)
    return path, web.send(
        attack.method,
        path,
        attack.body,
        caller=attack.caller,
        cookie=prepared.get("cookie"),
        headers=headers,
    )


def test_names_of_attacks_are_unique() -> None:
    assert len({one.name for one in ATTACKS}) == len(ATTACKS)


@pytest.mark.usefixtures("_nothing_changes")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name.replace(" ", "-"))
def test_an_attack_is_refused_and_changes_nothing(web: Web, log: _Log, attack: Attack) -> None:
    path, answer = request(web, attack)
    assert answer.status == attack.status, answer.text
    # Refused in words, without a session, data of the victim, headers of the attacker or a bug.
    assert not answer.cookie
    assert "access-control-allow-origin" not in answer.headers
    assert "x-injected" not in answer.headers
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for leaked in ('p5"', "samples", "holdings", "Traceback", "site-packages"):
        assert leaked not in answer.text or leaked in str(attack.body)
    if path.startswith(API) and attack.method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json) == {"type", "title", "status", "detail"}
    for secret in web.secrets.values():
        assert secret not in answer.text
        assert not [line for line in log.lines if secret in line]
    assert not log.lines, log.lines


def test_after_all_attacks_the_victim_is_served_as_before(web: Web) -> None:
    assert web.get(f"{API}/users/{OTHER}/recommendations").status == 200
    assert web.get(f"{API}/versions", caller="admin").json["versions"][0]["state"] == "active"
    metrics = web.get("/metrics").text
    for token in web.site.tokens.list():
        assert token.sha256 not in metrics
        assert token.sha256 not in json_text(web.get(f"{API}/me").json)
