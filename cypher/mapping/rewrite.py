"""A statement in the names of a graph that has its own; a pure function of text and mapping.

Statements are written for the standard model. Here labels, types and properties become escaped
names of the user's graph; an arrow may turn round, a review may be a relationship, and what the
graph does not have becomes a name that nothing has. What cannot be told is an error, never a guess.
"""

from __future__ import annotations

from typing import Any, LiteralString

from kinfolio.cypher.mapping.names import (
    ABSENT,
    OWN_LABEL,
    OWN_TYPES,
    Mapping,
    ReviewNames,
    own_names,
)
from kinfolio.cypher.mapping.patterns import Link, Node, Statement
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
_VARIABLE = "\0"
"""Stands for the variable in a condition; no name has this sign."""


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


class _Rewriting:
    def __init__(self, text: str, mapping: Mapping) -> None:
        self.mapping = mapping
        self.read = Statement(text)
        self.out = list(self.read.words)
        self.spaces = self.read.spaces
        self.meaning: dict[str, set[str]] = {}
        """By variable: the sections it stands for."""

    def run(self) -> str:
        self._learn()
        inside = self._turn_reviews()
        for link in self.read.links:
            if link.first not in inside:
                self._name_link(link)
        for node in self.read.nodes.values():
            if node.open not in inside:
                self._name_node(node)
        for place in self._predicates():
            section = self._section_of_label(self.read.words[place])
            if section == "reviews" and reviews_are_relationships(self.mapping):
                raise _cannot("a review stands without its writer and its product")
            self.out[place] = self._label(section)
        self._name_properties()
        self._refuse_leftovers()
        parts = [self.spaces[0]]
        for word, space in zip(self.out, self.spaces[1:], strict=True):
            parts += [word, space]
        return "".join(parts)

    # Meaning: which variable is a user, which a holding.

    def _learn(self) -> None:
        for node in self.read.nodes.values():
            for place in node.labels:
                self._note(node.variable, self._section_of_label(self.read.words[place]))
        for place in self._predicates():
            self._note(place - 2, self._section_of_label(self.read.words[place]))
        for link in self.read.links:
            for place in link.types:
                self._note(link.variable, self._ends(self.read.words[place])[1])
        for link in self.read.links:
            for place in link.types:
                begin, _, end = self._ends(self.read.words[place])
                if link.is_in:
                    begin, end = end, begin
                for node, section in ((self.read.left(link), begin), (self.read.right(link), end)):
                    if node.labels or self._known(node):
                        continue
                    if begin != end and link.is_in == link.is_out:
                        raise _cannot(f"the ends of {self.read.words[place]} have no label")
                    self._note(node.variable, section)
                    if self.read.words[place] != "HOLDS" or not self.mapping.holdings.exclusive:
                        self._add_label(node, section)

    def _predicates(self) -> list[int]:
        return [place for place in self.read.predicates if self.read.words[place] in LABELS]

    def _note(self, variable: int | None, section: str) -> None:
        if variable is not None:
            self.meaning.setdefault(self.read.words[variable], set()).add(section)

    def _known(self, node: Node) -> bool:
        return node.variable is not None and self.read.words[node.variable] in self.meaning

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

    def _add_label(self, node: Node, section: str) -> None:
        if section == "reviews" and reviews_are_relationships(self.mapping):
            if node.variable is not None:
                raise _cannot("a review has no label where it is asked for")
            return
        place = node.open if node.variable is None else node.variable
        label = f":{self._label(section)}"
        if not self.out[place].endswith(label):  # both sides of `()` say what it is
            self.out[place] += label

    def _label(self, section: str) -> str:
        names = getattr(self.mapping, section)
        return escaped(names.label if names is not None and names.label else ABSENT)

    def _name_node(self, node: Node) -> None:
        for place in node.labels:
            section = self._section_of_label(self.read.words[place])
            if section == "reviews" and reviews_are_relationships(self.mapping):
                raise _cannot("a review stands without its writer and its product")
            if section != _OWN:
                self.out[place] = self._label(section)
        if node.map is not None:
            sections = {self._section_of_label(self.read.words[place]) for place in node.labels}
            if not sections and node.variable is not None:
                sections = self.meaning.get(self.read.words[node.variable], set())
            self._name_map(node.map, sections)

    def _name_map(self, open: int, sections: set[str]) -> None:
        """Rename the keys of `{id: $user_id}`; numbers are made of texts here."""
        place = open + 1
        while place < self.read.pair[open]:
            if not self.read.is_word(place) or self.read.at(place + 1) != ":":
                raise _cannot("a pattern has a map that is no list of names and values")
            key, start = self.read.words[place], place + 2
            end = start
            while end < self.read.pair[open] and self.read.at(end) != ",":
                end = self.read.pair[end] + 1 if self.read.at(end) in "([{" else end + 1
            if len(sections) != 1:
                raise _cannot(f"it is not clear whose {key} is meant")
            (section,) = sections
            if section != _OWN and not _is_own(section, key):
                names = self._names(section, key)
                self.out[place] = escaped(getattr(names, key, None) or _absent(key))
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

        from kinfolio.cypher.mapping.names import SECTIONS

        if section in SECTIONS and key in {item.name for item in fields(SECTIONS[section])}:
            return getattr(self.mapping, section)
        raise _cannot(f"{key} is no property of {section}")

    def _name_link(self, link: Link) -> None:
        kinds = [self.read.words[place] for place in link.types]
        if not kinds or all(kind in OWN_TYPES for kind in kinds):
            return
        if not all(kind in TYPES for kind in kinds):
            raise _cannot("it mixes types of the standard model with others")
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
        rating = f"{_VARIABLE}.{escaped(holdings.rating or _absent('rating'))}"
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

    def _add_condition(self, link: Link, condition: str) -> None:
        if link.variable is None:
            variable = f"link_{link.open}"
            self.out[link.open] += variable
        else:
            variable = self.read.words[link.variable]
        places = range(link.open + 1, link.close)
        if any(self.read.words[place] in ("*", "WHERE") for place in places):
            raise _cannot("a relationship has a length or a WHERE of its own")
        self.out[link.close] = f" WHERE {condition.replace(_VARIABLE, variable)}]"

    def _turn(self, link: Link, direction: str) -> None:
        points_in = direction == "in" and link.is_out
        points_out = direction == "in" and link.is_in
        for place in (link.first, link.last):
            self.out[place] = "" if self.read.at(place) in "<>" else "-"
        self.out[link.open - 1] = "<-" if points_in else "-"
        self.out[link.close + 1] = "->" if points_out else "-"

    def _turn_reviews(self) -> set[int]:
        """Make one relationship of writer, review and product; the places that were seen to."""
        done: set[int] = set()
        names = self.mapping.reviews
        if names is None or names.type is None:
            return done
        links = [
            link
            for link in self.read.links
            if {self.read.words[place] for place in link.types} & {"WROTE", "ABOUT"}
        ]
        while links:
            first, *rest = links
            node = self.read.right(first)
            if rest and rest[0].left == node.close:
                if first.types == rest[0].types or first.is_out != rest[0].is_out:
                    raise _cannot("a review is neither from its writer nor about its product")
                if first.variable is not None or rest[0].variable is not None:
                    raise _cannot("it names the relationship between a review and its end")
                self._join(node, range(first.first, rest[0].last + 1), first.is_out, names)
                done |= {first.first, rest[0].first, node.open}
                links = rest[1:]
            else:
                done |= {first.first, self._halve(first, names)}
                links = rest
        return done

    def _join(self, node: Node, places: range, is_out: bool, names: ReviewNames) -> None:
        """Put the review's node in the place of both relationships about it."""
        kept = range(node.map, node.close) if node.map is not None else range(0)
        for place in places:
            if place not in kept:
                self._blank(place)
        points_out = is_out == (names.direction == "out")
        arrow, link = ("-[", "]->") if points_out else ("<-[", "]-")
        variable = self._variable(node.variable, node.open)
        self.out[places[0]] = f"{arrow}{variable}:{escaped(names.type or ABSENT)}"
        if node.map is not None:
            self.out[places[0]] += " "
            self._name_map(node.map, {"reviews"})
        self.out[places[-1]] = f" WHERE {variable}.{escaped(names.text)} IS NOT NULL{link}"

    def _halve(self, link: Link, names: ReviewNames) -> int:
        """Let a relationship of a review end at the other side; where the review's node opens."""
        kind = self.read.words[link.types[0]]
        if link.is_in == link.is_out or len(link.types) > 1 or link.map is not None:
            raise _cannot("it is not clear which end is the review")
        is_right = (kind == "WROTE") == link.is_out
        node = self.read.right(link) if is_right else self.read.left(link)
        if node.map is not None or None not in (node.variable, link.variable):
            raise _cannot("a review without writer or product has more than a name")
        for place in range(node.open + 1, node.close):
            self._blank(place)
        self.out[node.open] = f"(:{self._label('products' if kind == 'WROTE' else 'users')}"
        for place in range(link.open + 1, link.close):
            self._blank(place)
        given = node.variable if link.variable is None else link.variable
        variable = self._variable(given, link.open)
        self.out[link.open] = f"[{variable}:{escaped(names.type or ABSENT)}"
        self.out[link.close] = f" WHERE {variable}.{escaped(names.text)} IS NOT NULL]"
        if names.direction == "in":
            self._turn(link, "in")
        return node.open

    def _variable(self, place: int | None, open: int) -> str:
        return f"link_{open}" if place is None else self.read.words[place]

    def _blank(self, place: int) -> None:
        self.out[place] = self.spaces[place + 1] = ""

    def _name_properties(self) -> None:
        variables = [node.variable for node in self.read.nodes.values()]
        variables += [link.variable for link in self.read.links]
        patterned = {self.read.words[place] for place in variables if place is not None}
        # An index and a search in one take properties and nothing else.
        is_definition = {"CREATE", "FOR", "ON"} <= set(self.read.words)
        searches = [
            range(place, self.read.pair[place + 3])
            for place, word in enumerate(self.read.words)
            if word == "SEARCH" and place + 3 in self.read.pair
        ]
        for place in range(len(self.read.words) - 1):
            word = self.read.words[place]
            if not self.read.is_word(place) or (
                self.read.at(place - 1) == "." and self.read.at(place - 2) != "."
            ):
                continue
            if self.read.at(place + 1) == "{" and self.read.at(place + 2) == ".":
                if self.meaning.get(word, {_OWN}) != {_OWN}:
                    raise _cannot(f"it projects {word} with a map")
                continue
            if self.read.at(place + 1) != "." or not self.read.is_word(place + 2):
                continue
            key = self.read.words[place + 2]
            sections = self.meaning.get(word)
            if sections is None:
                if word in patterned:
                    raise _cannot(f"{word}.{key} is asked for, but nothing says what {word} is")
                continue
            is_named = is_definition or any(place in part for part in searches)
            found = {self._property(section, word, key, is_named) for section in sections}
            if len(found) != 1:
                raise _cannot(f"{word} stands for several things, so {word}.{key} is not clear")
            self.out[place], self.out[place + 1], self.out[place + 2] = found.pop(), "", ""

    def _property(self, section: str, variable: str, key: str, is_named: bool) -> str:
        """What `variable.key` is; with `is_named`, a property of some name in any case."""
        if section == _OWN or _is_own(section, key):
            return f"{variable}.{key}"
        names = self._names(section, key)
        name = None if names is None else getattr(names, key)
        if name is None:
            if (section, key) == ("reviews", "id") and names is not None:
                return f"elementId({variable})"
            # The server looks an unknown property up for each node, but simplifies a null away:
            # lists came twice as fast.
            return f"{variable}.{escaped(_absent(key))}" if is_named else "null"
        value = f"{variable}.{escaped(name)}"
        if key == "id" and names.id_type == "integer":
            return f"toString({value})"
        if key == "at":
            return _moment(value, names.at_unit)
        return value

    def _refuse_leftovers(self) -> None:
        for place, word in enumerate(self.out):
            if self.read.is_word(place) and (word in LABELS or word in TYPES):
                raise _cannot(f"{word} stands where no name was expected")


def _absent(key: str) -> str:
    # One name each: an index takes no property twice.
    return f"{ABSENT} ({key})"


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
