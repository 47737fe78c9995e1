"""Wishes: risk, number, own columns, meaning, the course; what was understood is said back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.replies.list_filters import read_request
from tests.llm_explain.conversation.scripted import Rows, ids

VOCABULARY = ("fund", "bond", "green energy", "gold")


@pytest.fixture(scope="module", autouse=True)
def _columns(community_graph: Graph, run_module_cypher: Rows) -> None:
    """Own columns, and texts about the sea for two products."""
    run_module_cypher(
        "MATCH (p:Product) SET p.provider = ['Harbour Bank', 'Lake House'][p.gid % 2], "
        "p.risk = 1 + p.gid % 5, "
        "p.text = CASE WHEN p.gid IN [5, 12] THEN 'Ships and fishing on the ocean.' "
        "ELSE 'Lends to offices and shops in town.' END"
    )


@pytest.fixture
def risks(run_module_cypher: Rows) -> dict[str, int]:
    rows = run_module_cypher("MATCH (p:Product) RETURN p.id AS id, p.risk AS risk")
    return {row["id"]: row["risk"] for row in rows}


@pytest.mark.parametrize(
    ("line", "risk", "level", "length", "kinds"),
    [
        ("something with low risk", "low", None, None, ()),
        ("less risk please", "safer", None, None, ()),
        ("riskier", "riskier", None, None, ()),
        ("the safest you have", "lowest", None, None, ()),
        ("only high-risk funds", "high", None, None, ("fund",)),
        ("risk level 2 at most", "", 2, None, ()),
        ("ten please", "", None, 10, ()),
        ("show me three bonds", "", None, 3, ("bond",)),
        ("etwas mit niedrigem Risiko", "low", None, None, ()),
        ("weniger Risiko", "safer", None, None, ()),
        ("mehr Risiko bitte", "riskier", None, None, ()),
        ("zehn Vorschläge", "", None, 10, ()),
        ("nur drei Anleihen", "", None, 3, ("bond",)),
        ("höchstens Risikostufe 3", "", 3, None, ()),
    ],
)
def test_a_line_is_read(
    line: str, risk: str, level: int | None, length: int | None, kinds: tuple[str, ...]
) -> None:
    found = read_request(line, VOCABULARY)
    assert (found.risk, found.risk_level, found.length) == (risk, level, length)
    assert found.kinds == kinds
    assert found.wish == ""


def test_low_is_absolute_and_less_is_relative(chat: Chat, risks: dict[str, int]) -> None:
    low = chat.answer("something with low risk")
    assert "risk level 2 at most" in low["text"]
    assert all(risks[one] <= 2 for one in ids(low))
    less = chat.answer("even less risk")
    assert all(risks[one] < max(risks[other] for other in ids(low)) for one in ids(less))
    chat.answer("start over")
    everything = ids(chat.answer("what do you recommend?"))
    riskier = chat.answer("riskier please")
    lowest = min(risks[one] for one in everything)
    assert all(risks[one] > lowest for one in ids(riskier))
    assert f"risk level {lowest + 1} at least" in riskier["text"]


def test_an_own_column_limits_the_list_and_is_said_back(
    chat: Chat, run_module_cypher: Rows
) -> None:
    answer = chat.answer("recommend something from Harbour Bank")
    assert "provider: Harbour Bank" in answer["text"]
    rows = run_module_cypher("MATCH (p:Product {provider: 'Harbour Bank'}) RETURN p.id AS id")
    assert ids(answer)
    assert set(ids(answer)) <= {row["id"] for row in rows}


def test_a_wish_is_found_by_its_meaning_or_said_not_to_be_understood(chat: Chat) -> None:
    found = chat.answer("I want something about boats at sea")
    assert set(ids(found)) <= {"p5", "p12"}
    assert ids(found)
    assert "by meaning “boats sea”" in found["text"]
    unknown = chat.answer("recommend something with zzqx")
    assert "I did not understand" in unknown["text"]
    assert unknown["not_understood"] == "zzqx"
    assert len(ids(unknown)) == 5


def test_go_back_and_start_over(chat: Chat) -> None:
    first = ids(chat.answer("give me three suggestions"))
    assert len(first) == 3
    chat.answer("only bonds")
    assert ids(chat.answer("go back")) == first
    assert "no earlier list" in chat.answer("go back")["text"]
    chat.answer("only bonds")
    fresh = chat.answer("start over")
    assert "All your wishes are forgotten." in fresh["text"]
    assert len(ids(fresh)) == 5


def test_the_second_is_left_out(chat: Chat) -> None:
    listed = ids(chat.answer("what do you recommend?"))
    assert listed[1] not in ids(chat.answer("not the second"))


@pytest.fixture(autouse=True)
def _nothing_is_changed(run_module_cypher: Rows) -> Iterator[None]:
    count = "MATCH ()-[r]->() RETURN count(r) AS links"
    before = run_module_cypher(count)
    yield
    assert run_module_cypher(count) == before
