"""Words of a deployment, from a TOML file: what people do with its products, and facts to tell.

A table per language replaces words of `[domain]` and `[this]` in the clauses, so that a graph of
films does not speak of products that people hold. `[facts]` names properties of products that
explanations tell:

    [en]
    product = "film"
    hold = "watched"
    holds = "watched"
    held = "watched"
    [facts]
    year = {en = "from {value}", de = "von {value}"}
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kinfolio.errors import BadConfig, NotFound, quoted
from kinfolio.os_errors import refusal

_WORD = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+)*")
_MOST_CHARACTERS = 60
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of a deployment in one language."""

    words: Mapping[str, str]
    """By key: `product`, those of `[domain]`, and forms of the explained product, like `this`."""
    facts: Mapping[str, str]
    """By property of a product: a text with the field {value}."""


def read_words(file: Path, language: str, keys: frozenset[str]) -> Words:
    """Read the words of one language; `keys` are those that it may replace.

    Raises:
        NotFound: there is no such file.
        BadConfig: it is not valid.
    """
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}; unset KINFOLIO_WORDS or write it") from error
    except (UnicodeDecodeError, OSError, tomllib.TOMLDecodeError) as error:
        damaged = BadConfig(f"{file} cannot be read as TOML ({error})")
        raise refusal(error, file) or damaged from error
    if unknown := [key for key in content if key != "facts" and not _LANGUAGE.fullmatch(key)]:
        raise BadConfig(f"{file} has {quoted(unknown[0])}; give [facts] and languages like [en]")
    words = _table(file, content, language)
    for key, text in words.items():
        if key not in keys:
            known = ", ".join(sorted(keys))
            raise BadConfig(f"{file}: {language}.{key} is no word of the clauses; give {known}")
        is_word = isinstance(text, str) and len(text) <= _MOST_CHARACTERS
        if not (is_word and _WORD.fullmatch(text)):
            raise BadConfig(
                f"{file}: {language}.{key} is {quoted(str(text))}; give one or more words, at most "
                f"{_MOST_CHARACTERS} characters"
            )
    facts = {}
    for name, texts in _table(file, content, "facts").items():
        text = texts.get(language) if isinstance(texts, dict) else texts
        if not isinstance(text, str) or text.count("{value}") != 1 or text.count("{") != 1:
            raise BadConfig(
                f"{file}: facts.{name} has no text with {{value}} for {quoted(language)}, "
                'like {en = "a term of {value} years"}'
            )
        facts[name] = text
    return Words(words=words, facts=facts)


def _table(file: Path, content: dict[str, Any], name: str) -> dict[str, Any]:
    # Any: TOML values.
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise BadConfig(f"{file}: {name} is no table; write [{name}] and a line for each word")
    return table
