"""Rewrite of a statement in the names of another graph; a pure function of text and mapping.

Statements use the names of the standard model. Labels, types and properties become escaped names
of the graph, arrows may be reversed, and reviews may become relationships. A missing name becomes
one without a match. A statement without an exact equivalent is an error.
"""

from __future__ import annotations

from typing import LiteralString

from kinfolio.cypher.mapping.draft import Draft
from kinfolio.cypher.mapping.expressions import (
    absent,
    as_integer,
    escape,
    is_own,
    label_of,
    property_of,
    types_of,
)
from kinfolio.cypher.mapping.names import OWN_TYPES, Mapping
from kinfolio.cypher.mapping.patterns import Link, Node
from kinfolio.cypher.mapping.reviews import rewrite_reviews
from kinfolio.cypher.mapping.standard import (
    LABELS,
    OWN,
    TYPES,
    VariableSections,
    names_of,
    reviews_are_relationships,
    section_of_label,
    untranslatable,
)


def rewrite(text: str, mapping: Mapping) -> LiteralString:
    """Return the statement in the names of the mapping.

    Raises:
        BadConfig: the statement has no equivalent there.
    """
    return _Rewriting(text, mapping).run()


class _Rewriting:
    def __init__(self, text: str, mapping: Mapping) -> None:
        self.mapping = mapping
        self.draft = Draft(text)
        self.read, self.out = self.draft.read, self.draft.out
        self.variables = VariableSections(self.read, mapping)

    def run(self) -> str:
        for node, section in self.variables.unlabelled:
            self._add_label(node, section)
        done = rewrite_reviews(self.draft, self.mapping, self._name_map)
        for link in self.read.links:
            if link.first not in done:
                self._name_link(link)
        for node in self.read.nodes.values():
            if node.open not in done:
                self._name_node(node)
        for place in self.variables.predicates:
            self._name_label(place)
        self._name_properties()
        for place, word in enumerate(self.out):
            if self.read.is_word(place) and (word in LABELS or word in TYPES):
                raise untranslatable(f"{word} has an unexpected position")
        return self.draft.text()

    def _add_label(self, node: Node, section: str) -> None:
        if section == "reviews" and reviews_are_relationships(self.mapping):
            if node.variable is not None:
                raise untranslatable("a review has no label")
            return
        place = node.open if node.variable is None else node.variable
        label = f":{label_of(self.mapping, section)}"
        if not self.out[place].endswith(label):  # `()` between two relationships
            self.out[place] += label

    def _name_label(self, place: int) -> None:
        section = section_of_label(self.read.words[place])
        if section == "reviews" and reviews_are_relationships(self.mapping):
            raise untranslatable("a review has neither writer nor product")
        if section != OWN:
            self.out[place] = label_of(self.mapping, section)

    def _name_node(self, node: Node) -> None:
        for place in node.labels:
            self._name_label(place)
        if node.map is not None:
            sections = {section_of_label(self.read.words[place]) for place in node.labels}
            self._name_map(node.map, sections or self.variables.of(node.variable))

    def _name_map(self, open: int, sections: set[str]) -> None:
        """Rename the keys of a map like `{id: $user_id}`; convert ids to integers if necessary."""
        place = open + 1
        while place < self.read.pair[open]:
            if not self.read.is_word(place) or self.read.at(place + 1) != ":":
                raise untranslatable("a pattern has a map with other keys than names")
            key, start = self.read.words[place], place + 2
            end = start
            while end < self.read.pair[open] and self.read.at(end) != ",":
                end = self.read.pair[end] + 1 if self.read.at(end) in "([{" else end + 1
            if len(sections) != 1:
                raise untranslatable(f"the owner of {key} is ambiguous")
            (section,) = sections
            if not is_own(section, key):
                names = names_of(self.mapping, section, key)
                if key == "at":
                    raise untranslatable("a pattern has a time")
                self.out[place] = escape(getattr(names, key, None) or absent(key))
                if key == "id" and names is not None and names.id_type == "integer":
                    self.draft.replace(start, end, as_integer(self.draft.between(start, end)))
            place = end + 1

    def _name_link(self, link: Link) -> None:
        kinds = [self.read.words[place] for place in link.types]
        if not kinds or all(kind in OWN_TYPES for kind in kinds):
            return
        if not all(kind in TYPES for kind in kinds):
            raise untranslatable("it mixes types of the standard model with others")
        variable = self.draft.variable(link.variable, link.open)
        names, direction, condition = types_of(self.mapping, kinds, variable)
        first, *others = link.types
        self.out[first] = "|".join(escape(name) for name in names)
        for place in others:
            self.out[place] = self.out[place - 1] = ""
        if link.map is not None:
            self._name_map(link.map, {TYPES[kind][1] for kind in kinds})
        if condition:
            inner = {self.read.words[place] for place in range(link.open + 1, link.close)}
            if inner & {"*", "WHERE"}:
                raise untranslatable("a relationship has a length or a WHERE of its own")
            if link.variable is None:
                self.out[link.open] += variable
            self.out[link.close] = f" WHERE {condition}]"
        if direction != "out" and link.is_in != link.is_out:
            self.draft.set_direction(link, direction)

    def _name_properties(self) -> None:
        read = self.read
        places = [node.variable for node in read.nodes.values()]
        places += [link.variable for link in read.links]
        patterned = {read.words[place] for place in places if place is not None}
        # Index definitions and the filters of a search accept properties only.
        is_definition = {"CREATE", "FOR", "ON"} <= set(read.words)
        searches = [
            range(place, read.pair[place + 3])
            for place, word in enumerate(read.words)
            if word == "SEARCH" and place + 3 in read.pair
        ]
        for place in range(len(read.words) - 1):
            word = read.words[place]
            is_after_dot = read.at(place - 1) == "." and read.at(place - 2) != "."
            if not read.is_word(place) or is_after_dot:
                continue
            if read.at(place + 1) == "{" and read.at(place + 2) == ".":
                if self.variables.sections.get(word, {OWN}) != {OWN}:
                    raise untranslatable(f"it projects {word} with a map")
                continue
            if read.at(place + 1) != "." or not read.is_word(place + 2):
                continue
            key = read.words[place + 2]
            sections = self.variables.sections.get(word)
            if sections is not None:
                is_plain = is_definition or any(place in part for part in searches)
                self._name_property(place, sections, is_plain)
            elif word in patterned:
                raise untranslatable(f"{word} in {word}.{key} has no label")

    def _name_property(self, place: int, sections: set[str], is_plain: bool) -> None:
        variable, key = self.read.words[place], self.read.words[place + 2]
        found = {
            property_of(self.mapping, section, variable, key, is_plain=is_plain)
            for section in sections
        }
        if len(found) != 1:
            raise untranslatable(f"{variable}.{key} is ambiguous: {variable} has several labels")
        self.draft.replace(place, place + 3, found.pop())
