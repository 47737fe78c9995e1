"""Fixed answers to lines that neither the router nor a model may answer freely.

Advice, promises, prices, tax, law, other people's data, orders, complaints, a wish for a person,
distress, and the question whether this is a machine. Patterns and answers are in `careful.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kinfolio.llm_explain.conversation.language.speech import language

_CODES = ("en", "de")


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of line with one answer."""

    key: str
    intent: str
    """Of the router's intents."""
    patterns: dict[str, re.Pattern[str]]
    """By language."""
    unless: re.Pattern[str] | None
    answers: dict[str, str]


def find_topic(line: str, skipped: Collection[str] = ()) -> Topic | None:
    """Return the topic of a line with masked names; None for a line that the router may read.

    Args:
        line: in any language.
        skipped: topics that do not apply here, such as prices in a graph that stores them.
    """
    line = line.replace("’", "'")
    for topic in _topics():
        if topic.key in skipped or (topic.unless and topic.unless.search(line)):
            continue
        if any(pattern.search(line) for pattern in topic.patterns.values()):
            return topic
    return None


def answer_to(topic: Topic, contact: str) -> str:
    """Return the answer in the language of the conversation; `contact`: of the deployment."""
    content, code = _content(), language()
    key = "contact" if contact else "contact_unknown"
    sentence = content[key][code].format(contact=contact.rstrip("."))
    return topic.answers[code].format(contact=sentence).strip()


@cache
def _topics() -> tuple[Topic, ...]:
    return tuple(
        Topic(
            key=key,
            intent=one["intent"],
            patterns={code: _any_of(one[code]) for code in _CODES},
            unless=_any_of(one["unless"]) if "unless" in one else None,
            answers={code: one[f"answer_{code}"] for code in _CODES},
        )
        for key, one in _content()["topics"].items()
    )


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


@cache
def _content() -> dict[str, Any]:
    # Any: texts and lists of texts, by topic.
    file = files("kinfolio.llm_explain.conversation.language").joinpath("careful.toml")
    return tomllib.loads(file.read_text("utf-8"))
