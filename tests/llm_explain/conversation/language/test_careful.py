"""Fixed answers before any router: which lines have one, and what it says."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig
from kinfolio.llm_explain.conversation.answers import Answers
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.language.careful import answer_to, find_topic
from kinfolio.llm_explain.conversation.language.speech import language_of, speaking
from kinfolio.llm_explain.conversation.router import Router
from tests.llm_explain.conversation.scripted import ME, NONE, Start, hostile

CASES = tomllib.loads(Path(__file__).with_name("careful.toml").read_text("utf-8"))
DISCLOSURE = "You are talking to a program, not to a person."


@pytest.mark.parametrize("topic", CASES)
def test_a_line_has_the_fixed_answer_of_its_topic(topic: str) -> None:
    found = {line: find_topic(line) for line in CASES[topic]}
    keys = {line: one.key if one else "none" for line, one in found.items()}
    assert keys == dict.fromkeys(CASES[topic], topic)


def test_each_topic_has_an_answer_in_both_languages_and_names_the_contact() -> None:
    topics = {one.key: one for lines in CASES.values() if (one := find_topic(lines[0]))}
    assert set(topics) == set(CASES) - {"none"}
    for key, topic in topics.items():
        with speaking("de"):
            german = answer_to(topic, "01234 5678")
        english = answer_to(topic, "01234 5678.")
        assert language_of(german) == "de"
        assert language_of(english) == "en"
        for text in (german, english):
            assert "{" not in text
            named = {"rules_stay", "others", "promises"}
            assert (" 01234 5678." in text) == (key not in named), text


def test_the_first_answer_of_a_thread_says_that_a_program_answers(start: Start) -> None:
    chat = start()
    first = chat.answer("what do you recommend?")
    assert first["text"].startswith(f"{DISCLOSURE}\nHere is your list, best first:")
    assert first["disclosure"] == DISCLOSURE
    assert DISCLOSURE not in chat.answer("why the first?")["text"]
    german = start().answer("was empfehlen Sie mir?")
    assert german["text"].startswith("Sie sprechen mit einem Programm, nicht mit einem Menschen.\n")


def test_a_machine_says_that_it_is_one(chat: Chat) -> None:
    chat.answer("hello")
    yes = chat.answer("are you a machine?")
    assert (yes["intent"], yes["topic"]) == ("small_talk", "machine")
    assert yes["text"].startswith("Yes, you are talking to a machine")
    assert chat.answer("are you a human?")["text"].startswith("No, I am not a person.")


def test_the_contact_of_the_deployment_is_named(community_graph: Graph, router: Router) -> None:
    chat = Chat(Answers(community_graph, ME, (NONE,), contact="hello@bank.example"), router)
    assert "You can reach a person here: hello@bank.example." in chat.answer("call me")["text"]
    german = chat.answer("ich möchte mich beschweren")["text"]
    assert "Einen Menschen erreichen Sie hier: hello@bank.example." in german


def test_a_name_of_a_product_is_no_reason_for_a_fixed_answer(
    start: Start, run_module_cypher: Callable[..., Any]
) -> None:
    rename = "MATCH (p:Product {id: 'p13'}) SET p.name = $name"
    run_module_cypher(rename, name="Guaranteed Tax Price Fund")
    try:
        assert start().answer("why Guaranteed Tax Price Fund?")["intent"] == "why_this"
        assert start().answer("should I buy Guaranteed Tax Price Fund?")["topic"] == "advice"
    finally:
        run_module_cypher(rename, name="Moor Fund")


def test_no_model_answers_a_line_that_has_a_fixed_answer(start: Start) -> None:
    chat = start(script=hostile(("recommend", {}), text="Here it is. {b1}"))
    answer = chat.answer("should I buy Amber Bond Fund?")
    assert answer["declined"] == "advice"
    assert "answered_by" not in answer
    assert "I cannot advise you" in answer["text"]


def test_the_route_of_a_line_names_its_topic(cli: Callable[..., Any]) -> None:
    found = json.loads(cli("route", "should I buy Amber Bond Fund?", "--json").stdout)
    assert found == {
        "intent": "unsupported",
        "confidence": 1.0,
        "asks_back": False,
        "topic": "advice",
    }
    assert "fixed answer: machine" in cli("route", "bist du eine Maschine?").stdout
    assert json.loads(cli("route", "why the first?", "--json").stdout)["topic"] is None


def test_a_contact_that_is_too_long_is_refused(
    community_graph: Graph, cli: Callable[..., Any]
) -> None:
    answered = cli(
        "chat", ME, "--model", "none", input="call me\n", env={"KINFOLIO_CONTACT": "112"}
    )
    assert "You can reach a person here: 112." in answered.stdout
    refused = cli("chat", ME, "--model", "none", env={"KINFOLIO_CONTACT": "x" * 300})
    assert refused.exit_code == 1
    assert "KINFOLIO_CONTACT begins with" in refused.stderr
    assert BadConfig.__name__ not in refused.stderr
