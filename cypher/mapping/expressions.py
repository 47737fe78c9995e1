"""Cypher text for names, properties and conditions in the names of a mapping."""

from __future__ import annotations

from kinfolio.cypher.mapping.names import ABSENT, Mapping, own_properties
from kinfolio.cypher.mapping.standard import OWN, names_of, untranslatable

_INTEGER = "'0|-?([1-9][0-9]{0,17}|[1-8][0-9]{18})'"
"""Regular expression for a 64-bit integer in canonical form."""


def escape(name: str) -> str:
    """Return a label, type or property between backticks."""
    # The server decodes a backslash, u and four digits even between backticks.
    plain = name.replace("\\", "\\u005c").replace("`", "``")
    return f"`{plain}`"


def quote(text: str) -> str:
    """Return a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def label_of(mapping: Mapping, section: str) -> str:
    """Return the label of a section, or one that no node has."""
    names = getattr(mapping, section)
    return escape(names.label if names is not None and names.label else ABSENT)


def absent(key: str) -> str:
    """Return a property name that no node has, distinct per key, as indexes require."""
    return f"{ABSENT} ({key})"


def is_own(section: str, key: str) -> bool:
    """Return whether kinfolio writes the property, with the same name in every graph."""
    return section == OWN or (section in ("users", "products") and key in own_properties())


def as_integer(value: str) -> str:
    """Return an expression for a text as an integer, null if it is not one."""
    return f"CASE WHEN {value} =~ {_INTEGER} THEN toInteger({value}) END"


def property_of(mapping: Mapping, section: str, variable: str, key: str, *, is_plain: bool) -> str:
    """Return the expression for `variable.key`.

    With `is_plain` it is always a property, as index definitions and searches require.
    """
    if is_own(section, key):
        return f"{variable}.{key}"
    names = names_of(mapping, section, key)
    name = None if names is None else getattr(names, key)
    if name is None:
        if (section, key) == ("reviews", "id") and names is not None:
            return f"elementId({variable})"
        # The server reads a missing property of each node but optimizes a null away, which halves
        # the time of recommendations.
        return f"{variable}.{escape(absent(key))}" if is_plain else "null"
    value = f"{variable}.{escape(name)}"
    if key == "id" and names.id_type == "integer":
        return f"toString({value})"
    if key != "at":
        return value
    return {
        "milliseconds": value,
        "seconds": f"toInteger({value} * 1000)",
        # toString converts dates, dates with time and texts to one form; some texts have a space.
        "date": f"datetime(replace(toString({value}), ' ', 'T')).epochMillis",
    }[names.at_unit]


def type_and_direction(mapping: Mapping, kind: str) -> tuple[str, str]:
    """Return the name and direction of a tie, a category or one half of a review."""
    if kind == "TIED_TO":
        return mapping.ties.type if mapping.ties else ABSENT, "out"
    if kind == "IN_CATEGORY":
        categories = mapping.categories
        return (categories.type, categories.direction) if categories else (ABSENT, "out")
    names = mapping.reviews
    found = None if names is None else names.wrote if kind == "WROTE" else names.about
    return found or ABSENT, "out"


def types_of(mapping: Mapping, kinds: list[str], variable: str) -> tuple[list[str], str, str]:
    """Return the names of some types, their direction ("both": either) and a condition.

    Args:
        mapping: the names of the graph.
        kinds: types of the standard model, those of one relationship pattern.
        variable: variable of the relationship, for the condition.
    """
    if set(kinds) - {"HOLDS", "DISMISSED"}:
        if len(kinds) > 1:
            raise untranslatable(f"it combines {' and '.join(kinds)}")
        name, direction = type_and_direction(mapping, kinds[0])
        return [name], direction, ""
    holdings, dismissals = mapping.holdings, mapping.dismissals
    has_threshold = holdings.least_rating is not None
    found = []
    if "HOLDS" in kinds or has_threshold:
        found.append((holdings.type, holdings.direction))
    if "DISMISSED" in kinds and dismissals is not None:
        found.append((dismissals.type, dismissals.direction))
    names = [name for name, _ in found] or [ABSENT]
    directions = {direction for _, direction in found} or {"out"}
    direction = directions.pop() if len(directions) == 1 else "both"
    if not has_threshold or len(kinds) > 1:
        return names, direction, ""
    rating = f"{variable}.{escape(holdings.rating or absent('rating'))}"
    held = f"coalesce({rating} >= {holdings.least_rating}, false)"
    if kinds == ["HOLDS"]:
        return names, direction, held
    if dismissals is None:
        return names, direction, f"NOT {held}"
    return names, direction, f"(type({variable}) = {quote(dismissals.type)} OR NOT {held})"
