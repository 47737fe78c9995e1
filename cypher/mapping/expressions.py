"""Cypher text for names, properties and conditions in the names of a mapping."""

from __future__ import annotations

from kinfolio.cypher.mapping.names import ABSENT, Mapping, Unit, own_properties
from kinfolio.cypher.mapping.standard import OWN, names_of, untranslatable

_INTEGER = "'0|-?([1-9][0-9]{0,17}|[1-8][0-9]{18})'"
"""Regular expression for a 64-bit integer in canonical form."""


_DATE = (
    "([0-9]{4}-(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    "|[0-9]{4}-(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|[0-9]{4}-02-(0[1-9]|1[0-9]|2[0-8])"
    "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"
)
"""Days of the calendar: `datetime()` fails on 30 February, and a statement with it."""
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
_ZONE = r"(Z|[+-](0[0-9]|1[0-7]):?[0-5][0-9]|[+-]18:?00)(\\[.*)?"
_MOMENT = f"'{_DATE}([T ]{_TIME}({_ZONE})?)?'"
"""Regular expression for a date with or without time and zone."""


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
    # Other programs write these values: one of another type must not fail a whole statement.
    if key == "at":
        return _as_milliseconds(value, names.at_unit)
    if key in ("rating", "weight"):
        return f"CASE WHEN {value} >= 0 OR {value} < 0 THEN {value} ELSE toFloatOrNull({value}) END"
    if is_plain or key not in ("name", "open", "countries"):
        return value
    if key == "countries":
        return (
            f"CASE WHEN {value} IS :: LIST<ANY> THEN {value} ELSE "
            f"[part IN split(replace(replace(toStringOrNull({value}), ';', ','), '|', ','), ',') "
            "| trim(part)] END"
        )
    return f"{'toBooleanOrNull' if key == 'open' else 'toStringOrNull'}({value})"


def _as_milliseconds(value: str, unit: Unit) -> str:
    """Return an expression for a time in milliseconds since 1970, null if it is not one."""
    if unit == "milliseconds":
        return f"CASE WHEN -9.0e15 < {value} < 9.0e15 THEN toInteger({value}) END"
    if unit == "seconds":
        return f"CASE WHEN -9.0e12 < {value} < 9.0e12 THEN toInteger({value} * 1000) END"
    # toString converts dates, dates with time and texts to one form; some texts have a space. A
    # zone in square brackets follows its offset.
    text = f"trim(toStringOrNull({value}))"
    moment = f"datetime(replace(split({text}, '[')[0], ' ', 'T')).epochMillis"
    return f"CASE WHEN {text} =~ {_MOMENT} THEN {moment} END"


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
    held = f"coalesce(toFloatOrNull({rating}) >= {holdings.least_rating}, false)"
    if kinds == ["HOLDS"]:
        return names, direction, held
    if dismissals is None:
        return names, direction, f"NOT {held}"
    return names, direction, f"(type({variable}) = {quote(dismissals.type)} OR NOT {held})"
