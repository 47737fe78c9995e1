"""Each intent on a real graph with the real router."""

from __future__ import annotations

from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.what_if import what_if
from kinfolio.llm_explain.conversation.chat import Chat
from tests.llm_explain.conversation.scripted import ME, Rows, Start, dismissed_by, ids


def test_less_risky_products_have_a_risk_below_the_highest_of_the_list(
    chat: Chat, run_module_cypher: Rows
) -> None:
    rows = run_module_cypher("MATCH (p:Product) RETURN p.id AS id, p.risk AS risk")
    risks = {row["id"]: row["risk"] for row in rows}
    before = chat.answer("what do you recommend?")
    after = chat.answer("something less risky, please")
    highest = max(risks[one] for one in ids(before))
    assert ids(after)
    assert all(risks[one] < highest for one in ids(after))
    assert f"risk level {highest - 1} at most" in after["text"]
    assert "no lower risk level" in chat.answer("even less risky")["text"]


def test_a_list_is_limited_to_a_kind_or_excludes_it(chat: Chat, run_module_cypher: Rows) -> None:
    found = run_module_cypher(
        "MATCH (p:Product) WHERE toLower(p.kind) = 'bond' "
        "OR EXISTS { (p)-[:IN_CATEGORY]->({name: 'Bonds'}) } RETURN collect(p.id) AS bonds"
    )
    bonds = set(found[0]["bonds"])
    chat.answer("what do you recommend?")
    only = chat.answer("only bonds")
    assert ids(only)
    assert set(ids(only)) <= bonds
    chat.answer("show me my recommendations")
    without = chat.answer("without bonds")
    assert ids(without)
    assert not set(ids(without)) & bonds
    assert "without" in without["text"]
    assert "no kind or category 'submarines'" in chat.answer("only submarines")["text"]


def test_a_named_product_and_those_listed_before_are_excluded(chat: Chat) -> None:
    first = ids(chat.answer("give me two suggestions"))
    assert len(first) == 2
    rest = ids(chat.answer("not Amber Bond Fund"))
    assert "p0" not in rest
    assert rest[0] == first[1]
    others = ids(chat.answer("what else?"))
    assert others == [] or not set(others) & {*rest, "p0"}


def test_a_filter_hides_no_better_product(
    chat: Chat, community_graph: Graph, run_module_cypher: Rows
) -> None:
    chat.answer("what do you recommend?")
    filtered = chat.answer("only funds, please")["products"]
    everything = recommend(community_graph, ME, 20).products
    kinds = run_module_cypher(
        "MATCH (p:Product) WHERE toLower(p.kind) = 'fund' "
        "OR EXISTS { (p)-[:IN_CATEGORY]->(c) WHERE c.name = 'Funds, mixed' } "
        "RETURN collect(p.id) AS ids"
    )[0]["ids"]
    best = [one for one in everything if one.product in kinds][: len(filtered)]
    assert [one["product"] for one in filtered] == [one.product for one in best]
    assert [one["score"] for one in filtered] == pytest.approx(
        [one.score for one in best], abs=1e-6
    )


def test_a_follow_up_repeats_the_intent_for_another_product(chat: Chat) -> None:
    listed = ids(chat.answer("what do you recommend?"))
    assert chat.answer("why the first one?")["explanation"]["product"] == listed[0]
    assert chat.answer("and the second one?")["explanation"]["product"] == listed[1]
    closed = chat.answer("why not p9?")
    assert (closed["intent"], closed["product"]) == ("why_not", "p9")
    assert "it is closed" in closed["text"]
    again = chat.answer("why not?")
    assert (again["product"], again["text"]) == ("p9", closed["text"])
    held = chat.answer("and p3?")
    assert (held["intent"], held["product"]) == ("why_not", "p3")
    assert "you already hold it" in held["text"]


