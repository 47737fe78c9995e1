"""Guess the mapping of a graph from names and counts, for review. Read-only."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, TypeVar

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.inspection.inventory import Endpoints, Inventory, Key
from kinfolio.cypher.inspection.values import MOMENTS, NUMBERS
from kinfolio.cypher.mapping.names import (
    CategoryNames,
    Direction,
    DismissalNames,
    HoldingNames,
    IdType,
    Mapping,
    ProductNames,
    ReviewNames,
    TieNames,
    UserNames,
)
from kinfolio.errors import NotReady

_T = TypeVar("_T", UserNames, ProductNames)
_WORDS = tomllib.loads(
    files("kinfolio.cypher.inspection").joinpath("words.toml").read_text("utf-8")
)
"""Words by role, separated by spaces, in order of preference; `properties`: by line."""
_PROPERTIES: dict[str, str] = _WORDS["properties"]
_MIN_TEXT_LENGTH = 20
"""Minimum length in characters of the longest value of a text property."""
_SECONDS_BELOW = 10**11
"""Larger times are milliseconds."""


def guess(graph: Graph, found: Inventory) -> Mapping:
    """Return the most likely mapping.

    Raises:
        NotReady: no part of the graph resembles users who hold products.
    """
    held = _best_holdings(found)
    users, products = (
        (held.source, held.target) if _points_out(held) else (held.target, held.source)
    )
    reviews = _reviews(found, users, products)
    rest = [
        one
        for one in found.ends
        if one != held and (reviews is None or one.type not in (reviews.type, reviews.wrote))
    ]
    count = graph.read("map_link_count", type=held.type, source=held.source, target=held.target)
    return Mapping(
        users=_nodes(graph, found, users, UserNames),
        products=_nodes(graph, found, products, ProductNames),
        holdings=HoldingNames(
            type=held.type,
            direction="out" if users == held.source else "in",
            exclusive=found.types[held.type] == count[0]["fitting"],
            **_properties(found.keys_of(held), HoldingNames),
        ),
        ties=_ties(found, users),
        reviews=reviews,
        categories=_categories(found, rest, users, products),
        dismissals=_dismissals(rest, users, products),
    )


def _best_holdings(found: Inventory) -> Endpoints:
    def points(one: Endpoints) -> float:
        source, target = one.source, one.target
        if not _points_out(one):
            source, target = target, source
        keys = found.keys_of(one)
        return (
            3.0 * _is_similar(source, _WORDS["users"])
            + 3.0 * _is_similar(target, _WORDS["products"])
            + 3.0 * _is_similar(one.type, _WORDS["holds"])
            - 4.0 * _is_similar(one.type, _WORDS["not_held"])
            - 4.0 * _is_similar(one.type, _WORDS["dismissed"])
            - 3.0 * _is_similar(target, _WORDS["categories"])
            + 1.0 * bool(_find(keys, "rating"))
            - 2.0 * (not keys and _is_similar(target, _WORDS["categories"]))
            + len(str(one.links)) / 2
        )

    candidates = [one for one in found.ends if one.source != one.target]
    if not candidates:
        raise NotReady(
            "no relationships connect two different labels, as holdings of users would; "
            "write the mapping by hand, see docs/mapping.md"
        )
    return max(candidates, key=lambda one: (points(one), one.links, one.type))


def _points_out(one: Endpoints) -> bool:
    """Return whether the source of a relationship is the user rather than the product."""
    out = _is_similar(one.source, _WORDS["users"]) - _is_similar(one.source, _WORDS["products"])
    back = _is_similar(one.target, _WORDS["users"]) - _is_similar(one.target, _WORDS["products"])
    return out >= back


def _ties(found: Inventory, users: str) -> TieNames | None:
    among = [one for one in found.ends if one.source == one.target == users]
    if not among:
        return None
    best = max(among, key=lambda one: (_is_similar(one.type, _WORDS["ties"]), one.links, one.type))
    return TieNames(type=best.type, **_properties(found.keys_of(best), TieNames, but="kind"))


def _reviews(found: Inventory, users: str, products: str) -> ReviewNames | None:
    options: list[tuple[int, ReviewNames]] = []

    def add(links: int, keys: tuple[Key, ...], **names: Any) -> None:
        if (text := _text(keys)) is not None:
            others = _properties(keys, ReviewNames, but="text")
            options.append((links, ReviewNames(text=text, **names, **others)))

    for one in found.ends:
        if {one.source, one.target} == {users, products}:
            direction = "out" if one.source == users else "in"
            add(one.links, found.keys_of(one), type=one.type, direction=direction)
    for wrote in found.ends:
        label = wrote.target
        if wrote.source == users and label not in (users, products):
            for about in found.ends:
                if (about.source, about.target) == (label, products):
                    names = {"label": label, "wrote": wrote.type, "about": about.type}
                    add(about.links, found.keys.get(label, ()), **names)
    return max(options, key=lambda option: option[0])[1] if options else None


def _categories(
    found: Inventory, rest: Iterable[Endpoints], users: str, products: str
) -> CategoryNames | None:
    options = []
    for one in rest:
        if products not in (one.source, one.target):
            continue
        direction: Direction = "out" if one.source == products else "in"
        label = one.target if direction == "out" else one.source
        name = _find(found.keys.get(label, ()), "name")
        if label in (users, products) or name is None:
            continue
        # A category has many products, unlike, for example, an actor.
        if (
            not _is_similar(label, _WORDS["categories"])
            and found.labels[label] * 5 > found.labels[products]
        ):
            continue
        names = CategoryNames(label=label, type=one.type, direction=direction, name=name)
        options.append(((_is_similar(label, _WORDS["categories"]), one.links, one.type), names))
    return max(options, key=lambda option: option[0])[1] if options else None


def _dismissals(rest: Iterable[Endpoints], users: str, products: str) -> DismissalNames | None:
    for one in rest:
        if {one.source, one.target} == {users, products} and _is_similar(
            one.type, _WORDS["dismissed"]
        ):
            return DismissalNames(type=one.type, direction="out" if one.source == users else "in")
    return None


def _nodes(graph: Graph, found: Inventory, label: str, section: type[_T]) -> _T:
    """Return the section of a label, with the property that is unique among its nodes as id.

    A key with an index, or with the name of one, comes before a name: names are unique by chance.
    """
    keys = [key for key in found.keys[label] if set(key.types) in ({"STRING"}, {"INTEGER"})]
    indexed = {
        row["keys"][0]
        for row in graph.read("map_constraints")
        if label in row["labels"] and len(row["keys"]) == 1
    }

    def order(key: Key) -> tuple[int, float]:
        likeness = _similarity(key.name, f"{label}id {label}_id {_WORDS['ids']}")
        if (as_name := _similarity(key.name, _PROPERTIES["name"])) > 0:
            return 1, -as_name
        is_key = likeness > 0 or key.name in indexed
        return 0 if is_key else 2, -likeness - 2.0 * (key.name in indexed)

    for key in sorted(keys, key=order):
        row = graph.read("map_ids", label=label, key=key.name)[0]
        if row["nodes"] == row["filled"] == row["different"]:
            id_type: IdType = "text" if key.types == ("STRING",) else "integer"
            others = _properties(found.keys[label], section)
            return section(label=label, id=key.name, id_type=id_type, **others)
    raise NotReady(
        f"no property of {label} nodes is unique, and kinfolio needs one as their id; "
        f"set one, for example: MATCH (n:{label}) SET n.id = randomUUID()"
    )


def _properties(keys: tuple[Key, ...], kind: type[Any], but: str = "") -> dict[str, Any]:
    """Return the properties that match lines of a section, as its arguments."""
    found: dict[str, Any] = {
        line: name
        for line in kind.__dataclass_fields__
        if line in _PROPERTIES and line != but and (name := _find(keys, line)) is not None
    }
    if "at" in found:
        (key,) = (key for key in keys if key.name == found["at"])
        if set(key.types) & set(MOMENTS):
            found["at_unit"] = "date"
        else:
            found["at_unit"] = "seconds" if abs(key.most) < _SECONDS_BELOW else "milliseconds"
    return found


def _find(keys: tuple[Key, ...], line: str) -> str | None:
    """Return the best match for a line of the mapping."""
    allowed = {
        "open": ("BOOLEAN",),
        "countries": ("LIST<STRING>",),
        **dict.fromkeys(("rating", "weight", "risk", "risk_tolerance"), NUMBERS),
        **dict.fromkeys(("name", "kind", "sector", "text", "country", "split"), ("STRING",)),
        "at": (*NUMBERS, *MOMENTS),
    }[line]
    likely = [
        key
        for key in keys
        if _is_similar(key.name, _PROPERTIES[line]) and key.types and set(key.types) <= set(allowed)
    ]
    return (
        max(likely, key=lambda key: _similarity(key.name, _PROPERTIES[line])).name
        if likely
        else None
    )


def _text(keys: tuple[Key, ...]) -> str | None:
    texts = [key for key in keys if key.types == ("STRING",) and key.longest >= _MIN_TEXT_LENGTH]
    words = _PROPERTIES["text"]
    best = max(texts, key=lambda key: (_similarity(key.name, words), key.longest), default=None)
    return None if best is None else best.name


def _is_similar(name: str, words: str) -> bool:
    return _similarity(name, words) > 0


def _similarity(name: str, words: str) -> float:
    """Return the rank of a name among words, ignoring case, `_`, `-` and plural.

    2.0 for the first word, decreasing to 1.0; 0.5 for a plural; 0.0 for any other name.
    """
    listed = [_normalized(word) for word in words.split()]
    plain = _normalized(name)
    if plain in listed:
        return 1.0 + 1.0 / (1 + listed.index(plain))
    return 0.5 if plain.rstrip("s") in listed else 0.0


def _normalized(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
