"""The commands explain, check-text, route and chat."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.checking.verify import find_faults
from tests.conftest import Cli


def test_explain_prints_text_and_evidence(community_graph: Graph, cli: Cli) -> None:
    result = cli("explain", "people", "p0", "--model", "none")
    assert result.exit_code == 0, result.stderr
    text, evidence = result.stdout.split("\n\n")
    assert text.endswith("This is not advice.")
    assert evidence.startswith("[1] ")
    assert "you -HOLDS-> " in evidence
    assert "score" in evidence


def test_explain_in_json_agrees_with_recommend(community_graph: Graph, cli: Cli) -> None:
    first = json.loads(cli("recommend", "people", "--json").stdout)["products"][0]
    document = json.loads(
        cli("explain", "people", first["product"], "--model", "none", "--json").stdout
    )
    assert document["score"] == first["score"]
    shown = sum(piece["contribution"] for piece in document["evidence"])
    assert shown + document["remainder"] == pytest.approx(first["score"], abs=1e-9)
    every = json.loads(
        cli(
            "explain", "people", first["product"], "--model", "none", "--json", "--all-evidence"
        ).stdout
    )
    assert abs(every["remainder"]) < 1e-5
    assert len(every["evidence"]) > len(document["evidence"])
    assert every["text"] == document["text"]


def test_a_long_explanation_states_more_and_a_short_one_less(
    community_graph: Graph, cli: Cli
) -> None:
    documents = {
        length: json.loads(
            cli(*("explain", "bond", "p0", "--model", "none", "--json", "--length", length)).stdout
        )
        for length in ("short", "normal", "long")
    }
    cited = {
        length: {n for sentence in document["sentences"] for n in sentence["evidence"]}
        for length, document in documents.items()
    }
    assert len(cited["short"]) < len(cited["normal"]) < len(cited["long"])
    assert cited["short"] <= cited["normal"] <= cited["long"]
    assert any(piece["contribution"] < 0 for piece in documents["long"]["evidence"])
    for length, document in documents.items():
        assert find_faults(document) == [], length
        shown = sum(piece["contribution"] for piece in document["evidence"])
        assert shown + document["remainder"] == pytest.approx(document["score"], abs=1e-9)
    assert "% of the weight" in documents["long"]["text"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("explain", "nobody", "p0", "--model", "none"), "there is no user 'nobody'"),
        (("explain", "people", "p77", "--model", "none"), "there is no product 'p77'"),
        (("explain", "people", "p0", "--model", "gpt"), "give provider:name"),
        (("check-text", "people", "p0", "/nowhere/text"), "there is no file"),
        (("route", "  "), "the line is empty"),
        (("chat", "people", "--model", "gpt"), "give provider:name"),
        (
            ("chat", "people", "--model", "none", "--allow-generated-cypher"),
            "--model provider:name",
        ),
    ],
)
def test_errors_are_one_sentence(
    community_graph: Graph, cli: Cli, arguments: tuple[str, ...], sentence: str
) -> None:
    result = cli(*arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_check_text_accepts_explanations_and_reports_unsupported_sentences(
    community_graph: Graph, cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "letter.txt"
    document = json.loads(cli("explain", "people", "p0", "--model", "none", "--json").stdout)
    file.write_text(document["text"], "utf-8")
    fine = json.loads(cli("check-text", "people", "p0", str(file), "--json").stdout)
    assert fine == {"grounded": True, "problems": []}
    file.write_text(document["text"] + " Buy it, Anna did [1].", "utf-8")
    result = cli("check-text", "people", "p0", str(file), "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["grounded"] is False
    assert {problem["text"] for problem in found["problems"]} == {"Buy it, Anna did [1]."}
    assert "advice" in cli("check-text", "people", "p0", str(file)).stdout


def test_route_prints_the_intent_of_a_line(community_graph: Graph, cli: Cli) -> None:
    result = json.loads(cli("route", "what do you recommend?", "--json").stdout)
    assert list(result) == ["intent", "confidence", "asks_back", "topic"]
    assert result["intent"] == "recommend"
    assert cli("route", "what do you recommend?").stdout.startswith("recommend, confidence ")


def test_the_limits_of_a_deployment_apply_to_a_chat(community_graph: Graph, cli: Cli) -> None:
    settings = {"KINFOLIO_NOTICE": "Ask your adviser first.", "KINFOLIO_FEWEST_PEOPLE": "9"}
    result = cli("chat", "people", "--model", "none", input="why p0?\n", env=settings)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.rstrip().endswith("Ask your adviser first.")
    assert not re.search(r"\b[1-8] (?:of the|people|others)\b", result.stdout)


def test_memory_in_the_graph_names_the_package_it_needs(
    community_graph: Graph, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langchain_neo4j", None)
    result = cli("chat", "people", "--model", "none", "--memory", "graph", input="hello\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "pip install 'kinfolio[neo4j-memory]'" in result.stderr
