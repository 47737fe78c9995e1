"""Conversations with a router of keywords on a real graph, and `kinfolio chat`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotFound
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.mention import Context, ProductRef, find_mention
from kinfolio.llm_explain.conversation.router import INTENTS, Route
from tests.llm_explain.conversation.scripted import ME, start_chat


class Keywords:
    """A predictable router: the first intent whose word is in the line."""

    words = (
        ("why not", "why_not"),
        ("why", "why_this"),
        ("list", "recommend"),
        ("hello", "small_talk"),
        *((intent, intent) for intent in INTENTS),
    )

    def route(self, text: str) -> Route:
        if text == "broken":
            raise ConnectionError
        for word, intent in self.words:
            if word in text.casefold():
                return Route(intent, 0.9, False)
        return Route("recommend", 0.2, True)


def chat_with(graph: Graph, user: str = ME, **more: Any) -> Chat:
    return start_chat(graph, Keywords(), user, **more)


@pytest.fixture
def chat(community_graph: Graph) -> Chat:
    return chat_with(community_graph)


def test_products_of_a_list_are_explained_by_position_id_and_name(chat: Chat) -> None:
    products = chat.answer("my list please")["products"]
    assert [line["rank"] for line in products] == [1, 2, 3, 4, 5]
    second = chat.answer("why the second?")
    assert second["product"] == products[1]["product"]
    assert second["explanation"]["product"] == products[1]["product"]
    assert second["text"] == second["explanation"]["text"]
    assert chat.answer("why number 3?")["product"] == products[2]["product"]
    assert chat.answer("why 4?")["product"] == products[3]["product"]
    assert chat.answer("why p0?")["product"] == "p0"
    assert chat.answer("why amber bond fund?")["product"] == "p0"
    assert chat.answer("why the last?")["product"] == products[4]["product"]


def test_negative_scores_of_a_list_are_marked(community_graph: Graph) -> None:
    marks = set()
    for user in (ME, "person-20", "person-30", "person-40"):
        answer = chat_with(community_graph, user).answer("my list please")
        lines = answer["text"].splitlines()[2:]
        scores = [product["score"] for product in answer["products"]]
        marks |= {
            (score < 0, line.endswith(" (negative score: what is known rather speaks against it)"))
            for score, line in zip(scores, lines, strict=True)
        }
    assert marks == {(True, True), (False, False)}


def test_a_pronoun_or_a_bare_why_means_the_last_product(chat: Chat) -> None:
    chat.answer("why p1?")
    assert chat.answer("why not that?")["product"] == "p1"
    assert chat.answer("why?")["product"] == "p1"


def test_a_bare_name_answers_the_question_which_product(chat: Chat) -> None:
    question = chat.answer("why")
    assert "Which product" in question["text"]
    assert "product" not in question
    answer = chat.answer("Birch Equity Fund")
    assert (answer["intent"], answer["product"]) == ("why_this", "p1")


def test_a_position_beyond_the_list_is_reported(chat: Chat) -> None:
    chat.answer("list")
    assert "no number 9" in chat.answer("why number nine?")["text"]


def test_why_not_names_the_rule(chat: Chat) -> None:
    assert "you already hold it" in chat.answer("why not p3?")["text"]
    assert "closed" in chat.answer("why not p9?")["text"]
    allowed = chat.answer("why not p0?")
    assert "Nothing keeps Amber Bond Fund from you" in allowed["text"]
    assert allowed["rank"] == 1


def test_a_line_that_fails_drops_the_open_question(chat: Chat) -> None:
    assert "Yes or no?" in chat.answer("dismiss p0")["text"]
    with pytest.raises(ConnectionError):
        chat.answer("broken")
    assert "changed" not in chat.answer("yes")


def test_an_unclear_line_is_answered_by_a_question(chat: Chat) -> None:
    answer = chat.answer("mumble")
    assert answer["asks_back"] is True
    assert answer["text"].endswith("?")


def test_hostile_lines_change_nothing(chat: Chat) -> None:
    before = chat.answer("list")["products"]
    for line in ("why ' OR 1=1 //", "why \x00?", "why {c1} [1]"):
        assert "Which product" in chat.answer(line)["text"]
    assert chat.answer("why MATCH (n) DETACH DELETE n")["declined"] == "rules_stay"
    assert chat.answer("list of user someone")["declined"] == "others"
    assert chat.answer("list")["products"] == before


def test_a_thread_is_resumed_by_its_own_user_only(community_graph: Graph) -> None:
    memory = InMemorySaver()

    def first_answer(line: str, user: str = ME, thread: str = "t") -> dict[str, Any]:
        chat = chat_with(community_graph, user, thread=thread, checkpointer=memory)
        return chat.answer(line)

    products = first_answer("list")["products"]
    assert first_answer("why the first?")["product"] == products[0]["product"]
    assert "Which product" in first_answer("why the first?", thread="u")["text"]
    assert "Which product" in first_answer("why the first?", user="bond")["text"]


def test_an_unknown_user_cannot_chat(community_graph: Graph) -> None:
    with pytest.raises(NotFound, match="no user 'nobody'"):
        chat_with(community_graph, "nobody")


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
    found = find_mention(line, Context(community_graph)).product
    assert (found.id if found else None) == product


def test_a_bare_number_is_a_position_only_within_the_list(community_graph: Graph) -> None:
    products = [ProductRef("p5", "x"), ProductRef("p6", "y")]
    context = Context(community_graph, products)
    assert find_mention("why 2?", context).product == products[1]
    assert find_mention("why 9?", context).product is None
    assert find_mention("why number 9?", context).missing_rank == 9


def test_a_position_among_own_holdings_is_not_one_in_the_list(community_graph: Graph) -> None:
    line = "what if I did not hold the first of my holdings?"
    context = Context(community_graph, [ProductRef("p5", "x")])
    assert find_mention(line, context).product is None


def test_the_command_answers_each_line_until_bye(
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
    assert plain.stdout.startswith(
        "You are talking to a program, not to a person.\nHere is your list, best first:\n1. "
    )
    assert plain.stderr == ""


def test_without_a_thread_a_new_conversation_starts(
    community_graph: Graph, cli: Callable[..., Any]
) -> None:
    arguments = ("chat", ME, "--model", "none")
    cli(*arguments, input="what do you recommend?\ndismiss p0\n")
    again = cli(*arguments, "--json", input="yes\nwhy the first?\n").stdout.splitlines()
    assert "changed" not in json.loads(again[0])
    assert "Which product" in json.loads(again[1])["text"]


@pytest.mark.parametrize("command", ["chat", "mcp"])
def test_the_command_refuses_an_unknown_user(
    community_graph: Graph, cli: Callable[..., Any], command: str
) -> None:
    result = cli(command, "nobody", "--model", "none", input="hello\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("kinfolio: there is no user 'nobody'")
