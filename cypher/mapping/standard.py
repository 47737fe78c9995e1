"""The standard model: which section of a mapping names its labels and types."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from kinfolio.cypher.mapping.names import OWN_LABEL, OWN_TYPES, SECTIONS, Mapping
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
"""Section of what has kinfolio's names in every graph."""


def section_of_label(label: str) -> str:
    """Return the section that names a label."""
    if label == OWN_LABEL:
        return OWN
    if label not in LABELS:
        raise untranslatable(f"the label {label} is not of the standard model")
    return LABELS[label]


def sections_of_type(kind: str) -> tuple[str, str, str]:
    """Return the sections of the first node, the relationship and the last node of a type."""
    if kind in OWN_TYPES:
        return "users", OWN, "products"
    if kind not in TYPES:
        raise untranslatable(f"the type {kind} is not of the standard model")
    return TYPES[kind]


def names_of(mapping: Mapping, section: str, key: str) -> Any:
    """Return the section with a line for a property; None if the graph has no such section.

    Any: each section is a record of its own.
    """
    if section in SECTIONS and key in {item.name for item in fields(SECTIONS[section])}:
        return getattr(mapping, section)
    raise untranslatable(f"{key} is no property of {section}")


def reviews_are_relationships(mapping: Mapping) -> bool:
    """Return whether a review is a relationship between its writer and the product."""
    return mapping.reviews is not None and mapping.reviews.type is not None


def untranslatable(why: str) -> BadConfig:
    """Return the error for a statement that has no form in the names of a mapping."""
    return BadConfig(
        f"a statement of kinfolio has no form in the names of a mapping: {why}; "
        "this is a fault of kinfolio, please report it"
    )
