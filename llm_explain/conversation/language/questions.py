"""The questions of a line: "why the first, and what is its risk?" has two."""

from __future__ import annotations

import re
from typing import Any

from kinfolio.llm_explain.conversation.language.patterns import pattern

_MAX_QUESTIONS = 3
_END = re.compile(r"(?<=[?!.])\s+")


def split_questions(line: str) -> list[str]:
    """Return the questions of a line in its order; the line itself where it is not clearly several.

    A line that asks for a change is never split: each change has a question of its own.
    """
    if pattern("change").search(line):
        return [line]
    parts: list[str] = []
    for sentence in _END.split(line):
        for part in pattern("and").split(sentence):
            # Words before the first question, like "hello", belong to it.
            if parts and not (_is_question(part) and _is_question(parts[-1])):
                parts[-1] = f"{parts[-1]} {part}"
            else:
                parts.append(part)
    return parts if 1 < len(parts) <= _MAX_QUESTIONS else [line]


def joined_answers(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answers to the questions of one line as one document. Any: JSON values."""
    if len(answers) == 1:
        return answers[0]
    fields: dict[str, Any] = {}
    for one in answers:
        fields |= one
    explained = [one for one in answers if "explanation" in one]
    fields.pop("explanation", None)
    if len(explained) == 1:
        # The citations of the text are those of this answer.
        fields |= {key: explained[0][key] for key in ("product", "explanation")}
    first = {key: answers[0][key] for key in ("intent", "confidence")}
    text = "\n\n".join(one["text"] for one in answers)
    return {**fields, **first, "text": text, "answers": answers}


def _is_question(text: str) -> bool:
    return bool(pattern("question_start").match(text)) and len(text.split()) > 1
