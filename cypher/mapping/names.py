"""The names of users, products and holdings in an existing graph.

A mapping is read from `mapping.toml`; `rewrite.py` applies it to the text of a statement.
"""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from kinfolio.errors import BadConfig, quoted, shell_command

IdType = Literal["text", "integer"]
"""Type of an id property; integers are compared as integers and displayed as texts."""
Unit = Literal["milliseconds", "seconds", "date"]
"""Unit of a time property; "date": a date with or without time, or an ISO 8601 text."""
Direction = Literal["out", "in"]

OWN_LABEL = "EmbeddingVersion"
OWN_TYPES = ("RECOMMENDED",)
OWN_PROPERTIES = ("gid", "changed")
OWN_SLOT_PROPERTIES = (
    "embedding",
    "message",
    "own",
    "counted",
    "market",
    "similar",
    "similar_weight",
    "new",
    "inputs",
)
"""Properties of users and products that kinfolio writes, with `_a` or `_b` for the slot."""
ABSENT = "kinfolio: not in this graph"
"""Name for a label, type or property that a graph does not have; it has no match."""

_MAX_NAME_LENGTH = 16_383
"""Limit of the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserNames:
    """Users."""

    label: str
    id: str
    id_type: IdType = "text"
    name: str | None = None
    risk_tolerance: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductNames:
    """Products."""

    label: str
    id: str
    id_type: IdType = "text"
    name: str | None = None
    kind: str | None = None
    sector: str | None = None
    text: str | None = None
    risk: str | None = None
    open: str | None = None
    countries: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingNames:
    """Holdings: relationships from users to products."""

    type: str
    direction: Direction = "out"
    """"out" from the user to the product."""
    exclusive: bool = False
    """Whether the type connects no other labels; holders are then counted without reading them."""
    rating: str | None = None
    least_rating: float | None = None
    """Minimum rating of a holding; a lower rating counts as a dismissal."""
    at: str | None = None
    at_unit: Unit = "milliseconds"
    weight: str | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TieNames:
    """Ties between two users."""

    type: str
    kind: str | None = None
    at: str | None = None
    at_unit: Unit = "milliseconds"
    split: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewNames:
    """Reviews: a relationship (`type`), or a node between two relationships."""

    text: str
    type: str | None = None
    direction: Direction = "out"
    """Of `type`: "out" from the user to the product."""
    label: str | None = None
    wrote: str | None = None
    about: str | None = None
    id: str | None = None
    id_type: IdType = "text"
    rating: str | None = None
    at: str | None = None
    at_unit: Unit = "milliseconds"
    split: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryNames:
    """Categories of products, as nodes."""

    label: str
    type: str
    direction: Direction = "out"
    """"out" from the product to the category."""
    name: str = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissalNames:
    """Dismissals: relationships from users to products."""

    type: str
    direction: Direction = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """The names of one graph; None for a section that it does not have."""

    users: UserNames
    products: ProductNames
    holdings: HoldingNames
    ties: TieNames | None = None
    reviews: ReviewNames | None = None
    categories: CategoryNames | None = None
    dismissals: DismissalNames | None = None


SECTIONS: dict[str, type[Any]] = {
    name: next(iter(get_args(hint)), hint) for name, hint in get_type_hints(Mapping).items()
}
"""Class of each section."""


def read_mapping(file: Path) -> Mapping:
    """Return the mapping in a file.

    Raises:
        BadConfig: the file does not exist or is not valid.
    """
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadConfig(
            f"{file} does not exist; generate it from your graph: "
            f"{shell_command('map', 'init', file)}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"the mapping {file} cannot be read ({error}); correct the path") from error
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(
            f"{file} is not TOML ({error}); correct that line, names in quotes: "
            '[users], then label = "Person"'
        ) from error
    try:
        return mapping_from(content)
    except BadConfig as error:
        raise BadConfig(f"{file}: {error}") from error


def mapping_from(content: dict[str, Any]) -> Mapping:
    """Return the mapping of a TOML document.

    Raises:
        BadConfig: it is not valid.
    """
    for name in content:
        if name not in SECTIONS:
            raise BadConfig(f"[{name}] is not a section; {_suggestion(name, SECTIONS)}")
    found: dict[str, Any] = {}
    for name, kind in SECTIONS.items():
        if name in content:
            found[name] = _section(name, kind, content[name])
        elif name in ("users", "products", "holdings"):
            raise BadConfig(f"the section [{name}] is missing; required: {_required(kind)}")
    mapping = Mapping(**found)
    _check(mapping)
    return mapping


def _section(name: str, kind: type[Any], content: Any) -> Any:
    # Any: a TOML value, and a class of `SECTIONS`.
    if not isinstance(content, dict):
        raise BadConfig(f"{name} is {quoted(content)}; a section [{name}] was expected")
    hints = get_type_hints(kind)
    for key, value in content.items():
        if key not in hints:
            raise BadConfig(f"[{name}] has the line {quoted(key)}; {_suggestion(key, hints)}")
        _check_value(f"{key} in [{name}]", hints[key], value)
    for item in fields(kind):
        if item.default is MISSING and item.name not in content:
            raise BadConfig(f"[{name}] has no {item.name}; required: {_required(kind)}")
    return kind(**content)


def _check_value(where: str, hint: Any, value: Any) -> None:
    if hint is bool:
        if not isinstance(value, bool):
            raise BadConfig(
                f"{where} is {quoted(value)}; true or false was expected, without quotes"
            )
        return
    if hint == float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise BadConfig(f"{where} is {quoted(value)}; a number was expected, like 4.0")
        return
    if not isinstance(value, str):
        raise BadConfig(f"{where} is {quoted(value)}; a text in quotes was expected")
    choices = get_args(hint) if str not in (hint, *get_args(hint)) else ()
    if choices:
        if value not in choices:
            raise BadConfig(f"{where} is {quoted(value)}; one of {', '.join(choices)} was expected")
    elif not value or "\0" in value or len(value) > _MAX_NAME_LENGTH:
        raise BadConfig(f"{where} is {value[:40]!r}; a name of the graph was expected")


def _check(mapping: Mapping) -> None:
    if mapping.users.label == mapping.products.label:
        raise BadConfig(
            f"users and products are both {mapping.users.label!r}; they need two labels, so add "
            "a label to one of them in the graph (SET n:Label)"
        )
    for section in ("users", "products"):
        names = getattr(mapping, section)
        if names.label == OWN_LABEL:
            raise BadConfig(f"label in [{section}] is {OWN_LABEL!r}, which is kinfolio's own label")
        for item in fields(names):
            value = getattr(names, item.name)
            if item.name not in ("label", "id_type") and value in own_properties():
                raise BadConfig(
                    f"{item.name} in [{section}] is {quoted(value)}, which is kinfolio's own "
                    "property; rename yours in the graph"
                )
    if mapping.holdings.least_rating is not None and mapping.holdings.rating is None:
        raise BadConfig("[holdings] has a least_rating and no rating; name the property as rating")
    if mapping.dismissals is not None and mapping.dismissals.type == mapping.holdings.type:
        raise BadConfig(
            f"holdings and dismissals are both {mapping.holdings.type!r}; if low ratings are "
            "dismissals, set least_rating in [holdings]"
        )
    if mapping.reviews is not None:
        _check_reviews(mapping.reviews)


def _check_reviews(names: ReviewNames) -> None:
    node = (names.label, names.wrote, names.about)
    if (names.type is None) == (node == (None, None, None)):
        raise BadConfig(
            "[reviews] needs either type, for relationships with the text, or label, wrote and "
            "about, for nodes between the writer and the product"
        )
    if names.type is None and None in node:
        raise BadConfig(
            "[reviews] needs label, wrote and about together, for nodes between writer and product"
        )


def own_properties() -> tuple[str, ...]:
    """Return the properties of users and products that kinfolio writes."""
    return OWN_PROPERTIES + tuple(f"{name}_{slot}" for name in OWN_SLOT_PROPERTIES for slot in "ab")


def _suggestion(name: str, names: dict[str, Any]) -> str:
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"expected one of: {', '.join(names)}"


def _required(kind: type[Any]) -> str:
    return ", ".join(item.name for item in fields(kind) if item.default is MISSING)
