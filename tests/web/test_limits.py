"""Limits and health: requests a second, failed sign-ins, bodies, readiness, metrics."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection
from kinfolio.web.access.limits import MOST_CALLERS, RateLimit, TooManyRequests
from kinfolio.web.paths import segment
from tests.web.running import API, FORM, FORMULA, ME, ODD, OTHER, OWN_SITE, Web, running

Rows = Callable[..., list[dict[str, Any]]]


def test_a_caller_who_asks_too_often_is_told_when_to_come_back(
    community_graph: Graph, models: Path, tmp_path: Path
) -> None:
    with running(community_graph, tmp_path / "home", models, requests_per_second=0.1) as web:
        assert web.get(f"{API}/me").status == 200
        answer = web.get(f"{API}/me")
        assert (answer.status, answer.json["title"]) == (429, "Too many requests")
        assert 5 <= int(answer.headers["retry-after"]) <= 10
        # Another caller is not affected, nor is health.
        assert web.get(f"{API}/me", caller="customer").status == 200
        assert web.get("/livez", caller=None).status == 200


def test_the_bucket_fills_with_time_and_holds_twice_the_rate() -> None:
    now = [0.0]
    limit = RateLimit(2.0, 4.0, lambda: now[0])
    for _ in range(4):
        limit.take("a")
    with pytest.raises(TooManyRequests) as error:
        limit.take("a")
    assert error.value.seconds == 1
    limit.take("b")
    now[0] = 0.5
    limit.take("a")
    with pytest.raises(TooManyRequests):
        limit.take("a")
    for number in range(MOST_CALLERS):
        limit.take(f"c{number}")
    limit.take("a")  # forgotten: memory is limited


def test_failed_sign_ins_are_limited_and_lock_nobody_out(
    community_graph: Graph, models: Path, tmp_path: Path
) -> None:
    with running(community_graph, tmp_path / "home", models) as web:
        wrong = [
            web.post("/login", b"token=x", caller=None, headers=FORM | OWN_SITE).status
            for _ in range(30)
        ]
        assert wrong[:10] == [401] * 10
        assert 429 in wrong
        assert {web.get(f"/start/{number}", caller=None).status for number in range(9)} == {429}
        assert web.sign_in("analyst")  # behind a proxy, all have the address of the attacker


def test_a_body_at_the_limit_is_read_and_one_above_is_not(web: Web) -> None:
    limit = web.site.settings.max_body_bytes
    path, headers = f"{API}/users/{ME}/what-if", {"Content-Type": "application/json"}
    body = b'{"without": []}'
    assert web.post(path, body.ljust(limit), headers=headers).status == 200
    answer = web.post(path, body.ljust(limit + 1), headers=headers)
    assert (answer.status, answer.json["title"]) == (413, "Too large")


def test_readiness_names_the_version_that_is_missing(web: Web, read: Rows) -> None:
    state = "MATCH (v:EmbeddingVersion {name: 'second'}) SET v.state = $state"
    read(state, state="ready")
    answer = web.get("/readyz", caller=None)
    read(state, state="active")
    assert answer.status == 503
    assert answer.json["detail"] == "no version is active; type: kinfolio writeback"


def test_readiness_names_a_database_that_does_not_answer(models: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    dead = Connection(uri=f"bolt://127.0.0.1:{port}", username="u", password="p", timeout=2.0)
    with Graph(dead) as graph, running(graph, tmp_path / "home", models) as web:
        answer = web.get("/readyz", caller=None)
        assert answer.status == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert f"127.0.0.1:{port}" in answer.json["detail"]
        assert web.get("/livez", caller=None).text == "ok"
        found = web.get(f"{API}/users/{ME}/recommendations")
        assert (found.status, found.json["detail"]) == (503, answer.json["detail"])


def test_metrics_count_by_route_and_have_no_ids(web: Web) -> None:
    for user in (ME, OTHER, ODD, FORMULA, "nobody-at-all"):
        web.get(f"{API}/users/{segment(user)}/recommendations?category=secret-word")
    web.send("BREW", "/nothing-at-all", caller=None)
    text = web.get("/metrics").text
    assert re.search(
        r'kinfolio_requests_total\{method="GET",route="/api/v1/users/\{user\}/recommendations",'
        r'status="200"\} [1-9]',
        text,
    )
    assert 'method="other",route="other"' in text
    for word in (ME, OTHER, "a/b", FORMULA, "nobody", "secret-word", "nothing-at-all", "BREW"):
        assert word not in text


def test_health_needs_no_token_and_metrics_do(web: Web) -> None:
    assert web.get("/livez", caller=None).text == "ok"
    assert web.get("/readyz", caller=None).json["status"] == "ready"
    assert web.get("/metrics", caller=None).status == 401
    assert web.get("/metrics", caller="customer").status == 403
