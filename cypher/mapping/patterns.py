"""Parser of a statement's node patterns, relationship patterns and label predicates.

Parses no other part of Cypher's grammar; names have no meaning here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>(?:\s+|//[^\n]*)+)
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<escaped>`(?:[^`]|``)*`)
    | (?P<parameter>\$\w+)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<symbol>.)""",
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(slots=True)
class Node:
    """A node pattern: places of its brackets, variable, labels and map."""

    open: int
    close: int
    variable: int | None = None
    labels: tuple[int, ...] = ()
    map: int | None = None


@dataclass(slots=True)
class Link:
    """A relationship pattern, from the arrow before its bracket to the arrow after it."""

    first: int
    open: int
    close: int
    last: int
    left: int
    """Place where the node before it closes."""
    right: int
    """Place where the node after it opens."""
    is_in: bool
    is_out: bool
    variable: int | None
    types: tuple[int, ...]
    map: int | None


class Statement:
    """A tokenised statement with the places of its patterns."""

    def __init__(self, text: str) -> None:
        self.words: list[str] = []
        self.spaces: list[str] = [""]
        """Space and comments before each word and after the last."""
        self.kinds: list[str] = []
        """Kind of each word: text, escaped, parameter, number, word or symbol."""
        for found in _TOKEN.finditer(text):
            if found.lastgroup == "space":
                self.spaces[-1] += found[0]
            else:
                self.words.append(found[0])
                self.kinds.append(found.lastgroup or "")
                self.spaces.append("")
        self.pair = self._pairs()
        """Place of the matching bracket, by the place of a bracket."""
        self.links = [
            link for place in range(len(self.words)) if (link := self._link_at(place)) is not None
        ]
        self.nodes = self._nodes()
        """By the place of the opening bracket."""
        labelled = {place for node in self.nodes.values() for place in node.labels}
        self.predicates = [
            place
            for place in range(len(self.words))
            if self.is_word(place)
            and self.at(place - 1) == ":"
            and self.is_word(place - 2)
            and place not in labelled
        ]
        """Places of labels in conditions like `WHERE p:Product`, and of names as values of maps."""

    def at(self, place: int) -> str:
        """Return the word or symbol at a place; "" beyond the ends."""
        return self.words[place] if 0 <= place < len(self.words) else ""

    def is_word(self, place: int) -> bool:
        """Return whether a place has a bare word: a variable, a name, a keyword."""
        return 0 <= place < len(self.words) and self.kinds[place] == "word"

    def _pairs(self) -> dict[int, int]:
        pair: dict[int, int] = {}
        waiting: list[int] = []
        for place, word in enumerate(self.words):
            if self.kinds[place] != "symbol":
                continue
            if word in _PAIRS:
                waiting.append(place)
            elif waiting and word == _PAIRS[self.words[waiting[-1]]]:
                start = waiting.pop()
                pair[start], pair[place] = place, start
        return pair

    def _link_at(self, place: int) -> Link | None:
        if self.at(place) != "[" or self.at(place - 1) != "-" or place not in self.pair:
            return None
        close = self.pair[place]
        if self.at(close + 1) != "-":
            return None
        is_in, is_out = self.at(place - 2) == "<", self.at(close + 2) == ">"
        first, last = place - 1 - is_in, close + 1 + is_out
        if self.at(first - 1) != ")" or self.at(last + 1) != "(":
            return None
        if not {first - 1, last + 1} <= self.pair.keys():
            return None
        inner = place + 1
        variable = None
        if self.is_word(inner) and self.at(inner) != "WHERE":
            variable, inner = inner, inner + 1
        types: tuple[int, ...] = ()
        if self.at(inner) == ":" and self.is_word(inner + 1):
            types, inner = self._chain(inner + 1)
        return Link(
            first=first,
            open=place,
            close=close,
            last=last,
            left=first - 1,
            right=last + 1,
            is_in=is_in,
            is_out=is_out,
            variable=variable,
            types=types,
            map=inner if self.at(inner) == "{" else None,
        )

    def _chain(self, place: int) -> tuple[tuple[int, ...], int]:
        """Return the places of names joined by `|` or `&`, and the place after them."""
        names = [place]
        while self.at(place + 1) in ("|", "&", ":") and self.is_word(place + 2):
            place += 2
            names.append(place)
        return tuple(names), place + 1

    def _nodes(self) -> dict[int, Node]:
        ends = {self.pair[link.left] for link in self.links} | {link.right for link in self.links}
        nodes = {}
        for place, word in enumerate(self.words):
            if word != "(" or self.kinds[place] != "symbol" or place not in self.pair:
                continue
            inner = place + 1
            node = Node(open=place, close=self.pair[place])
            if self.is_word(inner) and self.at(inner + 1) in (":", ")", "{"):
                node.variable, inner = inner, inner + 1
            if self.at(inner) == ":" and self.is_word(inner + 1):
                node.labels, inner = self._chain(inner + 1)
            elif place not in ends:
                continue
            if self.at(inner) == "{":
                node.map = inner
            nodes[place] = node
        return nodes

    def left(self, link: Link) -> Node:
        """Return the node before a relationship."""
        return self.nodes[self.pair[link.left]]

    def right(self, link: Link) -> Node:
        """Return the node after a relationship."""
        return self.nodes[link.right]
