"""A statement in the names of a graph that has its own; a pure function of text and mapping.

Statements are written for the standard model. Here labels, types and properties become escaped
names of the user's graph; an arrow may turn round, a review may be a relationship, and what the
graph does not have becomes a name that nothing has. What cannot be told is an error, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, LiteralString

from kinfolio.cypher.mapping import ABSENT, OWN_LABEL, OWN_TYPES, Mapping, own_names
from kinfolio.errors import BadConfig

LABELS = {"User": "users", "Product": "products", "Review": "reviews", "Category": "categories"}
"""Label of the standard model: section of the mapping."""
TYPES = {
    "HOLDS": ("users", "holdings", "products"),
    "DISMISSED": ("users", "dismissals", "products"),
    "TIED_TO": ("users", "ties", "users"),
    "WROTE": ("users", "wrote", "reviews"),
    "ABOUT": ("reviews", "about", "products"),
    "IN_CATEGORY": ("products", "in_category", "categories"),
}
"""Type of the standard model: what it begins at, what it is, what it ends at."""
_OWN = "own"
_OWN_ENDS = ("users", _OWN, "products")
_WHOLE_NUMBER = "'0|-?([1-9][0-9]{0,17}|[1-8][0-9]{18})'"
"""A text that is a whole number of 64 bits in the one way in which it is told."""
_TOKEN = re.compile(
    r"""(?P<space>(?:\s+|//[^\n]*)+)
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<escaped>`(?:[^`]|``)*`)
    | (?P<parameter>\$\w+)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = "\0"
"""Stands for the variable in a condition; no name has this sign."""
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def rewritten(text: str, mapping: Mapping) -> LiteralString:
    """The statement in the names of the mapping.

    Raises:
        BadConfig: it says something that has no counterpart there.
    """
    return _Rewriting(text, mapping).run()


def escaped(name: str) -> str:
    """A label, type or property between backticks, those inside doubled."""
    # The server turns a backslash, u and four digits into a sign even between backticks.
    plain = name.replace("\\", "\\u005c").replace("`", "``")
    return f"`{plain}`"


def reviews_are_relationships(mapping: Mapping) -> bool:
    """Whether a review is a relationship between its writer and the product."""
    return mapping.reviews is not None and mapping.reviews.type is not None


@dataclass(slots=True)
class _Node:
    """A node pattern: where its brackets are, its variable, its label, its map."""

    open: int
    close: int
    variable: int | None = None
    labels: tuple[int, ...] = ()
    map: int | None = None


@dataclass(slots=True)
class _Link:
    """A relationship pattern, from the arrow before its bracket to the arrow behind it."""

    first: int
    open: int
    close: int
    last: int
    left: int
    """Where the node before it closes."""
    right: int
    """Where the node behind it opens."""
    is_in: bool
    is_out: bool
    variable: int | None
    types: tuple[int, ...]
    map: int | None


