"""Pages of a small graph: before a version is written, with hostile names, of nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from starlette.testclient import TestClient

from kinfolio.cypher.graph import Graph
from kinfolio.events.log import EventLog
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.reference import reference_of, reference_to_bytes
from kinfolio.llm_explain.conversation.router import Route
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.loaders import export
from kinfolio.web.app import make_app
from kinfolio.web.records import Wording
from kinfolio.web.service import Service
from kinfolio.web.settings import Settings
from kinfolio.web.site import Site
from tests.conftest import RunCypher
from tests.llm_explain.community import store

HTMX = {"hx-request": "true", "hx-request-type": "partial"}


class NoRouter:
    def route(self, text: str) -> Route:
        raise NotImplementedError


@pytest.fixture
def site(graph: Graph, tmp_path: Path) -> Iterator[Site]:
    """The state of a server of an empty graph."""
    clauses = {"en": load_clauses("en")}
    service = Service(
        graph,
        Wording((), clauses, is_shared=False),
        router=NoRouter(),
        conversations=InMemorySaver(),
        events=EventLog(tmp_path),
        run=tmp_path / "run",
    )
    yield Site.create(Settings(home=tmp_path, run=tmp_path / "run"), service)
    service.drift.stop()


@pytest.fixture
def browser(site: Site) -> Iterator[TestClient]:
    """A signed-in client of its pages."""
    secret = site.tokens.add("admin", name="tests")[1]
    headers = {"authorization": f"Bearer {secret}"}
    with TestClient(make_app(site), "http://localhost", headers=headers) as client:
        yield client


def test_an_empty_graph_says_what_to_type(browser: TestClient) -> None:
    for path in ("/", "/products"):
        text = browser.get(path).text
        assert "The graph is empty" in text
        assert "kinfolio load FOLDER" in text
    assert "kinfolio writeback" in browser.get("/versions").text
    assert "No trained run" in browser.get("/report").text


def test_before_a_version_the_list_is_by_popularity_and_why_says_what_to_type(
    browser: TestClient, six_users: Graph
) -> None:
    page = browser.get("/users/u1")
    assert page.status_code == 200
    assert "none yet: the most popular products" in page.text
    product = page.text.partition("/users/u1/why/")[2].partition("?")[0]
    why = browser.get(f"/users/u1/why/{product}")
    assert why.status_code == 503
    assert "type: kinfolio writeback" in why.text


def test_an_unknown_user_is_answered_in_the_words_of_the_command_line(browser: TestClient) -> None:
    page = browser.get("/users/nobody")
    assert page.status_code == 404
    assert "there is no user" in page.text.lower()
    assert "<h1>Not found</h1>" in page.text


def test_names_of_the_graph_are_text(browser: TestClient, run_cypher: RunCypher) -> None:
    hostile = '<img src=x onerror=alert(1)>\u202egnp"'
    run_cypher(
        "CREATE (:User {id: $id, gid: 0, name: $name})-[:HOLDS]->(:Product {id: 'p', gid: 0, "
        "name: $name, text: $name})",
        id="a/b?c#d",
        name=hostile,
    )
    found = browser.get("/").text
    assert "/users/a%2Fb%3Fc%23d" in found
    for path in ("/", "/users/a%2Fb%3Fc%23d", "/users/a%2Fb%3Fc%23d/graph", "/products/p"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "<img" not in page.text
        assert "\u202e" not in page.text
        assert "&lt;img src=x onerror=alert(1)&gt;" in page.text


def test_htmx_gets_the_results_only(browser: TestClient) -> None:
    part = browser.get("/?q=x", headers=HTMX)
    assert "<html" not in part.text
    assert "No user found" in part.text
    assert browser.get("/users/x", headers=HTMX).text.startswith('<p class="notice bad"')
    assert part.headers["vary"] == "HX-Request-Type"


def test_htmx_goes_to_the_sign_in_page_after_the_session(browser: TestClient) -> None:
    found = browser.get("/", headers=HTMX | {"authorization": "Bearer old"})
    assert found.status_code == 401
    assert found.headers["hx-redirect"] == "/login"


def test_rolling_back_asks_first(browser: TestClient, run_cypher: RunCypher) -> None:
    run_cypher(
        "UNWIND $rows AS row CREATE (v:EmbeddingVersion) SET v = row, v.length = 1.0, v.heads = 1, "
        "v.dim = 2, v.users = 1, v.products = 1, v.general = [0.1, 0.2], "
        'v.metrics = \'{"valid": {"recall@20": 0.25}}\'',
        rows=[
            {"name": "new", "slot": "a", "state": "active", "created_at": "2026-02-01T10:00:00"},
            {"name": "old", "slot": "b", "state": "ready", "created_at": "2026-01-01T10:00:00"},
        ],
    )
    page = browser.get("/versions").text
    assert "recall@20" in page
    assert "0.250" in page
    assert page.index(">new</h2>") < page.index("serving") < page.index(">old</h2>")
    asked = browser.get("/versions/old/serve").text
    assert "Serving now" in asked
    assert 'action="/versions/serving"' in asked
    own = {"sec-fetch-site": "same-origin"}
    answer = browser.post("/versions/serving", data={"version": "old"}, headers=own)
    assert answer.url.path == "/versions"
    states = run_cypher("MATCH (v:EmbeddingVersion) RETURN v.name AS name, v.state AS state")
    assert {row["name"]: row["state"] for row in states} == {"old": "active", "new": "ready"}
    assert browser.get("/versions/old/serve").status_code == 503


def test_a_list_is_exported_without_formulas(browser: TestClient, run_cypher: RunCypher) -> None:
    run_cypher(
        "CREATE (:User {id: 'u', gid: 0}), (:User {id: 'v', gid: 1})-[:HOLDS]->"
        "(:Product {id: 'p', gid: 0, name: '=1+1', kind: 'savings'})"
    )
    found = browser.get("/users/u/recommendations.csv")
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    assert found.text.splitlines()[1].startswith("u,1,p,'=1+1,")


def test_the_page_and_the_metrics_tell_how_far_the_graph_has_moved(
    browser: TestClient, site: Site, graph: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    embeddings = store(run_cypher)
    reference = reference_of(export(graph, tmp_path / "snapshot"))
    content = np.frombuffer(reference_to_bytes(reference), np.uint8)
    write_back(graph, replace(embeddings, reference=content), name="one", check_sums=False)
    assert 'hx-get="/versions/drift" hx-trigger="load"' in browser.get("/versions").text
    assert "kinfolio_drift" not in browser.get("/metrics").text
    first = browser.get("/versions/drift").text
    assert "Being measured" in first
    assert 'hx-trigger="load delay:2s"' in first
    site.service.drift.wait()
    page = browser.get("/versions/drift").text
    assert "distributed as in the training" in page
    assert "Being measured" not in page
    assert "hx-trigger" not in page
    run_cypher(
        "MATCH (u:User), (p:Product {gid: 12}) WHERE NOT EXISTS { (u)-[:HOLDS]->(p) } "
        "CREATE (u)-[:HOLDS]->(p)"
    )
    site.service.drift.measure_again()
    part = browser.get("/versions/drift", headers=HTMX).text
    site.service.drift.wait()
    part = browser.get("/versions/drift", headers=HTMX).text
    assert part.lstrip().startswith("<section")
    assert "Far from the training: " in part
    assert "train again" in part
    assert "New holdings foreseen (recall@20)" in part
    text = browser.get("/metrics").text
    assert "kinfolio_drift_verdict 2.0" in text
    assert 'kinfolio_drift{measure="new_holdings"} 0.' in text
    assert 'kinfolio_new_holdings_recall{of="lists"} ' in text


def test_a_version_of_before_says_what_to_type(
    browser: TestClient, site: Site, graph: Graph, run_cypher: RunCypher
) -> None:
    write_back(graph, store(run_cypher), name="one", check_sums=False)
    browser.get("/versions/drift")
    site.service.drift.wait()
    page = browser.get("/versions/drift").text
    assert "does not store the distributions of its training" in page
    assert "kinfolio writeback" in page
    assert "kinfolio_drift" not in browser.get("/metrics").text
