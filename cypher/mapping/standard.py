"""The standard model: the sections of a mapping by label, type and variable."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from kinfolio.cypher.mapping.names import OWN_LABEL, OWN_TYPES, SECTIONS, Mapping
from kinfolio.cypher.mapping.patterns import Link, Node, Statement
from kinfolio.errors import BadConfig

LABELS = {"User": "users", "Product": "products", "Review": "reviews", "Category": "categories"}
"""Section of the mapping by label."""
TYPES = {
    "HOLDS": ("users", "holdings", "products"),
    "DISMISSED": ("users", "dismissals", "products"),
    "TIED_TO": ("users", "ties", "users"),
    "WROTE": ("users", "wrote", "reviews"),
    "ABOUT": ("reviews", "about", "products"),
    "IN_CATEGORY": ("products", "in_category", "categories"),
}
"""Sections of the first node, the relationship and the last node, by type."""
OWN = "own"
"""Section of kinfolio's own names, the same in every graph."""


def section_of_label(label: str) -> str:
    """Return the section that names a label."""
    if label == OWN_LABEL:
        return OWN
    if label not in LABELS:
        raise untranslatable(f"the label {label} is not in the standard model")
    return LABELS[label]


def sections_of_type(kind: str) -> tuple[str, str, str]:
    """Return the sections of the first node, the relationship and the last node of a type."""
    if kind in OWN_TYPES:
        return "users", OWN, "products"
    if kind not in TYPES:
        raise untranslatable(f"the type {kind} is not in the standard model")
    return TYPES[kind]


def names_of(mapping: Mapping, section: str, key: str) -> Any:
    """Return the section with a line for a property; None if the graph has no such section.

    Any: each section has a class.
    """
    if section in SECTIONS and key in {item.name for item in fields(SECTIONS[section])}:
        return getattr(mapping, section)
    raise untranslatable(f"{key} is not a property of {section}")


def reviews_are_relationships(mapping: Mapping) -> bool:
    """Return whether a review is a relationship between its writer and the product."""
    return mapping.reviews is not None and mapping.reviews.type is not None


def untranslatable(why: str) -> BadConfig:
    """Return the error for a statement without an equivalent in the names of a mapping."""
    return BadConfig(
        f"a statement of kinfolio has no equivalent in the names of the mapping: {why}; "
        "this is a bug in kinfolio, please report it"
    )


class VariableSections:
    """Sections by variable, inferred from labels, types, and the ends of types."""

    def __init__(self, read: Statement, mapping: Mapping) -> None:
        self._read = read
        self._mapping = mapping
        self.sections: dict[str, set[str]] = {}
        self.unlabelled: list[tuple[Node, str]] = []
        """Nodes that need a label in the graph, in which the type may have other ends."""
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
