"""An answer of a conversation as sentences, each with the evidence that it cites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"])")
"""Of a sentence inside a line."""


def sentences_of_answer(answer: dict[str, Any]) -> Iterator[tuple[str, list[int]]]:
    """Yield the sentences of an answer (Any: JSON values), and the numbers of their evidence.

    A line of a list is one sentence. Sentences of an explanation are those that were checked.
    """
    if "answers" in answer:
        # Those to several questions in one line.
        for one in answer["answers"]:
            yield from sentences_of_answer(one)
        return
    text, explanation = answer["text"], answer.get("explanation")
    if not explanation or not text.endswith(explanation["text"]):
        yield from _sentences(text)
        return
    # Before an explanation there may be words of the conversation.
    yield from _sentences(text.removesuffix(explanation["text"]))
    for one in explanation["sentences"]:
        yield one["text"], one["evidence"]


def _sentences(answer: str) -> Iterator[tuple[str, list[int]]]:
    for line in answer.split("\n"):
        is_item = re.match(r"\s*\d+\. ", line)
        for text in [line] if is_item else _END.split(line):
            if text.strip():
                yield text, []
