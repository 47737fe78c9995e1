"""Facts about products and holdings, other forms of explanations, and what would change a list."""

from __future__ import annotations

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.what_if import what_if
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.router import Route
from tests.llm_explain.conversation.scripted import ME, Rows, ids, start_chat


@pytest.fixture(scope="module", autouse=True)
def _columns(community_graph: Graph, run_module_cypher: Rows) -> None:
    run_module_cypher(
        "MATCH (p:Product) SET p.provider = 'Harbour Bank', p.fee = 0.5, p.text = 'It lends.'"
    )


@pytest.mark.parametrize(
    ("line", "topic", "parts"),
    [
        ("what is Amber Bond Fund?", "fact_about", ("fund", "Harbour Bank", "“It lends.”")),
        ("tell me about p0", "fact_about", ("Amber Bond Fund",)),
        ("what's the risk of Amber Bond Fund?", "fact_risk", ("risk level 1", "Yours is 4")),
        ("how risky is p1?", "fact_risk", ("risk level 2",)),
        ("which category is Birch Equity Fund in?", "fact_category", ("Bonds",)),
        ("is p1 a bond?", "fact_kind", ("Yes",)),
        ("is Amber Bond Fund an insurance?", "fact_kind", ("Not that I know", "fund")),
        ("who offers Amber Bond Fund?", "fact_provider", ("provider is Harbour Bank",)),
        ("what is the fee of Amber Bond Fund?", "fee", ("fee is", "0.5")),
        ("wie riskant ist Amber Bond Fund?", "fact_risk", ("Risikostufe 1",)),
        ("was ist Amber Bond Fund?", "fact_about", ("von der Art",)),
    ],
)
def test_a_fact_is_told(chat: Chat, line: str, topic: str, parts: tuple[str, ...]) -> None:
    answer = chat.answer(line)
    assert answer["topic"] == topic
    for part in parts:
        assert part in answer["text"]


def test_holders_are_counted_and_few_are_withheld(chat: Chat, run_module_cypher: Rows) -> None:
    rows = run_module_cypher(
        "MATCH (p:Product) RETURN p.id AS id, "
        "COUNT { MATCH (u)-[:HOLDS]->(p) RETURN DISTINCT u } AS n"
    )
    counts = {row["id"]: row["n"] for row in rows}
    many = max(counts, key=lambda one: counts[one])
    few = next(one for one, number in counts.items() if number < 5)
    assert f"{counts[many]} people" in chat.answer(f"how many people hold {many}?")["text"]
    withheld = chat.answer(f"how many people hold {few}?")["text"]
    assert "fewer than 5" in withheld
    assert not any(f"by {number} " in withheld for number in range(5))


def test_a_fact_is_asked_of_another_product_and_of_the_list(chat: Chat) -> None:
    listed = ids(chat.answer("what do you recommend?"))
    assert chat.answer("what is the risk of the first?")["product"] == listed[0]
    second = chat.answer("and the second?")
    assert (second["product"], second["topic"]) == (listed[1], "fact_risk")
    assert chat.answer("how risky are these?")["text"].count("risk level") == len(listed)


def test_own_holdings_of_a_kind(chat: Chat, run_module_cypher: Rows) -> None:
    rows = run_module_cypher(
        "MATCH (:User {id: $me})-[:HOLDS]->(p) RETURN DISTINCT p.id AS id, toLower(p.kind) AS kind",
        me=ME,
    )
    held = {row["id"] for row in rows}
    assert set(chat.answer("what do I hold?")["holdings"]) == held
    funds = set(chat.answer("which of my products are funds?")["holdings"])
    assert {row["id"] for row in rows if row["kind"] == "fund"} <= funds < held
    one = sorted(held)[0]
    assert chat.answer(f"do I hold {one}?")["held"] is True
    assert chat.answer("do I hold p0?")["held"] is False
    assert "country" not in chat.answer("what do I hold?")["text"]


