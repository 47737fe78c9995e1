"""The questions of a line: "why the first, and what is its risk?" has two."""

from __future__ import annotations

import re

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


def _is_question(text: str) -> bool:
    return bool(pattern("question_start").match(text)) and len(text.split()) > 1
