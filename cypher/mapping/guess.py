"""What a graph most likely calls users, products and holdings: a guess from names and numbers.

Reads only, and only samples of large graphs. A person looks at the guess before it is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.mapping.check import MOMENTS, NUMBERS
from kinfolio.cypher.mapping.names import (
    OWN_LABEL,
    OWN_TYPES,
    CategoryNames,
    Direction,
    DismissalNames,
    HoldingNames,
    Mapping,
    ProductNames,
    ReviewNames,
    TieNames,
    Unit,
    UserNames,
    own_names,
)
from kinfolio.errors import NotReady

SAMPLE = 5_000
"""Nodes of a label and relationships of a type that are looked at."""
_SHORTEST_TEXT = 20
"""A property whose longest value has fewer signs is no text."""
_SECONDS_BELOW = 10**11
"""Times from here on are milliseconds."""

# In the order in which they are preferred; compared without case, `_` and `-`.
_USERS = "user person customer member client account reader viewer investor subscriber people"
_PRODUCTS = "product item movie film book fund article song track course game security stock recipe"
_HOLDS = (
    "holds owns bought purchased buys rated invested_in has_bought ordered watched likes liked "
    "reviewed read listened_to viewed saved subscribed_to enrolled_in uses clicked"
)
_TIES = "follows tied_to friend_of friends friend knows is_friend_of trusts connected_to likes"
_DISMISSED = "dismissed disliked dislikes hides hid skipped not_interested blocked rejected"
_WRITES = "wrote written posted authored reviewed left gave"
_ABOUT = "about of reviews on for_product rates"
_CATEGORIES = "category genre sector type topic tag class brand"
_NOT_HELD = "acted_in directed produced wrote works_for works_at lives_in created authored manages"
_KEYS = {
    "name": "name title fullname label",
    "risk_tolerance": "risk_tolerance risk_level risk_profile risk_appetite",
    "country": "country country_code",
    "kind": "kind type",
    "sector": "sector industry",
    "text": "text description tagline plot summary overview abstract synopsis body comment content",
    "risk": "risk risk_level risk_class srri sri",
    "open": "open is_open available is_available active is_active",
    "countries": "countries markets",
    "rating": "rating stars score grade",
    "at": "at timestamp time date created_at created rated_at since when ts",
    "weight": "weight amount quantity",
    "split": "split",
}
_ID = "id uuid uid key code number email isin sku name title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A property as a sample shows it."""

    name: str
    filled: int
    types: tuple[str, ...]
    least: Any
    """Any: whatever the property holds."""
    most: Any
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Two labels that a type runs between, in a sample."""

    type: str
    source: str
    target: str
    links: int
    """Of the whole type, by its part of the sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is in a graph, and the best guess."""

    labels: dict[str, int]
    types: dict[str, int]
    ends: tuple[Ends, ...]
    keys: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    """By label."""
    link_keys: dict[tuple[str, str, str], tuple[Key, ...]] = field(default_factory=dict)
    """By type and both labels."""


def inspect(graph: Graph) -> Found:
    """What is in a graph besides kinfolio's own.

    Raises:
        NotReady: there is nothing in it that could be held.
    """
    labels = {row["label"]: row["nodes"] for row in graph.read("map_labels")}
    labels.pop(OWN_LABEL, None)
    types = {row["type"]: row["links"] for row in graph.read("map_types")}
    for name in OWN_TYPES:
        types.pop(name, None)
    if not types:
        raise NotReady(
            "the graph has no relationships, so nothing in it is held by anybody; "
            "type: kinfolio load FOLDER"
        )
    ends = []
    for kind, total in types.items():
        rows = graph.read("map_endpoints", type=kind, sample=SAMPLE)
        seen = min(total, SAMPLE)
        ends += [
            Ends(
                type=kind,
                source=row["source"],
                target=row["target"],
                links=round(row["links"] / seen * total),
            )
            for row in rows
        ]
    return Found(
        labels=labels,
        types=types,
        ends=tuple(ends),
        keys={
            label: _keys(graph.read("map_node_keys", label=label, sample=SAMPLE))
            for label in labels
        },
        link_keys={
            (one.type, one.source, one.target): _keys(
                graph.read(
                    "map_link_keys",
                    type=one.type,
                    source=one.source,
                    target=one.target,
                    sample=SAMPLE,
                )
            )
            for one in ends
        },
    )


def guess(graph: Graph, found: Found) -> Mapping:
    """The mapping that fits best.

    Raises:
        NotReady: nothing looks like users who hold products.
    """
    held = _best_holdings(found)
    users, products = (
        (held.source, held.target) if _points_out(held) else (held.target, held.source)
    )
    direction: Direction = "out" if users == held.source else "in"
    keys = found.link_keys[held.type, held.source, held.target]
    at, unit = _moment(keys)
    reviews = _reviews(found, users, products)
    rest = [
        one
        for one in found.ends
        if one != held and (reviews is None or one.type not in (reviews.type, reviews.wrote))
    ]
    return Mapping(
        users=UserNames(
            label=users, **_id(graph, found, users), **_named(found.keys[users], UserNames)
        ),
        products=ProductNames(
            label=products,
            **_id(graph, found, products),
            **_named(found.keys[products], ProductNames),
        ),
        holdings=HoldingNames(
            type=held.type,
            direction=direction,
            exclusive=found.types[held.type] == _fitting(graph, held),
            at=at,
            at_unit=unit,
            **_named(keys, HoldingNames, but=("at",)),
        ),
        ties=_ties(found, users),
        reviews=reviews,
        categories=_categories(found, rest, users, products),
        dismissals=_dismissals(rest, users, products),
    )


def _fitting(graph: Graph, one: Ends) -> int:
    rows = graph.read("map_link_count", type=one.type, source=one.source, target=one.target)
    return int(rows[0]["fitting"])


def _best_holdings(found: Found) -> Ends:
    def points(one: Ends) -> float:
        source, target = one.source, one.target
        if not _points_out(one):
            source, target = target, source
        keys = {key.name for key in found.link_keys[one.type, one.source, one.target]}
        return (
            3.0 * _is_like(source, _USERS)
            + 3.0 * _is_like(target, _PRODUCTS)
            + 3.0 * _is_like(one.type, _HOLDS)
            - 4.0 * _is_like(one.type, _NOT_HELD)
            - 4.0 * _is_like(one.type, _DISMISSED)
            - 3.0 * _is_like(target, _CATEGORIES)
            + 1.0 * bool(_find(found.link_keys[one.type, one.source, one.target], "rating"))
            - 2.0 * (not keys and _is_like(target, _CATEGORIES))
            + len(str(one.links)) / 2
        )

    candidates = [one for one in found.ends if one.source != one.target]
    if not candidates:
        raise NotReady(
            "no relationships run between two different labels, so nothing looks like users who "
            "hold products; write the mapping by hand, see docs/mapping.md"
        )
    return max(candidates, key=lambda one: (points(one), one.links, one.type))


def _points_out(one: Ends) -> bool:
    """Whether a relationship rather runs from a user to a product than back."""
    out = _is_like(one.source, _USERS) - _is_like(one.source, _PRODUCTS)
    back = _is_like(one.target, _USERS) - _is_like(one.target, _PRODUCTS)
    return out >= back


def _ties(found: Found, users: str) -> TieNames | None:
    among = [one for one in found.ends if one.source == one.target == users]
    if not among:
        return None
    best = max(among, key=lambda one: (_is_like(one.type, _TIES), one.links, one.type))
    keys = found.link_keys[best.type, users, users]
    at, unit = _moment(keys)
    return TieNames(
        type=best.type, at=at, at_unit=unit, **_named(keys, TieNames, but=("at", "kind"))
    )


def _reviews(found: Found, users: str, products: str) -> ReviewNames | None:
    options: list[tuple[int, ReviewNames]] = []
    for one in found.ends:
        if {one.source, one.target} == {users, products}:
            keys = found.link_keys[one.type, one.source, one.target]
            text = _text(keys)
            if text is not None:
                at, unit = _moment(keys)
                names = ReviewNames(
                    type=one.type,
                    direction="out" if one.source == users else "in",
                    text=text,
                    at=at,
                    at_unit=unit,
                    **_named(keys, ReviewNames, but=("at", "id", "text")),
                )
                options.append((one.links, names))
    for wrote in found.ends:
        label = wrote.target
        if wrote.source != users or label in (users, products):
            continue
        for about in found.ends:
            text = _text(found.keys.get(label, ()))
            if (about.source, about.target) == (label, products) and text is not None:
                keys = found.keys[label]
                at, unit = _moment(keys)
                names = ReviewNames(
                    label=label,
                    wrote=wrote.type,
                    about=about.type,
                    text=text,
                    at=at,
                    at_unit=unit,
                    **_named(keys, ReviewNames, but=("at", "id", "text")),
                )
                options.append((about.links, names))
    return max(options, key=lambda option: option[0])[1] if options else None


def _categories(
    found: Found, rest: Iterable[Ends], users: str, products: str
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
        # A category is shared by many and is no person: an actor plays in few films.
        if not _is_like(label, _CATEGORIES) and found.labels[label] * 5 > found.labels[products]:
            continue
        names = CategoryNames(label=label, type=one.type, direction=direction, name=name)
        options.append(((_is_like(label, _CATEGORIES), one.links, one.type), names))
    return max(options, key=lambda option: option[0])[1] if options else None


def _dismissals(rest: Iterable[Ends], users: str, products: str) -> DismissalNames | None:
    for one in rest:
        if {one.source, one.target} == {users, products} and _is_like(one.type, _DISMISSED):
            return DismissalNames(type=one.type, direction="out" if one.source == users else "in")
    return None


def _id(graph: Graph, found: Found, label: str) -> dict[str, Any]:
    """The property that tells nodes of a label apart, for a record of names."""
    keys = [key for key in found.keys[label] if set(key.types) in ({"STRING"}, {"INTEGER"})]
    keys.sort(key=lambda key: -_like(key.name, f"{label}id {label}_id {_ID}"))
    for key in keys:
        row = graph.read("map_ids", label=label, key=key.name)[0]
        if row["nodes"] == row["filled"] == row["different"]:
            return {"id": key.name, "id_type": "text" if key.types == ("STRING",) else "integer"}
    raise NotReady(
        f"no property of {label} nodes is different on each of them, and kinfolio needs one as "
        f"their id; set one, for example: MATCH (n:{label}) SET n.id = randomUUID()"
    )


def _named(keys: tuple[Key, ...], kind: type[Any], but: tuple[str, ...] = ()) -> dict[str, Any]:
    """The properties that a section has lines for, by line."""
    lines = [line for line in kind.__dataclass_fields__ if line in _KEYS and line not in but]
    return {line: name for line in lines if (name := _find(keys, line)) is not None}


def _find(keys: tuple[Key, ...], line: str) -> str | None:
    """The property that fits a line of the mapping best."""
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
        if _is_like(key.name, _KEYS[line]) and set(key.types) <= set(allowed) and key.types
    ]
    likely.sort(key=lambda key: -_like(key.name, _KEYS[line]))
    return likely[0].name if likely else None


def _text(keys: tuple[Key, ...]) -> str | None:
    texts = [key for key in keys if key.types == ("STRING",) and key.longest >= _SHORTEST_TEXT]
    texts.sort(key=lambda key: (-_like(key.name, _KEYS["text"]), -key.longest))
    return texts[0].name if texts else None


def _moment(keys: tuple[Key, ...]) -> tuple[str | None, Unit]:
    name = _find(keys, "at")
    if name is None:
        return None, "milliseconds"
    (key,) = (key for key in keys if key.name == name)
    if set(key.types) & set(MOMENTS):
        return name, "date"
    return name, "seconds" if abs(key.most) < _SECONDS_BELOW else "milliseconds"


def _keys(rows: list[dict[str, Any]]) -> tuple[Key, ...]:
    return tuple(
        Key(
            name=row["key"],
            filled=row["filled"],
            types=tuple(sorted(row["types"])),
            least=row["least"],
            most=row["most"],
            longest=row["longest"] or 0,
        )
        for row in rows
        if row["key"] not in own_names()
    )


def _is_like(name: str, words: str) -> bool:
    return _like(name, words) > 0


def _like(name: str, words: str) -> float:
    """How early a name stands among some words; 0 when it does not."""
    listed = [_plain(word) for word in words.split()]
    plain = _plain(name)
    if plain in listed:
        return 1.0 + 1.0 / (1 + listed.index(plain))
    # Users, FilmReviews: with another word about it, or in the plural.
    return 0.5 if plain.rstrip("s") in listed else 0.0


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