def test_own_data_is_shown_on_clear_words_only(chat: Chat) -> None:
    assert chat.answer("what is my risk tolerance?")["text"].endswith("Risk tolerance: “4”.")
    assert "country" not in chat.answer("what is my risk tolerance?")["text"]
    assert chat.answer("which country do you have for me?")["parts"] == ["country"]


def test_an_explanation_is_shortened_and_detailed(chat: Chat) -> None:
    chat.answer("what do you recommend?")
    normal = chat.answer("why the first?")
    short, long = chat.answer("shorter please"), chat.answer("in more detail")
    assert len(short["text"]) < len(normal["text"]) < len(long["text"])
    assert {short["product"], long["product"]} == {normal["product"]}
    both = chat.answer("why both?")
    assert both["text"].count("This is not advice.") == 2


def test_what_speaks_against_a_product_is_told(chat: Chat) -> None:
    answer = chat.answer("what speaks against p9?")
    assert answer["topic"] == "against"
    assert "it is closed" in answer["text"]
    chat.answer("what do you recommend?")
    assert "risk level is" in chat.answer("any downsides of the first?")["text"]


def test_the_smallest_change_is_recomputed(chat: Chat, community_graph: Graph) -> None:
    listed = ids(chat.answer("what do you recommend?"))
    found = [chat.answer(f"what would change that {one} is on my list?") for one in listed]
    assert {one["topic"] for one in found} == {"would_change"}
    changes = [one for one in found if "without" in one]
    for one in changes:
        after = what_if(community_graph, ME, without=one["without"], k=5)
        assert one["product"] not in {each.product for each in after.products}
    assert changes or all("No one or two" in one["text"] for one in found)


def test_several_questions_are_answered_in_one_line(chat: Chat) -> None:
    listed = ids(chat.answer("what do you recommend? And why the first?"))
    answer = chat.answer("why the second and what is its risk?")
    assert [one["product"] for one in answer["answers"]] == [listed[1], listed[1]]
    assert "risk level" in answer["text"]
    assert "This is not advice." in answer["text"]


@pytest.mark.parametrize(
    ("line", "product"),
    [
        ("why Ambr Bond Fund?", "p0"),
        ("why Amber?", "p0"),
        ("why Birch Equty?", "p1"),
        ("tell me about Jade Found", "p10"),
    ],
)
def test_a_close_name_is_offered_and_a_yes_takes_it(chat: Chat, line: str, product: str) -> None:
    chat.answer("what do you recommend?")
    chat.answer("why the second?")
    asked = chat.answer(line)
    assert "Did you mean" in asked["text"]
    assert asked["choices"][0] == product
    answer = chat.answer("yes" if len(asked["choices"]) == 1 else "the first")
    assert answer["product"] == product


@pytest.mark.parametrize(
    "line",
    [
        "why Élan & Söhne (2)?",
        "why Elan & Sohne (2)?",
        "why ‘Élan  & Söhne (2)’?",
        "why e\u0301lan & so\u0308hne (2)?",
    ],
)
def test_a_name_is_found_whatever_its_accents_quotes_and_blanks(chat: Chat, line: str) -> None:
    assert chat.answer(line)["product"] == "p8"


def test_places_next_to_the_last_product(chat: Chat) -> None:
    listed = ids(chat.answer("what do you recommend?"))
    chat.answer("why the third?")
    assert chat.answer("and the one before?")["product"] == listed[1]
    assert chat.answer("and the next one?")["product"] == listed[2]


def test_a_question_back_is_answered_by_yes_or_a_place(community_graph: Graph) -> None:
    for answer, intent in (("yes", "recommend"), ("1", "recommend"), ("the second", "why_this")):
        chat = start_chat(community_graph, Unsure())
        asked = chat.answer("mumble")
        assert asked["asks_back"]
        assert asked["text"].endswith("a list of recommendations, or the reasons for a product?")
        assert chat.answer(answer)["intent"] == intent


class Unsure:
    """A router that is sure of nothing."""

    def route(self, text: str) -> Route:
        return Route("recommend", 0.2, True)
