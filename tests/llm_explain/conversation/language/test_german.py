"""German in the conversation: routing, answers, refusals and changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.language.speech import language_of, requested_language
from kinfolio.llm_explain.conversation.phrases import load_phrases
from kinfolio.llm_explain.conversation.router import Router, load_examples
from tests.llm_explain.conversation.scripted import ME, Rows, Start, dismissed_by, ids

HELD_OUT = {
    "recommend": [
        "hast du eine Empfehlung für mich?",
        "welche Fonds könnten mir gefallen?",
        "schlag mir bitte etwas vor",
        "zeig mir, was zu mir passt",
    ],
    "why_this": [
        "warum schlagen Sie mir das vor?",
        "wieso steht das erste oben?",
        "erkläre mir die dritte Empfehlung",
        "warum Granite Value Fund?",
    ],
    "why_not": [
        "warum wird mir p31 nicht angeboten?",
        "wieso nicht Tidal Energy Trust?",
        "warum fehlt das auf meiner Liste?",
        "warum kriege ich Granite Value Fund nicht?",
    ],
    "compare": [
        "vergleiche p31 und p32",
        "was ist besser für mich, das erste oder das dritte?",
        "worin unterscheiden sich die ersten zwei?",
    ],
    "what_if": [
        "was wäre, wenn ich p31 verkaufe?",
        "angenommen, ich hätte auch Granite Value Fund",
        "was wäre ohne Tidal Energy Trust?",
    ],
    "influence": [
        "was hat meine Liste am stärksten geprägt?",
        "welche meiner Bestände zählen am meisten?",
        "wer hat Einfluss auf meine Empfehlungen?",
    ],
    "similar": [
        "was ist so ähnlich wie p31?",
        "gibt es Alternativen zum ersten?",
        "zeig mir Ähnliches wie Granite Value Fund",
    ],
    "dismiss": [
        "zeig mir p31 nie wieder",
        "nimm das zweite von der Liste",
        "das dritte will ich nicht mehr sehen",
    ],
    "my_data": [
        "welche Daten haben Sie von mir?",
        "zeig mir alles, was du über mich gespeichert hast",
        "lösch bitte alle meine Daten",
    ],
    "small_talk": ["hallo zusammen", "danke schön", "was kannst du alles?", "guten Morgen"],
    "unsupported": [
        "wie wird das Wetter morgen?",
        "schreib mir einen Brief",
        "wer ist Bundeskanzler?",
    ],
}


def test_both_languages_have_the_same_phrases_and_fields() -> None:
    english, german = load_phrases("en"), load_phrases("de")
    assert {key: set(one) for key, one in german.items() if key != "refusal_patterns"} == {
        key: set(one) for key, one in english.items() if key != "refusal_patterns"
    }
    for section, texts in english.items():
        if section != "refusal_patterns":
            for key, text in texts.items():
                assert fields(german[section][key]) == fields(text), key


def fields(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}


def test_german_lines_are_classified(router: Router) -> None:
    known = {line for lines in load_examples().values() for line in lines}
    pairs = [
        (intent, line) for intent, lines in HELD_OUT.items() for line in lines if line not in known
    ]
    routes = [(intent, router.route(line)) for intent, line in pairs]
    right = [intent == route.intent for intent, route in routes]
    sure = [intent == route.intent for intent, route in routes if not route.asks_back]
    print(f"{len(right)} German lines: {sum(right) / len(right):.3f} right, ", end="")
    print(f"{sum(sure) / len(sure):.3f} of {len(sure)} answered")
    assert sum(right) / len(right) >= 0.8
    assert sum(sure) / len(sure) >= 0.85


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("warum nicht das zweite?", "de"),
        ("was empfehlen Sie mir?", "de"),
        ("und die dritte?", "de"),
        ("why not the second?", "en"),
        ("what do you recommend?", "en"),
        ("p12", None),
        ("Amber Bond Fund", None),
        ("ok", None),
    ],
)
def test_the_language_of_a_line_is_that_of_its_words(line: str, language: str | None) -> None:
    assert language_of(line) == language


@pytest.mark.parametrize(
    "line", ["auf Deutsch bitte", "in German please", "sprich deutsch", "Deutsch"]
)
def test_a_language_is_requested(chat: Chat, line: str) -> None:
    assert requested_language(line) == "de"
    chat.answer("hello")
    assert chat.answer(line)["text"] == "Ich antworte ab jetzt auf Deutsch."
    assert chat.answer("in English please")["text"] == "I answer in English from here on."


def test_a_conversation_in_german(chat: Chat) -> None:
    listed = chat.answer("Was empfehlen Sie mir?")
    assert "Ihre Liste, das Beste zuerst:" in listed["text"]
    second = chat.answer("Warum das zweite?")
    assert second["product"] == ids(listed)[1]
    assert second["text"].endswith("Das ist keine Anlageberatung.")
    refused = chat.answer("warum nicht p9?")
    assert "es wird nicht mehr angeboten" in refused["text"]
    less = chat.answer("etwas mit weniger Risiko bitte")
    assert "Risikostufe höchstens" in less["text"]
    compared = chat.answer("vergleiche das erste und das zweite")
    assert "steht für Sie weiter oben als" in compared["text"]
    assert "Die Werte:" in compared["text"]
    supposed = chat.answer("was wäre, wenn ich p3 nicht hätte?")
    assert supposed["without"] == ["p3"]
    assert "wäre Ihre Liste:" in supposed["text"]
    assert "Am meisten zählt" in chat.answer("was hat meine Liste am meisten beeinflusst?")["text"]
    assert "Am ähnlichsten wie" in chat.answer("was ist ähnlich wie p0?")["text"]
    assert chat.answer("zeig mir meine Daten")["text"].startswith("Das ist über Sie gespeichert")
    assert chat.answer("soll ich das kaufen?")["text"].startswith("Ich kann Ihnen nicht raten")
    assert chat.answer("danke")["text"] == "Gern geschehen."


def test_a_change_in_german_needs_a_ja(chat: Chat, run_module_cypher: Rows) -> None:
    listed = ids(chat.answer("was empfehlen Sie mir?"))
    asked = chat.answer("nimm das zweite von der Liste")
    assert asked["product"] == listed[1]
    assert asked["text"].endswith("Ja oder nein?")
    assert chat.answer("nein")["text"] == "Nichts wurde geändert."
    chat.answer("zeig mir das zweite nie wieder")
    assert dismissed_by(run_module_cypher) == []
    assert "nicht mehr gezeigt" in chat.answer("ja, bitte")["text"]
    assert dismissed_by(run_module_cypher) == [listed[1]]
    chat.answer("rückgängig")
    chat.answer("ja")
    assert dismissed_by(run_module_cypher) == []


def test_data_are_deleted_by_the_german_words(start: Start, run_module_cypher: Rows) -> None:
    chat = start("person-33")
    assert "Ja oder nein?" in chat.answer("lösche meine Daten")["text"]
    assert "lösche meine Daten" in chat.answer("ja")["text"]
    assert chat.answer("Lösche meine Daten.")["deleted"] is True
    found = run_module_cypher("MATCH (u:User {id: 'person-33'}) RETURN u")
    assert found == []


def test_the_commands_take_a_language(community_graph: Graph, cli: Callable[..., Any]) -> None:
    lines = "p0\nwhat do you recommend?\n"
    answered = cli("chat", ME, "--model", "none", "--language", "de", "--json", input=lines)
    first, second = map(json.loads, answered.stdout.splitlines())
    assert first["text"].startswith("Sie sprechen mit einem Programm")
    assert second["text"].startswith("Here is your list, best first:")
    by_variable = cli("chat", ME, "--model", "none", input="p0\n", env={"KINFOLIO_LANGUAGE": "de"})
    assert by_variable.stdout.startswith("Sie sprechen mit einem Programm")
    refused = cli("chat", ME, "--language", "xx", input="p0\n")
    assert refused.exit_code == 1
    assert "language" in refused.stderr
    assert (
        json.loads(cli("route", "warum nicht das zweite?", "--json").stdout)["intent"] == "why_not"
    )
