"""Names that are numbers, ordinals, ordinary words, Cypher or not unique, in conversations."""

from __future__ import annotations

from functools import partial

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.router import Router
from tests.conftest import RunCypher
from tests.llm_explain.community import store
from tests.llm_explain.conversation.scripted import Rows, Start, ids, start_chat

NAMES = (
    *("Toy Box 1", "Toy Box 2", "First Light Fund", "Bond", "One", "Number 4 Blend", "Summit 500"),
    *("Last Mile Bond", "Both Sides Now", "Second Life", "yes", "all", "5", "MATCH (n) RETURN n"),
)
"""Of the products by gid."""


@pytest.fixture(scope="module")
def renamed(shared_graph: Graph, run_module_cypher: RunCypher) -> Graph:
    write_back(shared_graph, store(run_module_cypher))
    run_module_cypher(
        "MATCH (p:Product) SET p.name = $names[p.gid] "
        "WITH p WHERE p.gid = 6 SET p.id = 'dune-wind-note'",
        names=NAMES,
    )
    return shared_graph


@pytest.fixture(scope="module")
def start(renamed: Graph, router: Router) -> Start:
    return partial(start_chat, renamed, router)


@pytest.mark.parametrize(
    ("line", "gid"),
    [
        ("why Toy Box 2?", 1),
        ("why not Toy Box 2?", 1),
        ("why not toy box 1?", 0),
        ("why First Light Fund?", 2),
        ("why first light fund?", 2),
        ("why not Bond?", 3),
        ("why bond?", 3),
        ("why One?", 4),
        ("why Number 4 Blend?", 5),
        ("why not Last Mile Bond?", 7),
        ("why Both Sides Now?", 8),
        ("why not Second Life?", 9),
        ("why “yes”?", 10),
        ("why not all?", 11),
        ("why not MATCH (n) RETURN n?", 13),
        ("why not dune-wind-note?", 6),
        ("why is Summit 500 not on my list?", 6),
    ],
)
def test_a_number_or_ordinal_inside_a_name_is_no_position(chat: Chat, line: str, gid: int) -> None:
    listed = ids(chat.answer("what do you recommend?"))
    answer = chat.answer(line)
    assert answer["product"] == ("dune-wind-note" if gid == 6 else f"p{gid}")
    assert answer["intent"] == ("why_not" if "not" in line else "why_this")
    assert chat.answer("why the second?")["product"] == listed[1]
    assert chat.answer("why number 3?")["product"] == listed[2]


def test_a_number_that_is_a_name_and_a_position_is_asked_about(
    chat: Chat, run_module_cypher: Rows
) -> None:
    listed = ids(chat.answer("what do you recommend?"))
    place = 5 if listed[4] != "p12" else 4
    run_module_cypher("MATCH (p:Product {id: 'p12'}) SET p.name = $name", name=str(place))
    chat.answer("what do you recommend?")
    asked = chat.answer(f"why {place}?")
    assert set(asked["choices"]) == {"p12", listed[place - 1]}
    assert chat.answer("p12")["explanation"]["product"] == "p12"
    assert chat.answer(f"why number {place}?")["product"] == listed[place - 1]


def test_a_position_without_a_list_is_asked_about(chat: Chat) -> None:
    assert "There is no list yet" in chat.answer("why the second?")["text"]
    assert chat.answer("Toy Box 2")["product"] == "p1"


def test_of_two_products_of_one_name_the_one_on_the_list_is_meant(
    start: Start, run_module_cypher: Rows
) -> None:
    chat = start("bond")
    listed = ids(chat.answer("what do you recommend?"))
    held = run_module_cypher(
        "MATCH (u:User {id: 'bond'})-[:HOLDS]->(p) WHERE NOT EXISTS { (u)-[:DISMISSED]->(p) } "
        "WITH p.id AS id ORDER BY id RETURN collect(id) AS ids"
    )[0]["ids"]
    on_list, other = listed[0], held[0]
    run_module_cypher(
        "MATCH (p:Product) WHERE p.id IN $same SET p.name = 'Ember Income'", same=[on_list, other]
    )
    assert f"1. “Ember Income ({on_list})”" in chat.answer("what do you recommend?")["text"]
    assert chat.answer("why Ember Income?")["explanation"]["product"] == on_list
    sold = chat.answer("what if I did not hold Ember Income?")
    assert sold["without"] == [other]
    question = chat.answer("never show me Ember Income again")
    assert f"Ember Income ({on_list})" in question["text"]
    assert chat.answer("yes")["changed"] == "dismiss"
    assert on_list not in ids(chat.answer("what do you recommend?"))
    # None is on the list now.
    asked = chat.answer("why not Ember Income?")
    assert set(asked["choices"]) == {on_list, other}
    assert f"Ember Income ({other})" in asked["text"]
    answer = chat.answer(other)
    assert (answer["intent"], answer["product"]) == ("why_not", other)
    assert f"“Ember Income ({other})” is not offered to you" in answer["text"]
    assert f"Ember Income ({on_list})" in chat.answer("undo Ember Income")["text"]
    assert chat.answer("yes")["changed"] == "undo"
    both = chat.answer("compare Ember Income and Ember Income")
    assert {one["product"] for one in both["products"]} == {on_list, other}
    assert f"Ember Income ({other})" in chat.answer("show me my data")["text"]
