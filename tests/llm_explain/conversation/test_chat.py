"""Conversations with a scripted router on a real graph, and the real one on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from kinfolio.cli.wiring import make_tools
from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotFound
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.mention import Listed, find_mention
from kinfolio.llm_explain.conversation.router import INTENTS, Route
from kinfolio.llm_explain.wording.seeded_writer import ChoosingModel
from kinfolio.llm_explain.wording.writers import GrammarWriter

ME = "people"


class Keywords:
    """A router that a reader can follow: the first intent whose word is in the line."""

    words = (
        ("why not", "why_not"),
        ("why", "why_this"),
        ("list", "recommend"),
        ("hello", "small_talk"),
        *((intent, intent) for intent in INTENTS),
    )

    def route(self, text: str) -> Route:
        for word, intent in self.words:
            if word in text.casefold():
                return Route(intent, 0.9, False)
        return Route("recommend", 0.2, True)


def talk(graph: Graph, user: str = ME, **more: Any) -> Chat:
    writers = (GrammarWriter("none", ChoosingModel(), tries=3),)
    tools = make_tools(graph, writers)
    return Chat(user, graph, tools, Keywords(), **more)


def test_a_list_then_reasons_by_place_id_and_name(community_graph: Graph) -> None:
    chat = talk(community_graph)
    listed = chat.answer("my list please")["products"]
    assert [line["rank"] for line in listed] == [1, 2, 3, 4, 5]
    second = chat.answer("why the second?")
    assert second["product"] == listed[1]["product"]
    assert second["explanation"]["product"] == listed[1]["product"]
    assert second["text"] == second["explanation"]["text"]
    assert chat.answer("why number 3?")["product"] == listed[2]["product"]
    assert chat.answer("why 4?")["product"] == listed[3]["product"]
    assert chat.answer("why p0?")["product"] == "p0"
    assert chat.answer("why amber bond fund?")["product"] == "p0"
    assert chat.answer("why the last?")["product"] == listed[4]["product"]


def test_this_and_a_bare_why_mean_the_product_spoken_of(community_graph: Graph) -> None:
    chat = talk(community_graph)
    chat.answer("why p1?")
    assert chat.answer("why not that?")["product"] == "p1"
    assert chat.answer("why?")["product"] == "p1"


def test_it_asks_which_product_and_takes_a_bare_name_for_the_answer(
    community_graph: Graph,
) -> None:
    chat = talk(community_graph)
    asked = chat.answer("why")
    assert "Which product" in asked["text"]
    assert "product" not in asked
    answer = chat.answer("Birch Equity Fund")
    assert (answer["intent"], answer["product"]) == ("why_this", "p1")


def test_a_place_that_the_list_does_not_have_is_told(community_graph: Graph) -> None:
    chat = talk(community_graph)
    chat.answer("list")
    assert "no number 9" in chat.answer("why number nine?")["text"]


def test_why_not_names_the_rule(community_graph: Graph) -> None:
    chat = talk(community_graph)
    assert "you already hold it" in chat.answer("why not p3?")["text"]
    assert "closed" in chat.answer("why not p9?")["text"]
    allowed = chat.answer("why not p0?")
    assert "Nothing keeps Amber Bond Fund from you" in allowed["text"]
    assert allowed["rank"] == 1


def test_an_unclear_line_is_asked_back(community_graph: Graph) -> None:
    answer = talk(community_graph).answer("mumble")
    assert answer["asks_back"] is True
    assert answer["text"].endswith("?")


def test_a_line_too_long_or_hostile_changes_nothing(community_graph: Graph) -> None:
    chat = talk(community_graph)
    chat.answer("list")
    for line in ("why ' OR 1=1 //", "why MATCH (n) DETACH DELETE n", "why \x00?", "why {c1} [1]"):
        assert "Which product" in chat.answer(line)["text"]
    assert chat.answer("list of user someone")["products"] == chat.answer("list")["products"]


def test_a_thread_remembers_and_belongs_to_its_user(community_graph: Graph) -> None:
    memory = InMemorySaver()
    first = talk(community_graph, thread="t", memory=memory).answer("list")
    again = talk(community_graph, thread="t", memory=memory).answer("why the first?")
    assert again["product"] == first["products"][0]["product"]
    other_thread = talk(community_graph, thread="u", memory=memory).answer("why the first?")
    other_user = talk(community_graph, "bond", thread="t", memory=memory).answer("why the first?")
    assert "Which product" in other_thread["text"]
    assert "Which product" in other_user["text"]


def test_an_unknown_user_cannot_talk(community_graph: Graph) -> None:
    with pytest.raises(NotFound, match="no user 'nobody'"):
        talk(community_graph, "nobody")


@pytest.mark.parametrize(
    ("line", "product"),
    [
        ("why Jade Fund?", "p10"),
        ("what about “people”?", "p3"),
        ("do people hold it?", None),
        ("why it's so", None),
        ("is a good one", None),
        ("GOLD 🪙 TRUST", "p7"),
        ("why p12, please", "p12"),
        ("why p1.", "p1"),
        ("why p999?", None),
        ("why Ambers?", None),
    ],
)
def test_a_mention_is_an_id_or_a_whole_name(
    community_graph: Graph, line: str, product: str | None
) -> None:
    found = find_mention(line, community_graph, [], None).product
    assert (found.product if found else None) == product


def test_a_bare_number_is_a_place_only_where_there_is_one(community_graph: Graph) -> None:
    listed = [Listed("p5", "x"), Listed("p6", "y")]
    second = find_mention("why 2?", community_graph, listed, None).product
    assert second == listed[1]
    assert find_mention("why 9?", community_graph, listed, None).product is None
    assert find_mention("why number 9?", community_graph, listed, None).missing_rank == 9
    # A place among what one holds is none in the list.
    line = "what if I did not hold the first of my holdings?"
    assert find_mention(line, community_graph, listed, None).product is None


def test_a_scripted_session_on_the_command_line(
    community_graph: Graph, cli: Callable[..., Any]
) -> None:
    lines = "hello\n\nwhat do you recommend?\nwhy the second?\nwhy not p9?\nbye\nwhy the first?\n"
    result = cli("chat", ME, "--model", "none", "--json", input=lines)
    assert result.exit_code == 0, result.stderr
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["intent"] for answer in answers] == [
        *("small_talk", "recommend", "why_this", "why_not")
    ]
    assert answers[2]["product"] == answers[1]["products"][1]["product"]
    assert all(set(answer) >= {"intent", "confidence", "text"} for answer in answers)
    plain = cli("chat", ME, "--model", "none", input="what do you recommend?\n")
    assert plain.stdout.startswith("Here is what fits you best:\n1. ")


def test_without_a_thread_a_conversation_begins_anew(
    community_graph: Graph, cli: Callable[..., Any]
) -> None:
    arguments = ("chat", ME, "--model", "none")
    cli(*arguments, input="what do you recommend?\ndismiss p0\n")
    again = cli(*arguments, "--json", input="yes\nwhy the first?\n").stdout.splitlines()
    assert "changed" not in json.loads(again[0])
    assert "Which product" in json.loads(again[1])["text"]


def test_an_unknown_user_on_the_command_line(
    community_graph: Graph, cli: Callable[..., Any]
) -> None:
    result = cli("chat", "nobody", "--model", "none", input="hello\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("kinfolio: there is no user 'nobody'")