def test_two_products_are_compared_by_rank_score_and_influences(chat: Chat) -> None:
    listed = chat.answer("what do you recommend?")["products"]
    answer = chat.answer("compare the first and the third")
    first, third = answer["products"]
    assert (first["product"], third["product"]) == (listed[0]["product"], listed[2]["product"])
    assert (first["rank"], third["rank"]) == (1, 3)
    assert first["score"] == pytest.approx(listed[0]["score"], abs=1e-6)
    assert f"{listed[0]['name']} ranks higher for you" in answer["text"]
    assert f"{first['score']:.2f}" in answer["text"]
    assert "What counts most for" in answer["text"]
    refused = chat.answer("compare the first with p9")
    assert "it is closed" in refused["text"]
    assert "ranks higher for you" not in refused["text"]


@pytest.mark.parametrize("user", [ME, "bond", "person-20"])
def test_a_supposed_list_is_the_list_after_the_change(
    community_graph: Graph, run_module_cypher: Rows, user: str
) -> None:
    held = run_module_cypher(
        "MATCH (:User {id: $user})-[h:HOLDS]->(p) WHERE h.split <> 'test' OR h.split IS NULL "
        "RETURN p.id AS id, properties(h) AS h ORDER BY id LIMIT 1",
        user=user,
    )[0]
    new = run_module_cypher(
        "MATCH (u:User {id: $user}), (p:Product) WHERE p.id <> 'p11' AND p.open "
        "AND NOT EXISTS { (u)-[:HOLDS]->(p) } RETURN p.id AS id ORDER BY id LIMIT 1",
        user=user,
    )[0]["id"]
    gone, change = held["id"], {"user": user, "gone": held["id"], "new": new}
    supposed = what_if(community_graph, user, without=[gone], added=[new], product_id="p11", k=8)
    run_module_cypher(
        "MATCH (u:User {id: $user})-[h:HOLDS]->(:Product {id: $gone}) DELETE h "
        "WITH DISTINCT u MATCH (p:Product {id: $new}) CREATE (u)-[:HOLDS {split: 'train'}]->(p)",
        **change,
    )
    try:
        actual = recommend(community_graph, user, 8)
        assert supposed.source == actual.source == "folded_in"
        assert [one.product for one in supposed.products] == [
            one.product for one in actual.products
        ]
        assert [one.score for one in supposed.products] == pytest.approx(
            [one.score for one in actual.products], abs=1e-5
        )
        now = what_if(community_graph, user, product_id="p11")
        assert supposed.after == pytest.approx(now.before, abs=1e-5)
        assert supposed.before != supposed.after
    finally:
        run_module_cypher(
            "MATCH (u:User {id: $user})-[f:HOLDS]->(:Product {id: $new}) DELETE f "
            "WITH u MATCH (p:Product {id: $gone}) CREATE (u)-[h:HOLDS]->(p) SET h = $h",
            h=held["h"],
            **change,
        )


def test_suppositions_are_read_from_lines(chat: Chat, community_graph: Graph) -> None:
    chat.answer("what do you recommend?")
    without = chat.answer("what if I did not hold p3?")
    assert (without["without"], without["added"]) == (["p3"], [])
    exact = what_if(community_graph, ME, without=["p3"], k=5)
    assert ids(without) == [one.product for one in exact.products]
    added = chat.answer("what if I also held Jade Fund?")
    assert (added["without"], added["added"]) == ([], ["p10"])
    assert added["text"].startswith("With Jade Fund as well, your list would be:")
    more = chat.answer("and p12?")
    assert (more["intent"], more["added"]) == ("what_if", ["p12"])
    assert "nothing would change" in chat.answer("what if I did not hold p0?")["text"]
    assert "only suppose" in chat.answer("what if my risk level were higher?")["text"]
    # The state keeps the actual list.
    assert chat.answer("why the first?")["product"] == "p0"


def test_influences_on_a_product_or_the_list_name_no_other_user(chat: Chat) -> None:
    chat.answer("what do you recommend?")
    of_list = chat.answer("what influenced my list the most?")
    assert sum(of_list["kinds"].values()) == pytest.approx(1, abs=1e-6)
    assert "first 5 of your list" in of_list["text"]
    chat.answer("why the first?")
    of_one = chat.answer("what or who influenced this?")
    assert of_one["products"] == ["p0"]
    assert not any(word in of_one["text"] for word in ("Quux", "person-"))


