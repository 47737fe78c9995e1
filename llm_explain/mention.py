"""Which product a chat line means: by its place in the last list, by id, by name, or "it"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinfolio.llm_explain.check import load_words
from kinfolio.llm_explain.reading import is_ordinary

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph

SHORT_LINE_WORDS = 3
"""A line as short as "why?" or "and why not?" is about the product spoken of before."""
_PLACES = {
    "first": 1,
    "top": 1,
    "1st": 1,
    "second": 2,
    "2nd": 2,
    "third": 3,
    "3rd": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "last": -1,
    "4th": 4,
    "5th": 5,
    "6th": 6,
    "7th": 7,
    "8th": 8,
    "9th": 9,
    "10th": 10,
}
_NUMBER_WORDS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_NUMBERED = re.compile(r"\b(?:number|no\.?|nr\.?|place|rank|#)\s*#?(\d+|[a-z]+)\b|#(\d+)", re.I)
_POINTING = re.compile(r"\b(this|that|it|its|one)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listed:
    """A product by id and name."""

    product: str
    name: str


@dataclass(frozen=True, slots=True)
class Mention:
    """What a line points at."""

    product: Listed | None
    missing_rank: int | None = None
    """A place that the list does not have."""
    names_something: bool = False
    """The line points at something, found or not."""


def find_mention(line: str, graph: Graph, listed: Sequence[Listed], last: Listed | None) -> Mention:
    """The product that a line means.

    Args:
        line: what was typed.
        graph: where products are looked up, by parameters only.
        listed: the last list, best first.
        last: the product spoken of before.
    """
    rank = _rank(line)
    tokens = re.findall(r"[^\s?!,;\"“”]+", line)
    ids = [token.rstrip(".:") for token in tokens] + tokens
    if not rank and listed and (digits := [t for t in ids if t.isdigit()]):
        # A bare number is a place in the list as long as there is such a place.
        rank = int(digits[0]) if 0 < int(digits[0]) <= len(listed) else None
    if rank and listed:
        place = len(listed) if rank == -1 else rank
        if place > len(listed):
            return Mention(None, missing_rank=place, names_something=True)
        return Mention(listed[place - 1], names_something=True)
    found = _named(line, graph, ids)
    is_short = len(line.split()) <= SHORT_LINE_WORDS
    if found is None and last is not None and (is_short or _POINTING.search(line)):
        found = last
    return Mention(found, names_something=found is not None or bool(_POINTING.search(line)))


def _rank(line: str) -> int | None:
    if match := _NUMBERED.search(line):
        word = (match.group(1) or match.group(2)).casefold()
        return int(word) if word.isdigit() else _NUMBER_WORDS.get(word)
    words = re.findall(r"\w+", line.casefold())
    return next((_PLACES[word] for word in words if word in _PLACES), None)


def _named(line: str, graph: Graph, ids: list[str]) -> Listed | None:
    ordinary = load_words().known
    rows = graph.read("chat_products", ids=ids, line=line.lower())
    for row in rows:
        name = str(row["name"])
        word = row["product"] if row["is_id"] else name
        # A name or id that is an ordinary word counts only when it is quoted or has capitals.
        if is_ordinary(word, ordinary) and not re.search(r"\d", word):
            quoted = re.search(rf"[\"“'‘]{re.escape(word)}[\"”'’]", line)
            if not quoted and not (
                word[:1].isupper() and re.search(rf"\b{re.escape(word)}\b", line)
            ):
                continue
        if row["is_id"] or re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line, re.IGNORECASE):
            return Listed(row["product"], name)
    return None
