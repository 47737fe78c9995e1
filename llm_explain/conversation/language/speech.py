"""The language of the answer that is being written, and the language of a line.

Lines are understood in every language at all times; this decides the words of the answer only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Any

DEFAULT_LANGUAGE = "en"
_MIN_WORDS = 2
"""Words of a language and of no other that a line needs to be in that language."""
_current: ContextVar[str] = ContextVar("language", default=DEFAULT_LANGUAGE)


def language() -> str:
    """Return the code of the language of the answer."""
    return _current.get()


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Write the answers inside in one language."""
    token = _current.set(code)
    try:
        yield
    finally:
        _current.reset(token)


def requested_language(line: str) -> str | None:
    """Return the language that a line requests, as in "auf Deutsch bitte"."""
    found = (code for code, one in _languages().items() if one["requests"].search(line))
    return next(found, None)


def language_of(line: str) -> str | None:
    """Return the language of a line; None where its words do not tell.

    A line of one or two words needs one word of a language, a longer line two.
    """
    words = re.findall(r"[^\W\d_]+", line.casefold())
    languages = _languages()
    counts = {
        code: sum(word in one["words"] or bool(one["letters"] & set(word)) for word in words)
        for code, one in languages.items()
    }
    best, other = sorted(counts, key=lambda code: -counts[code])[:2]
    is_clear = counts[best] >= min(_MIN_WORDS, max(1, len(words) - 1))
    return best if is_clear and counts[best] >= 2 * counts[other] + 1 else None


@cache
def _languages() -> dict[str, dict[str, Any]]:
    # Any: the words are a set, the requests a pattern.
    file = files("kinfolio.llm_explain.conversation.language").joinpath("languages.toml")
    content = tomllib.loads(file.read_text("utf-8"))
    return {
        code: {
            "words": frozenset(one["words"].split()),
            "letters": frozenset(one["letters"]),
            "requests": re.compile("|".join(one["requests"]), re.IGNORECASE),
        }
        for code, one in content.items()
    }
