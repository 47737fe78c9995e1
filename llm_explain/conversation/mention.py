"""Which product a chat line means: by its place in the last list, by id, by name, or "it"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinfolio.llm_explain.checking.check import load_words
from kinfolio.llm_explain.checking.parse import is_ordinary

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
_BOTH = re.compile(
    r"\b(?:(?:the )?(?:top|first) (?:two|2)|these(?: two)?|those(?: two)?|the two(?: of them)?"
    r"|both)\b",
    re.IGNORECASE,
)
_IT = re.compile(r"\b(?:this|that|it)\b", re.IGNORECASE)
_PLACE = re.compile(
    rf"\b(?P<ordinal>{'|'.join(_PLACES)})\b(?: one\b)?"
    r"|(?<![\w.])#?(?P<digits>\d{1,3})(?![\w.%])"
    rf"|\b(?P<number>{'|'.join(_NUMBER_WORDS)})\b",
    re.IGNORECASE,
)
_OF_OWN = re.compile(
    r"\b(?:of|in|among) (?:my (?:holdings|products|portfolio)|mine"
    r"|(?:what|the ones|those) i (?:hold|own|have))\b",
    re.IGNORECASE,
)
"""A place among what one holds is none in the last list."""
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


def find_mention(line: str, graph: Graph, listed: Sequence[Listed], last: Listed | None) -> Mention:
    """The product that a line means.

    Args:
        line: what was typed.
        graph: where products are looked up, by parameters only.
        listed: the last list, best first.
        last: the product spoken of before.
    """
    listed = () if _OF_OWN.search(line) else listed
    rank = _rank(line)
    tokens = re.findall(r"[^\s?!,;\"“”]+", line)
    ids = [token.rstrip(".:") for token in tokens] + tokens
    if not rank and listed and (digits := [t for t in ids if t.isdigit()]):
        # A bare number is a place in the list as long as there is such a place.
        rank = int(digits[0]) if 0 < int(digits[0]) <= len(listed) else None
    if rank and listed:
        place = len(listed) if rank == -1 else rank
        if place > len(listed):
            return Mention(None, missing_rank=place)
        return Mention(listed[place - 1])
    found = _named(line, graph, ids)
    is_short = len(line.split()) <= SHORT_LINE_WORDS
    if found is None and last is not None and (is_short or _POINTING.search(line)):
        found = last
    return Mention(found)


def find_mentions(
    line: str, graph: Graph, listed: Sequence[Listed], last: Listed | None, most: int = 5
) -> tuple[Listed, ...]:
    """All products that a line means, in its order: "the first and Amber Fund", "these two"."""
    found: list[tuple[int, Listed]] = []
    listed = () if _OF_OWN.search(line) else listed
    rest = line
    for start, end, one in _named_at(line, graph):
        found.append((start, one))
        rest = rest[:start] + "\0" * (end - start) + rest[end:]
    both = _BOTH.search(rest) if listed and len(found) < 2 else None
    if both:
        found += [(both.start() + i, one) for i, one in enumerate(listed[:2])]
        rest = rest[: both.start()] + "\0" * len(both.group()) + rest[both.end() :]
    if listed:
        for place, start in _places(rest):
            index = len(listed) if place == -1 else place
            if 0 < index <= len(listed):
                found.append((start, listed[index - 1]))
    ordered = [one for _, one in sorted(found, key=lambda pair: pair[0])]
    if last is not None and len(ordered) < 2 and _IT.search(rest):
        ordered.append(last)
    return tuple(dict.fromkeys(ordered))[:most]


def _places(line: str) -> Iterator[tuple[int, int]]:
    """Places in a list that a line names, and where it names them."""
    for match in _PLACE.finditer(line):
        if word := match.group("ordinal"):
            yield _PLACES[word.casefold()], match.start()
        elif digits := match.group("digits"):
            yield int(digits), match.start()
        elif number := match.group("number"):
            # "which one" is no place; "number one" and "one or two" are.
            before, after = line[: match.start()], line[match.end() :]
            if number.casefold() == "one" and not (
                re.search(r"\b(?:number|no\.?|nr\.?|place|rank) $", before, re.IGNORECASE)
                or re.match(r" (?:and|or|with|to|versus|vs|against)\b", after)
            ):
                continue
            yield _NUMBER_WORDS[number.casefold()], match.start()


def _named_at(line: str, graph: Graph) -> list[tuple[int, int, Listed]]:
    """Products named in a line, each where it stands; a name inside a longer one is not one."""
    ids = {token.strip(".:") for token in re.findall(r"[^\s?!,;\"“”]+", line)}
    ordinary = load_words().known
    taken: list[tuple[int, int, Listed]] = []
    for row in graph.read("chat_products", ids=sorted(ids), line=line.lower()):
        name = str(row["name"])
        for word in (row["product"], name) if row["is_id"] else (name,):
            match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line, re.IGNORECASE)
            if match is None or not _is_meant(word, line, ordinary):
                continue
            if all(match.end() <= start or match.start() >= end for start, end, _ in taken):
                taken.append((match.start(), match.end(), Listed(row["product"], name)))
                break
    return taken


def _is_meant(word: str, line: str, ordinary: frozenset[str]) -> bool:
    """A name or id that is an ordinary word counts only when it is quoted or has capitals."""
    if not is_ordinary(word, ordinary) or re.search(r"\d", word):
        return True
    if re.search(rf"[\"“'‘]{re.escape(word)}[\"”'’]", line):
        return True
    return word[:1].isupper() and bool(re.search(rf"\b{re.escape(word)}\b", line))


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
        if not _is_meant(word, line, ordinary):
            continue
        if row["is_id"] or re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line, re.IGNORECASE):
            return Listed(row["product"], name)
    return None
