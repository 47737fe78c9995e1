"""Own rules of a deployment in explanations, conversations and the MCP server, as in lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.rules import Rule, read_rules
from kinfolio.llm_explain.agent.mcp_server import make_server
from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.conversation.answers import Answers
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.explain import explain
from kinfolio.llm_explain.wording.clauses import load_clauses
from tests.conftest import Cli
from tests.llm_explain.community import NAMES
from tests.llm_explain.conversation.scripted import NONE

USER = "people"
RULE = """// Funds with even numbers are for members.
// customer: it is for members only
// customer de: es ist nur für Mitglieder
// code: MEMBERS_ONLY
NOT p.gid IN [{gids}]
"""


@pytest.fixture
def listed(community_graph: Graph) -> list[str]:
    """The user's list without own rules."""
    return [one.product for one in recommend(community_graph, USER, 20).products]


@pytest.fixture
def rules_folder(tmp_path: Path, listed: list[str]) -> Path:
    """A rule that excludes the first two products of the list."""
    folder = tmp_path / "rules"
    folder.mkdir()
    gids = ", ".join(product.removeprefix("p") for product in listed[:2])
    (folder / "members.cypher").write_text(RULE.format(gids=gids), "utf-8")
    return folder


@pytest.fixture
def rules(community_graph: Graph, rules_folder: Path) -> tuple[Rule, ...]:
    return read_rules(community_graph, rules_folder)


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "is not for you: it is for members only."), ("de", "es ist nur für Mitglieder.")],
)
def test_an_explanation_begins_with_the_own_rule(
    community_graph: Graph,
    rules: tuple[Rule, ...],
    listed: list[str],
    language: str,
    told: str,
) -> None:
    clauses = load_clauses(language).with_rules(rules)
    found = explain(community_graph, USER, listed[0], (NONE,), clauses=clauses)
    assert told in found.sentences[0].text
    assert [(one.rule, one.code) for one in found.refused_by] == [("members", "MEMBERS_ONLY")]
    assert found.grounded
    assert not any("on your list" in one.text for one in found.sentences)
    assert check_text(found.text, found) == ()
    allowed = explain(community_graph, USER, listed[2], (NONE,), clauses=clauses)
    assert allowed.refused_by == ()


def test_every_command_knows_the_rules_of_the_environment(
    community_graph: Graph, rules_folder: Path, listed: list[str], cli: Cli
) -> None:
    environment = {"KINFOLIO_RULES": str(rules_folder)}

    def document(*arguments: str) -> dict[str, object]:
        result = cli(*arguments, "--json", env=environment)
        assert result.exit_code == 0, result.stderr
        found: dict[str, object] = json.loads(result.stdout)
        return found

    first = listed[0]
    products = document("recommend", USER, "-k", "20")["products"]
    assert isinstance(products, list)
    assert first not in [one["product"] for one in products]
    explained = document("explain", USER, first, "--model", "none")
    assert explained["refused_by"] == [
        {"rule": "members", "code": "MEMBERS_ONLY", "reason": "it is for members only"}
    ]
    verdicts = document("why-not", USER, first)["rules"]
    assert isinstance(verdicts, list)
    broken = {one["rule"]: one["code"] for one in verdicts if not one["passed"]}
    assert broken == {"members": "MEMBERS_ONLY"}
    said = cli("chat", USER, "--model", "none", env=environment, input=f"why {first}?\n").stdout
    assert "is not for you: it is for members only." in said


def test_answers_of_a_conversation_know_the_rules(
    community_graph: Graph, rules: tuple[Rule, ...], listed: list[str]
) -> None:
    answers = Answers(community_graph, USER, (NONE,), rules, load_clauses())
    first = ProductRef(listed[0], NAMES[int(listed[0].removeprefix("p"))])
    excluded = set(listed[:2])
    assert "it is for members only" in answers.explain(first).text
    assert "it is for members only" in answers.why_not(first).text
    for product in listed[2:5]:
        similar = answers.similar(ProductRef(product, product)).fields["products"]
        assert not {one["product"] for one in similar} & excluded
    supposed = answers.what_if([], [ProductRef(listed[3], listed[3])]).fields["products"]
    assert supposed
    assert not {one["product"] for one in supposed} & excluded


def test_the_mcp_server_knows_the_rules(
    community_graph: Graph, rules: tuple[Rule, ...], listed: list[str]
) -> None:
    server = make_server(Answers(community_graph, USER, (NONE,), rules, load_clauses()))
    with start_blocking_portal() as portal:  # beside the event loop of a browser
        answer = str(portal.call(server.call_tool, "explain", {"product": listed[0]}))
    assert "it is for members only" in answer
    assert "MEMBERS_ONLY" in answer


def test_a_rule_without_a_sentence_is_told_by_its_reason(
    community_graph: Graph, tmp_path: Path, listed: list[str]
) -> None:
    (tmp_path / "never.cypher").write_text("// Nobody may have it.\nfalse\n", "utf-8")
    rules = read_rules(community_graph, tmp_path)
    clauses = load_clauses().with_rules(rules)
    found = explain(community_graph, USER, listed[0], (NONE,), clauses=clauses)
    assert found.sentences[0].text.endswith("is not for you: Nobody may have it.")
    assert found.refused_by[0].code == "OWN:never"
    german = load_clauses("de").with_rules(rules)
    found = explain(community_graph, USER, listed[0], (NONE,), clauses=german)
    assert "eine Regel dieses Dienstes schließt das aus" in found.sentences[0].text


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("// customer:", "the sentence for customers has 0 characters"),
        ("// customer: " + "x" * 201, "has 201 characters"),
        ("// code: members", "the code is 'members'; give capitals"),
    ],
)
def test_a_header_that_cannot_be_told_is_refused(
    community_graph: Graph, tmp_path: Path, header: str, sentence: str
) -> None:
    (tmp_path / "bad.cypher").write_text(f"{header}\ntrue\n", "utf-8")
    with pytest.raises(BadInput, match=sentence):
        read_rules(community_graph, tmp_path)
