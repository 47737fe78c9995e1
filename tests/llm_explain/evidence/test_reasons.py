"""The reason of each user of an audience is the strongest one of the explanation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kinfolio.api.client import Kinfolio
from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.recommend import score_of
from kinfolio.llm_explain.evidence.attribution import read_attribution
from kinfolio.llm_explain.evidence.reasons import explained_audience
from kinfolio.llm_explain.wording.clauses import load_clauses

DISPLAY = load_clauses("en")
Cli = Callable[..., Any]
RunCypher = Callable[..., list[dict[str, Any]]]


def test_a_reason_is_the_largest_contribution_of_the_explanation(
    demo_graph: Graph, run_cypher: RunCypher
) -> None:
    run_cypher("CREATE (:User {id: 'nobody knows', risk_tolerance: 9, country: 'DE'})")
    kinds = set()
    try:
        names = {
            row["id"]: row["name"]
            for row in run_cypher("MATCH (p:Product) RETURN p.id AS id, p.name AS name")
        }
        for product in sorted(names)[:4]:
            found = explained_audience(demo_graph, product, 600, display=DISPLAY)
            ends = [*found.users[:8], *found.users[-8:]]
            ends += [one for one in found.users if one.user == "nobody knows"]
            for one in ends:
                attribution, _ = read_attribution(
                    demo_graph, one.user, product, DISPLAY, all_evidence=True
                )
                assert one.score == pytest.approx(attribution.score, abs=1e-12)
                strongest = attribution.evidence[0]
                for piece in attribution.evidence:
                    if piece.contribution > 0:
                        strongest = piece
                        break
                assert one.reason is not None
                assert one.reason.kind == strongest.kind
                assert one.reason.share == pytest.approx(strongest.share)
                assert one.reason.contribution == pytest.approx(strongest.contribution)
                held = strongest.path[2].id if strongest.kind == "holding" else None
                if held and one.reason.contribution > 0:
                    assert one.reason.text == f"holds {names[held]}"
                kinds.add(one.reason.kind)
    finally:
        run_cypher("MATCH (u:User {id: 'nobody knows'}) DELETE u")
    assert {"holding", "tie", "popularity"} <= kinds


def test_the_command_prints_a_table_and_a_document(demo_graph: Graph, cli: Cli) -> None:
    document = json.loads(cli("audience", "opal-daily-note", "-k", "3", "--json").stdout)
    assert list(document) == ["product", "version", "eligible", "users"]
    assert [one["rank"] for one in document["users"]] == [1, 2, 3]
    for one in document["users"]:
        assert one["score"] == pytest.approx(score_of(demo_graph, one["user"], "opal-daily-note"))
    table = cli("audience", "opal-daily-note", "-k", "3")
    rows = [line.split("\t") for line in table.stdout.splitlines()]
    assert rows[0] == ["rank", "user", "name", "score", "reason"]
    assert [row[1] for row in rows[1:]] == [one["user"] for one in document["users"]]
    assert [row[4] for row in rows[1:]] == [one["reason"]["text"] for one in document["users"]]
    assert f"users who may have it: {document['eligible']}" in table.stderr
    with Kinfolio(Graph(demo_graph.connection)) as db:
        frame = db.audience("opal-daily-note", 3).to_frame()
    assert list(frame["reason.text"]) == [one["reason"]["text"] for one in document["users"]]
