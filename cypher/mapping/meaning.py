"""Which section of a mapping each variable of a statement belongs to."""

from __future__ import annotations

from kinfolio.cypher.mapping.names import Mapping
from kinfolio.cypher.mapping.patterns import Link, Node, Statement
from kinfolio.cypher.mapping.standard import (
    LABELS,
    section_of_label,
    sections_of_type,
    untranslatable,
)


class Meaning:
    """Sections by variable, learned from labels, from types, and from the ends of types."""

    def __init__(self, read: Statement, mapping: Mapping) -> None:
        self._read = read
        self._mapping = mapping
        self.sections: dict[str, set[str]] = {}
        self.unlabelled: list[tuple[Node, str]] = []
        """Nodes that need a label in the other graph, where a type may have other ends."""
        self.predicates = [place for place in read.predicates if read.words[place] in LABELS]
        """Places of labels in conditions like `WHERE p:Product`."""
        for node in read.nodes.values():
            for place in node.labels:
                self._add(node.variable, section_of_label(read.words[place]))
        for place in self.predicates:
            self._add(place - 2, section_of_label(read.words[place]))
        for link in read.links:
            for place in link.types:
                self._add(link.variable, sections_of_type(read.words[place])[1])
        for link in read.links:
            for place in link.types:
                self._add_ends(link, read.words[place])

    def of(self, variable: int | None) -> set[str]:
        """Return the sections of the variable at a place."""
        return set() if variable is None else self.sections.get(self._read.words[variable], set())

    def _add_ends(self, link: Link, kind: str) -> None:
        begin, _, end = sections_of_type(kind)
        if link.is_in:
            begin, end = end, begin
        for node, section in ((self._read.left(link), begin), (self._read.right(link), end)):
            if node.labels or self.of(node.variable):
                continue
            if begin != end and link.is_in == link.is_out:
                raise untranslatable(f"the ends of {kind} have no label")
            self._add(node.variable, section)
            if kind != "HOLDS" or not self._mapping.holdings.exclusive:
                self.unlabelled.append((node, section))

    def _add(self, variable: int | None, section: str) -> None:
        if variable is not None:
            self.sections.setdefault(self._read.words[variable], set()).add(section)
