"""Approval and lineage of versions, by the API and the pages, in the name of a token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from tests.llm_explain.community import store
from tests.web.running import API, FORM, OWN_SITE, Web, running

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def web(
    graph: Graph,
    run_cypher: Rows,
    models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Web]:
    """A server whose version `new` awaits approval; the token `admin` has its writer's name."""
    embeddings = store(run_cypher)
    write_back(graph, embeddings, name="old", by="somebody")
    monkeypatch.setenv("KINFOLIO_APPROVAL", "required")
    write_back(graph, embeddings, name="new", by="Admin")
    with running(graph, tmp_path / "home", models) as started:
        started.secrets["second"] = started.site.tokens.add("admin", name="second")[1]
        started.secrets["nameless"] = started.site.tokens.add("admin")[1]
        yield started


def approve(web: Web, caller: str) -> Any:
    return web.send("PUT", f"{API}/versions/approval", {"version": "new"}, caller=caller)


def test_the_api_approves_in_the_name_of_the_token(web: Web) -> None:
    listed = {one["name"]: one for one in web.get(f"{API}/versions").json["versions"]}
    assert (listed["new"]["state"], listed["new"]["written_by"]) == ("awaits approval", "Admin")
    serving = web.send("PUT", f"{API}/versions/serving", {"version": "new"}, caller="admin")
    assert serving.status == 503
    assert "'new' awaits approval" in serving.json["detail"]
    for caller in ("analyst", "customer"):
        assert approve(web, caller).status == 403
    nameless = approve(web, "nameless")
    assert (nameless.status, "has no name" in nameless.json["detail"]) == (403, True)
    same = approve(web, "admin")
    assert (same.status, "cannot approve it" in same.json["detail"]) == (422, True)
    assert web.get("/readyz", caller=None).json["version"] == "old"

    approved = approve(web, "second")
    assert approved.status == 200
    assert (approved.json["state"], approved.json["approved_by"]) == ("active", "second")
    assert web.get("/readyz", caller=None).json["version"] == "new"
    assert approve(web, "second").json == approved.json
    found = web.send("PUT", f"{API}/versions/approval", {"version": "x"}, caller="second")
    assert found.status == 404


def test_the_api_tells_the_lineage(web: Web) -> None:
    assert web.get(f"{API}/versions/new/lineage", caller="customer").status == 403
    assert web.get(f"{API}/versions/x/lineage").status == 404
    found = web.get(f"{API}/versions/new/lineage").json
    assert (found["written_by"], found["approved_by"], found["checks"]) == ("Admin", None, [])
    checks = web.get(f"{API}/versions/new/lineage?check=true").json["checks"]
    assert {one["name"]: one["outcome"] for one in checks} == {
        "run": "unknown",
        "model": "unknown",
        "snapshot": "unknown",
        "graph": "same",
        "content": "same",
    }


def test_the_pages_show_what_awaits_approval_and_ask_before_it(web: Web) -> None:
    cookie = web.sign_in("second")
    page = web.get("/versions", caller=None, cookie=cookie).text
    assert ">awaits approval</span>" in page
    assert 'href="/versions/new/serve"' not in page
    assert 'href="/versions/new/lineage"' in page
    assert 'href="/versions/new/approve"' in page
    assert 'href="/versions/new/approve"' not in web.get("/versions", caller="analyst").text
    asked = web.get("/versions/new/approve", caller=None, cookie=cookie).text
    assert 'action="/versions/approval"' in asked
    assert ">second</dd>" in asked
    form = b"version=new"
    foreign = {"Sec-Fetch-Site": "cross-site"}
    refused = web.post(
        "/versions/approval", form, caller=None, cookie=cookie, headers=FORM | foreign
    )
    assert refused.status == 403
    sent = web.post("/versions/approval", form, caller=None, cookie=cookie, headers=FORM | OWN_SITE)
    assert (sent.status, sent.headers["location"]) == (303, "/versions")
    page = web.get("/versions", caller=None, cookie=cookie).text
    assert page.index(">new</h2>") < page.index(">serving</span>") < page.index(">old</h2>")
    assert "<dt>Approved by</dt><dd>second</dd>" in page
    lineage = web.get("/versions/new/lineage?check=true", caller=None, cookie=cookie).text
    assert "slot b has what was written" in lineage
    assert "<dt>Written by</dt><dd>Admin</dd>" in lineage