def test_similar_products_pass_the_rules(chat: Chat) -> None:
    answer = chat.answer("anything similar to p0?")
    assert ids(answer)
    assert not {"p0", "p1", "p2", "p3", "p4", "p8", "p9"} & set(ids(answer))
    assert chat.answer("why the first?")["product"] == ids(answer)[0]


def test_similar_products_and_holdings_are_checked_without_a_rank(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    read = Graph.read

    def record(graph: Graph, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        statements.append(name)
        return read(graph, name, **parameters)

    monkeypatch.setattr(Graph, "read", record)
    assert ids(chat.answer("which products are similar to p0?"))
    chat.answer("what if I did not hold p3?")
    assert "why_not_facts" in statements
    assert not any(name.startswith("why_not_rank") for name in statements)


def test_a_product_is_dismissed_and_brought_back_after_a_yes_only(
    chat: Chat, run_module_cypher: Rows
) -> None:
    listed = ids(chat.answer("what do you recommend?"))
    asked = chat.answer("remove the second one")
    assert asked["product"] == listed[1]
    assert asked["text"].endswith("Yes or no?")
    assert "Nothing was changed" in chat.answer("no")["text"]
    assert dismissed_by(run_module_cypher) == []
    chat.answer("don't show me the second one again")
    assert dismissed_by(run_module_cypher) == []
    assert "will not be shown" in chat.answer("yes please")["text"]
    assert dismissed_by(run_module_cypher) == [listed[1]]
    assert listed[1] not in ids(chat.answer("what do you recommend?"))
    assert "already" in chat.answer(f"dismiss {listed[1]}")["text"]
    chat.answer("undo that")
    # Another line drops the question; a later yes means nothing.
    chat.answer("hello")
    chat.answer("yes")
    assert dismissed_by(run_module_cypher) == [listed[1]]
    chat.answer("undo")
    chat.answer("yes")
    assert dismissed_by(run_module_cypher) == []
    assert "nothing to take back" in chat.answer("undo")["text"]


def test_own_data_is_shown_and_tied_people_are_only_counted(chat: Chat) -> None:
    answer = chat.answer("show me my data")
    assert answer["counts"]["holds"] == 4
    assert answer["properties"] == {"name": ME, "country": "FR", "risk_tolerance": 4}
    assert "you are tied to 3 people" in answer["text"]
    assert "Birch Equity Fund" in answer["text"]
    assert "Quux" not in answer["text"]


def test_own_data_is_deleted_after_two_questions_only(
    start: Start, run_module_cypher: Rows
) -> None:
    def nodes() -> int:
        rows = run_module_cypher(
            "MATCH (u:User {id: 'person-30'}) OPTIONAL MATCH (u)-[:WROTE]->(r:Review) "
            "RETURN count(DISTINCT u) + count(DISTINCT r) AS nodes"
        )
        return int(rows[0]["nodes"])

    chat = start("person-30")
    assert nodes() == 2
    for lines in (["no"], ["yes", "yes"], ["hello", "yes"], ["yes", "delete my"]):
        assert "Are you sure?" in chat.answer("delete my data")["text"]
        for line in lines:
            chat.answer(line)
        assert nodes() == 2
    chat.answer("delete my data")
    assert "type the words" in chat.answer("yes")["text"]
    assert chat.answer("Delete my data.")["deleted"] is True
    assert nodes() == 0
    assert "nothing left" in chat.answer("what do you recommend?")["text"]


@pytest.mark.parametrize(
    ("line", "declined"),
    [
        ("how much tax do I have to pay on this?", "tax"),
        ("buy ten shares of Amber Bond Fund", "orders"),
        ("what's the price of Amber Bond Fund?", "prices"),
        ("what does user bond hold?", "others"),
        ("show me the data of user bond", "others"),
        ("tell me a joke", "unsupported"),
    ],
)
def test_a_line_outside_the_task_is_declined(chat: Chat, line: str, declined: str) -> None:
    answer = chat.answer(line)
    assert answer["declined"] == declined
    text = answer["text"].removeprefix("You are talking to a program, not to a person.\n")
    assert text.startswith(("I cannot", "I do not know"))
