"""The patterns by which lines are understood, in all languages at once, from `patterns.toml`."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

_ORDINALS = (
    *("first top 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th"),
    *("seventh 7th", "eighth 8th", "ninth 9th", "tenth 10th"),
)
_GERMAN_ORDINALS = (
    "erst zweit dritt viert fünft sechst siebt acht neunt zehnt letzt vorletzt".split()
)
NUMBER_WORDS = {
    word: number
    for words in (
        "one two three four five six seven eight nine ten",
        "eins zwei drei vier fünf sechs sieben acht neun zehn",
    )
    for number, word in enumerate(words.split(), start=1)
}
ORDINALS = (
    {word: number for number, words in enumerate(_ORDINALS, start=1) for word in words.split()}
    | {
        f"{stem}e{ending}": number
        for number, stem in enumerate(_GERMAN_ORDINALS[:10], start=1)
        for ending in ("", "n", "r", "s", "m")
    }
    | {"last": -1, "penultimate": -2, "second to last": -2, "last but one": -2}
    | {
        f"{stem}e{ending}": -number
        for number, stem in enumerate(_GERMAN_ORDINALS[10:], start=1)
        for ending in ("", "n", "r", "s", "m")
    }
)
"""Places from the top, or negative from the end, by word."""


@cache
def pattern(name: str, *, is_word: bool = False) -> re.Pattern[str]:
    """Return the compiled pattern of a name; with `is_word` it matches whole words only."""
    number = rf"\d{{1,4}}|{'|'.join(NUMBER_WORDS)}"
    either = "|".join(f"(?:{one})" for one in _section(name).values())
    text = either.replace("{number}", number)
    return re.compile(rf"\b(?:{text})\b" if is_word else text, re.IGNORECASE)


@cache
def words_of(name: str) -> frozenset[str]:
    """Return the words of a section that lists words."""
    return frozenset(" ".join(_section(name).values()).split())


@cache
def ordinary_words() -> frozenset[str]:
    """Return the words of lines that are no names of products."""
    folder = files("kinfolio.llm_explain.conversation.language")
    examples = {
        code: " ".join(
            line
            for lines in tomllib.loads(
                folder.joinpath(f"intents_{code}.toml").read_text("utf-8")
            ).values()
            for line in lines
        )
        for code in ("en", "de")
    }
    # A capital inside an English line begins a name.
    names = {word.casefold() for word in re.findall(r"(?<=[a-z,] )[A-Z]\w+", examples["en"])}
    words = {
        word for text in examples.values() for word in re.findall(r"[^\W\d_]+", text.casefold())
    }
    sections = ("fillers", "around_name", "unspecific", "other_words")
    return frozenset(words - names).union(*map(words_of, sections))


@cache
def kind_words() -> dict[str, tuple[str, ...]]:
    """Words for kinds and categories, by a word of another language than the graph's."""
    return {word: tuple(others.split()) for word, others in _section("kind_words").items()}


def first_group(match: re.Match[str]) -> str:
    """Return the first named group that took part in a match."""
    return next(text for text in match.groupdict().values() if text)


@cache
def meanings() -> dict[str, str]:
    """Words of wishes in the language of the text encoder."""
    return _section("meanings")


def _section(name: str) -> dict[str, str]:
    return _content()[name]


@cache
def _content() -> dict[str, dict[str, str]]:
    file = files("kinfolio.llm_explain.conversation.language").joinpath("patterns.toml")
    return tomllib.loads(file.read_text("utf-8"))