class _Rewriting:
    def __init__(self, text: str, mapping: Mapping) -> None:
        self.mapping = mapping
        self.words: list[str] = []
        self.kinds: list[str] = []
        self.spaces: list[str] = [""]
        for found in _TOKEN.finditer(text):
            if found.lastgroup == "space":
                self.spaces[-1] += found[0]
            else:
                self.words.append(found[0])
                self.kinds.append(found.lastgroup or "")
                self.spaces.append("")
        self.out = list(self.words)
        self.pair = self._pairs()
        self.links = [
            link for place in range(len(self.words)) if (link := self._link_at(place)) is not None
        ]
        self.nodes = self._nodes()
        self.meaning: dict[str, set[str]] = {}

    def run(self) -> str:
        self._learn()
        inside = self._turn_reviews()
        for link in self.links:
            if link.first not in inside:
                self._name_link(link)
        for node in self.nodes.values():
            if node.open not in inside:
                self._name_node(node)
        self._name_properties()
        self._refuse_leftovers()
        parts = [self.spaces[0]]
        for word, space in zip(self.out, self.spaces[1:], strict=True):
            parts += [word, space]
        return "".join(parts)

    # Reading.

    def _at(self, place: int) -> str:
        return self.words[place] if 0 <= place < len(self.words) else ""

    def _is_word(self, place: int) -> bool:
        return 0 <= place < len(self.words) and self.kinds[place] == "word"

    def _pairs(self) -> dict[int, int]:
        pair: dict[int, int] = {}
        waiting: list[int] = []
        for place, word in enumerate(self.words):
            if self.kinds[place] != "sign":
                continue
            if word in _PAIRS:
                waiting.append(place)
            elif waiting and word == _PAIRS[self.words[waiting[-1]]]:
                start = waiting.pop()
                pair[start], pair[place] = place, start
        return pair

    def _link_at(self, place: int) -> _Link | None:
        if self._at(place) != "[" or self._at(place - 1) != "-" or place not in self.pair:
            return None
        close = self.pair[place]
        if self._at(close + 1) != "-":
            return None
        is_in, is_out = self._at(place - 2) == "<", self._at(close + 2) == ">"
        first, last = place - 1 - is_in, close + 1 + is_out
        if self._at(first - 1) != ")" or self._at(last + 1) != "(":
            return None
        inner = place + 1
        variable = None
        if self._is_word(inner) and self._at(inner) != "WHERE":
            variable, inner = inner, inner + 1
        types: tuple[int, ...] = ()
        if self._at(inner) == ":" and self._is_word(inner + 1):
            types, inner = self._chain(inner + 1)
        return _Link(
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
            map=inner if self._at(inner) == "{" else None,
        )

    def _chain(self, place: int) -> tuple[tuple[int, ...], int]:
        """The places of names between `|` or `&`, and the place behind them."""
        names = [place]
        while self._at(place + 1) in ("|", "&", ":") and self._is_word(place + 2):
            place += 2
            names.append(place)
        return tuple(names), place + 1

    def _nodes(self) -> dict[int, _Node]:
        ends = {self.pair[link.left] for link in self.links} | {link.right for link in self.links}
        nodes = {}
        for place, word in enumerate(self.words):
            if word != "(" or self.kinds[place] != "sign" or place not in self.pair:
                continue
            inner = place + 1
            node = _Node(open=place, close=self.pair[place])
            if self._is_word(inner) and self._at(inner + 1) in (":", ")", "{"):
                node.variable, inner = inner, inner + 1
            if self._at(inner) == ":" and self._is_word(inner + 1):
                node.labels, inner = self._chain(inner + 1)
            elif place not in ends:
                continue
            if self._at(inner) == "{":
                node.map = inner
            nodes[place] = node
        return nodes

    def _left(self, link: _Link) -> _Node:
        return self.nodes[self.pair[link.left]]

    def _right(self, link: _Link) -> _Node:
        return self.nodes[link.right]

    # Meaning: which variable is a user, which a holding.

    def _learn(self) -> None:
        for node in self.nodes.values():
            for place in node.labels:
                self._note(node.variable, self._section_of_label(self.words[place]))
        for link in self.links:
            for place in link.types:
                self._note(link.variable, self._ends(self.words[place])[1])
        for link in self.links:
            for place in link.types:
                begin, _, end = self._ends(self.words[place])
                if link.is_in:
                    begin, end = end, begin
                for node, section in ((self._left(link), begin), (self._right(link), end)):
                    if node.labels or self._known(node):
                        continue
                    if begin != end and link.is_in == link.is_out:
                        raise _cannot(f"the ends of {self.words[place]} have no label")
                    self._note(node.variable, section)
                    self._add_label(node, section)

    def _note(self, variable: int | None, section: str) -> None:
        if variable is not None:
            self.meaning.setdefault(self.words[variable], set()).add(section)

    def _known(self, node: _Node) -> bool:
        return node.variable is not None and self.words[node.variable] in self.meaning

    def _section_of_label(self, label: str) -> str:
        if label == OWN_LABEL:
            return _OWN
        if label not in LABELS:
            raise _cannot(f"the label {label} is not of the standard model")
        return LABELS[label]

    def _ends(self, kind: str) -> tuple[str, str, str]:
        if kind in OWN_TYPES:
            return _OWN_ENDS
        if kind not in TYPES:
            raise _cannot(f"the type {kind} is not of the standard model")
        return TYPES[kind]

    # Writing.

    def _add_label(self, node: _Node, section: str) -> None:
        if section == "reviews" and reviews_are_relationships(self.mapping):
            raise _cannot("a review stands outside (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p)")
        place = node.open if node.variable is None else node.variable
        label = f":{self._label(section)}"
        if not self.out[place].endswith(label):  # both sides of `()` say what it is
            self.out[place] += label

    def _label(self, section: str) -> str:
        names = getattr(self.mapping, section)
        return escaped(names.label if names is not None and names.label else ABSENT)

    def _name_node(self, node: _Node) -> None:
        for place in node.labels:
            section = self._section_of_label(self.words[place])
            if section == "reviews" and reviews_are_relationships(self.mapping):
                raise _cannot("a review stands outside (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p)")
            if section != _OWN:
                self.out[place] = self._label(section)
        if node.map is not None:
            sections = {self._section_of_label(self.words[place]) for place in node.labels}
            if not sections and node.variable is not None:
                sections = self.meaning.get(self.words[node.variable], set())
            self._name_map(node.map, sections)

    def _name_map(self, open: int, sections: set[str]) -> None:
        """Rename the keys of `{id: $user_id}`; numbers are made of texts here."""
        place = open + 1
        while place < self.pair[open]:
            if not self._is_word(place) or self._at(place + 1) != ":":
                raise _cannot("a pattern has a map that is no list of names and values")
            key, start = self.words[place], place + 2
            end = start
            while end < self.pair[open] and self._at(end) != ",":
                end = self.pair[end] + 1 if self._at(end) in _PAIRS else end + 1
            if len(sections) != 1:
                raise _cannot(f"it is not clear whose {key} is meant")
            (section,) = sections
            if section != _OWN and not _is_own(section, key):
                names = self._names(section, key)
                self.out[place] = escaped(getattr(names, key, None) or ABSENT)
                if key == "at":
                    raise _cannot("a pattern asks for a time")
                if key == "id" and names is not None and names.id_type == "integer":
                    value = "".join(
                        word + space
                        for word, space in zip(
                            self.out[start:end], self.spaces[start + 1 : end + 1], strict=True
                        )
                    ).strip()
                    self.out[start:end] = [""] * (end - start)
                    self.out[start] = (
                        f"CASE WHEN {value} =~ {_WHOLE_NUMBER} THEN toInteger({value}) END"
                    )
            place = end + 1

    def _names(self, section: str, key: str) -> Any:
        """The section that knows the property; None where the graph has no such section."""
        # Any: each section is a record of its own.
        from dataclasses import fields

        from kinfolio.cypher.mapping import SECTIONS

        if section in SECTIONS and key in {item.name for item in fields(SECTIONS[section])}:
            return getattr(self.mapping, section)
        raise _cannot(f"{key} is no property of {section}")

    def _name_link(self, link: _Link) -> None:
        kinds = [self.words[place] for place in link.types]
        if not kinds or all(kind in OWN_TYPES for kind in kinds):
            return
        if not all(kind in TYPES for kind in kinds):
            raise _cannot("it mixes types of the standard model with others")
        if any(kind in ("WROTE", "ABOUT") for kind in kinds) and reviews_are_relationships(
            self.mapping
        ):
            raise _cannot("a review stands outside (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p)")
        names, direction, condition = self._types(kinds)
        first, *others = link.types
        self.out[first] = "|".join(escaped(name) for name in names)
        for place in others:
            self.out[place] = self.out[place - 1] = ""
        if link.map is not None:
            self._name_map(link.map, {TYPES[kind][1] for kind in kinds})
        if condition:
            self._add_condition(link, condition)
        if direction != "out" and link.is_in != link.is_out:
            self._turn(link, direction)

    def _types(self, kinds: list[str]) -> tuple[list[str], str, str]:
        """The names for some types, which way they point, and what else must hold."""
        if set(kinds) - {"HOLDS", "DISMISSED"}:
            if len(kinds) > 1:
                raise _cannot(f"it asks for {' or '.join(kinds)} at once")
            name, direction = self._type(kinds[0])
            return [name], direction, ""
        holdings, dismissals = self.mapping.holdings, self.mapping.dismissals
        if holdings.least_rating is None:
            asked = [(holdings.type, holdings.direction)] if "HOLDS" in kinds else []
            if "DISMISSED" in kinds and dismissals is not None:
                asked.append((dismissals.type, dismissals.direction))
            names = [name for name, _ in asked] or [ABSENT]
            directions = {direction for _, direction in asked} or {"out"}
            return names, directions.pop() if len(directions) == 1 else "both", ""
        rating = f"{_VARIABLE}.{escaped(holdings.rating or ABSENT)}"
        held = f"coalesce({rating} >= {holdings.least_rating}, false)"
        if kinds == ["HOLDS"]:
            return [holdings.type], holdings.direction, held
        names, direction = [holdings.type], str(holdings.direction)
        if dismissals is not None:
            names.append(dismissals.type)
            direction = direction if direction == dismissals.direction else "both"
        if "HOLDS" in kinds:
            return names, direction, ""
        if dismissals is None:
            return names, direction, f"NOT {held}"
        return names, direction, f"(type({_VARIABLE}) = {_quoted(dismissals.type)} OR NOT {held})"

    def _type(self, kind: str) -> tuple[str, str]:
        reviews, categories = self.mapping.reviews, self.mapping.categories
        if kind == "TIED_TO":
            return self.mapping.ties.type if self.mapping.ties else ABSENT, "out"
        if kind == "IN_CATEGORY":
            return (categories.type, categories.direction) if categories else (ABSENT, "out")
        found = None if reviews is None else reviews.wrote if kind == "WROTE" else reviews.about
        return found or ABSENT, "out"

    def _add_condition(self, link: _Link, condition: str) -> None:
        if link.variable is None:
            variable = f"link_{link.open}"
            self.out[link.open] += variable
        else:
            variable = self.words[link.variable]
        places = range(link.open + 1, link.close)
        if any(self.words[place] in ("*", "WHERE") for place in places):
            raise _cannot("a relationship has a length or a WHERE of its own")
        self.out[link.close] = f" WHERE {condition.replace(_VARIABLE, variable)}]"

    def _turn(self, link: _Link, direction: str) -> None:
        points_in = direction == "in" and link.is_out
        points_out = direction == "in" and link.is_in
        for place in (link.first, link.last):
            self.out[place] = "" if self._at(place) in "<>" else "-"
        self.out[link.open - 1] = "<-" if points_in else "-"
        self.out[link.close + 1] = "->" if points_out else "-"

    def _turn_reviews(self) -> set[int]:
        """Make one relationship of writer, review and product; the places that were seen to."""
        done: set[int] = set()
        names = self.mapping.reviews
        if names is None or names.type is None:
            return done
        for before, behind in zip(self.links, self.links[1:], strict=False):
            kinds = [self.words[place] for place in (*before.types, *behind.types)]
            node = self._right(before)
            if kinds not in (["WROTE", "ABOUT"], ["ABOUT", "WROTE"]) or behind.left != node.close:
                continue
            if before.variable is not None or behind.variable is not None:
                raise _cannot("it names the relationship between a review and its end")
            points_out = (kinds[0] == "WROTE") == (names.direction == "out")
            for place in (*range(before.first, node.open), *range(node.close, behind.last + 1)):
                self.out[place] = ""
                self.spaces[place + 1] = ""
            variable = f"link_{node.open}"
            self.out[node.open] = "-[" if points_out else "<-["
            if node.variable is None:
                self.out[node.open] += variable
            else:
                variable = self.words[node.variable]
            (label,) = node.labels
            self.out[label] = escaped(names.type)
            if node.map is not None:
                self._name_map(node.map, {"reviews"})
            wanted = f" WHERE {variable}.{escaped(names.text)} IS NOT NULL]"
            self.out[node.close] = wanted + ("->" if points_out else "-")
            done |= {before.first, behind.first, node.open}
        return done

    def _name_properties(self) -> None:
        variables = [node.variable for node in self.nodes.values()]
        variables += [link.variable for link in self.links]
        patterned = {self.words[place] for place in variables if place is not None}
        for place in range(len(self.words) - 1):
            word = self.words[place]
            if not self._is_word(place) or (
                self._at(place - 1) == "." and self._at(place - 2) != "."
            ):
                continue
            if self._at(place + 1) == "{" and self._at(place + 2) == ".":
                if self.meaning.get(word, {_OWN}) != {_OWN}:
                    raise _cannot(f"it projects {word} with a map")
                continue
            if self._at(place + 1) != "." or not self._is_word(place + 2):
                continue
            key = self.words[place + 2]
            sections = self.meaning.get(word)
            if sections is None:
                if word in patterned:
                    raise _cannot(f"{word}.{key} is asked for, but nothing says what {word} is")
                continue
            found = {self._property(section, word, key) for section in sections}
            if len(found) != 1:
                raise _cannot(f"{word} stands for several things, so {word}.{key} is not clear")
            self.out[place], self.out[place + 1], self.out[place + 2] = found.pop(), "", ""

    def _property(self, section: str, variable: str, key: str) -> str:
        if section == _OWN or _is_own(section, key):
            return f"{variable}.{key}"
        names = self._names(section, key)
        name = None if names is None else getattr(names, key)
        if name is None:
            if (section, key) == ("reviews", "id") and names is not None:
                return f"elementId({variable})"
            return f"{variable}.{escaped(ABSENT)}"
        value = f"{variable}.{escaped(name)}"
        if key == "id" and names.id_type == "integer":
            return f"toString({value})"
        if key == "at":
            return _moment(value, names.at_unit)
        return value

    def _refuse_leftovers(self) -> None:
        for place, word in enumerate(self.out):
            if self.kinds[place] == "word" and (word in LABELS or word in TYPES):
                raise _cannot(f"{word} stands where no name was expected")


def _moment(value: str, unit: str) -> str:
    if unit == "seconds":
        return f"toInteger({value} * 1000)"
    if unit == "date":
        # A date, a date with time and a text all come to this text; some texts have a space.
        return f"datetime(replace(toString({value}), ' ', 'T')).epochMillis"
    return value


def _is_own(section: str, key: str) -> bool:
    return section in ("users", "products") and key in own_names()


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _cannot(why: str) -> BadConfig:
    return BadConfig(
        f"a statement of kinfolio cannot be told in the names of a mapping: {why}; "
        "this is a fault of kinfolio, please report it"
    )
