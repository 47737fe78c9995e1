"""Which products a line mentions: by position in the last list, by id, by name, or as "it"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.checking.lexicon import load_lexicon
from kinfolio.llm_explain.checking.parse import is_ordinary
from kinfolio.llm_explain.conversation.phrases import display_name

NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine ten".split(), start=1
    )
}
_SHORT_LINE_WORDS = 3
"""A line as short as "why?" or "and why not?" is about the last product."""
_ORDINALS = {
    word: number
    for number, words in enumerate(
        [
            *("first top 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th"),
            *("seventh 7th", "eighth 8th", "ninth 9th", "tenth 10th"),
        ],
        start=1,
    )
    for word in words.split()
} | {"last": -1}
_NUMBERED = re.compile(r"\b(?:number|no\.?|nr\.?|place|rank|#)\s*#?(\d+|[a-z]+)\b|#(\d+)", re.I)
_BOTH = re.compile(
    r"\b(?:(?:the )?(?:top|first) (?:two|2)|these(?: two)?|those(?: two)?|the two(?: of them)?"
    r"|both)\b",
    re.IGNORECASE,
)
_IT = re.compile(r"\b(?:this|that|it)\b", re.IGNORECASE)
_POSITION = re.compile(
    rf"\b(?P<ordinal>{'|'.join(_ORDINALS)})\b(?: one\b)?"
    r"|(?<![\w.])#?(?P<digits>\d{1,3})(?![\w.%])"
    rf"|\b(?P<number>{'|'.join(NUMBER_WORDS)})\b",
    re.IGNORECASE,
)
_OWN_HOLDINGS = re.compile(
    r"\b(?:of|in|among) (?:my (?:holdings|products|portfolio)|mine"
    r"|(?:what|the ones|those) i (?:hold|own|have))\b",
    re.IGNORECASE,
)
"""A position among the user's holdings is not one in the last list."""
_PRONOUN = re.compile(r"\b(this|that|it|its|one)\b", re.IGNORECASE)


class ProductRef(NamedTuple):
    """A product by id and name."""

    id: str
    name: str

    @property
    def display_name(self) -> str:
        """The name for use in a sentence."""
        return display_name(self.name)


@dataclass(frozen=True, slots=True)
class Mention:
    """The product that a line mentions."""

    product: ProductRef | None
    missing_rank: int | None = None
    """A position beyond the end of the list."""


def find_mention(
    line: str, graph: Graph, last_list: Sequence[ProductRef], last: ProductRef | None
) -> Mention:
    """Return the one product that a line mentions, by the last list and the last product."""
    last_list = () if _OWN_HOLDINGS.search(line) else last_list
    rank = _rank(line)
    if not rank and last_list and (digits := [word for word in _ids(line) if word.isdigit()]):
        # A bare number is a position only within the list.
        rank = int(digits[0]) if 0 < int(digits[0]) <= len(last_list) else None
    if rank and last_list:
        position = len(last_list) if rank == -1 else rank
        if position > len(last_list):
            return Mention(None, missing_rank=position)
        return Mention(last_list[position - 1])
    found = next((product for _, _, product in _find_named(line, graph)), None)
    is_short = len(line.split()) <= _SHORT_LINE_WORDS
    if found is None and (is_short or _PRONOUN.search(line)):
        found = last
    return Mention(found)


def find_mentions(
    line: str,
    graph: Graph,
    last_list: Sequence[ProductRef],
    last: ProductRef | None,
    max_count: int = 5,
) -> tuple[ProductRef, ...]:
    """Return all products that a line mentions, in its order: "the first and Amber Fund"."""
    last_list = () if _OWN_HOLDINGS.search(line) else last_list
    found: list[tuple[int, ProductRef]] = []
    rest = line
    for start, end, product in _find_named(line, graph):
        found.append((start, product))
        rest = _blank(rest, start, end)
    if last_list and len(found) < 2 and (both := _BOTH.search(rest)):
        found += [(both.start() + i, product) for i, product in enumerate(last_list[:2])]
        rest = _blank(rest, *both.span())
    if last_list:
        for position, start in _positions(rest):
            index = len(last_list) if position == -1 else position
            if 0 < index <= len(last_list):
                found.append((start, last_list[index - 1]))
    products = [product for _, product in sorted(found, key=lambda pair: pair[0])]
    if last is not None and len(products) < 2 and _IT.search(rest):
        products.append(last)
    return tuple(dict.fromkeys(products))[:max_count]


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + "\0" * (end - start) + text[end:]


def _ids(line: str) -> list[str]:
    """Return the words that may be ids, also without a full stop or colon at the end."""
    words = re.findall(r"[^\s?!,;\"“”]+", line)
    return [word.rstrip(".:") for word in words] + words


def _positions(line: str) -> Iterator[tuple[int, int]]:
    """Yield each position in a list that a line names, and where it names it."""
    for match in _POSITION.finditer(line):
        if word := match.group("ordinal"):
            yield _ORDINALS[word.casefold()], match.start()
        elif digits := match.group("digits"):
            yield int(digits), match.start()
        else:
            number = match.group("number").casefold()
            # "which one" is no position; "number one" and "one or two" are.
            if (
                number != "one"
                or re.search(r"\b(?:number|no\.?|nr\.?|place|rank) $", line[: match.start()], re.I)
                or re.match(r" (?:and|or|with|to|versus|vs|against)\b", line[match.end() :])
            ):
                yield NUMBER_WORDS[number], match.start()


def _rank(line: str) -> int | None:
    if match := _NUMBERED.search(line):
        word = (match.group(1) or match.group(2)).casefold()
        return int(word) if word.isdigit() else NUMBER_WORDS.get(word)
    words = re.findall(r"\w+", line.casefold())
    return next((_ORDINALS[word] for word in words if word in _ORDINALS), None)


def _find_named(line: str, graph: Graph) -> list[tuple[int, int, ProductRef]]:
    """Find named products with start and end; a name inside a longer one is ignored."""
    found: list[tuple[int, int, ProductRef]] = []
    for row in graph.read("chat_products", ids=_ids(line), line=line.lower()):
        product = ProductRef(row["product"], str(row["name"]))
        for word in product if row["is_id"] else (product.name,):
            match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line, re.IGNORECASE)
            if match is None or not _is_meant(word, line):
                continue
            if all(match.end() <= start or match.start() >= end for start, end, _ in found):
                found.append((*match.span(), product))
                break
    return found


def _is_meant(word: str, line: str) -> bool:
    """Return whether a name or id is meant: an ordinary word only in quotes or with a capital."""
    if not is_ordinary(word, load_lexicon().known) or re.search(r"\d", word):
        return True
    if re.search(rf"[\"“'‘]{re.escape(word)}[\"”'’]", line):
        return True
    return word[:1].isupper() and bool(re.search(rf"\b{re.escape(word)}\b", line))
