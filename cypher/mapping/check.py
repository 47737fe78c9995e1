"""What each line of a mapping finds in a graph, and whether the two go together. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.mapping.names import (
    CategoryNames,
    DismissalNames,
    HoldingNames,
    Mapping,
    ProductNames,
    ReviewNames,
    TieNames,
    UserNames,
)
from kinfolio.cypher.mapping.rewrite import escaped
from kinfolio.errors import BadInput, NotReady
from kinfolio.records import SPLITS

Level = Literal["ok", "warning", "problem"]

NUMBERS = ("INTEGER", "FLOAT")
MOMENTS = ("DATE", "ZONED DATETIME", "LOCAL DATETIME", "STRING")
TEXTS = ("STRING",)
_PLAIN = ("STRING", "INTEGER", "FLOAT", "BOOLEAN")
_TYPES: dict[str, tuple[str, ...]] = {
    "name": _PLAIN,
    "kind": _PLAIN,
    "sector": _PLAIN,
    "text": TEXTS,
    "risk_tolerance": NUMBERS,
    "risk": NUMBERS,
    "country": TEXTS,
    "open": ("BOOLEAN",),
    "countries": ("LIST<STRING>", "LIST<NOTHING>"),
    "rating": NUMBERS,
    "weight": NUMBERS,
    "split": TEXTS,
    "id": ("STRING", "INTEGER"),
}
"""Types that a property may have, by its name in the standard model."""
_SELDOM = 0.5
"""A property on a smaller part of the nodes or relationships than this is told."""
_EXAMPLE_SIGNS = 40
_FIRST_YEAR, _LAST_YEAR = 1980, 2200

_Ends = tuple[str, str, str, str, str]
"""Line of the mapping, type, label it begins at, label it ends at, what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one line of a mapping finds."""

    section: str
    line: str
    name: str
    """What the mapping says."""
    found: str
    example: str
    level: Level
    note: str
    """What is wrong and what to do; empty where nothing is."""


def check_mapping(graph: Graph, mapping: Mapping) -> list[Line]:
    """What each line finds.

    Args:
        graph: the database, opened with or without the mapping.
        mapping: the names to look for.
    """
    with Graph(graph.connection, mapping) as mapped:
        return [*_lines(mapped, mapping)]


def prepare(graph: Graph) -> None:
    """Make sure that a graph with a mapping can be numbered: keys that tell its nodes apart.

    Raises:
        BadInput: users or products cannot be told apart.
        NotReady: a property that kinfolio would write is there already.
    """
    mapping = graph.mapping
    if mapping is None:
        return
    for section, names in (("users", mapping.users), ("products", mapping.products)):
        for line in (*_label(graph, section, names), _gid(graph, section, names)):
            if line is not None and line.level == "problem":
                kind = NotReady if line.line == "gid" else BadInput
                raise kind(f"the graph cannot be used with this mapping: {line.note}")


def has_own_numbers(graph: Graph, label: str) -> bool:
    """Whether the row numbers (gid) of a label are kinfolio's, as its constraint says."""
    return any(
        row["kind"] == "constraint" and label in row["labels"] and row["keys"] == ["gid"]
        for row in graph.read("map_constraints")
    )


def _lines(graph: Graph, mapping: Mapping) -> Iterator[Line]:
    users, products = mapping.users, mapping.products
    for section, names in (("users", users), ("products", products)):
        lines = list(_label(graph, section, names))
        yield from lines
        if lines[0].level != "problem":
            gid = _gid(graph, section, names)
            if gid is not None:
                yield gid
            yield from _node_values(graph, section, names)
    yield from _links(graph, "holdings", mapping.holdings, users.label, products.label)
    if mapping.ties:
        yield from _links(graph, "ties", mapping.ties, users.label, users.label)
    if mapping.reviews:
        yield from _reviews(graph, mapping.reviews, users.label, products.label)
    if mapping.categories:
        kinds = mapping.categories
        yield _nodes(graph, "categories", kinds.label)
        yield from _links(graph, "categories", kinds, products.label, kinds.label)
        yield from _node_values(graph, "categories", kinds)
    if mapping.dismissals:
        yield from _links(graph, "dismissals", mapping.dismissals, users.label, products.label)
    if mapping.holdings.least_rating is not None:
        yield _threshold(graph, mapping.holdings)
    yield from _taken(graph)


def _nodes(graph: Graph, section: str, label: str) -> Line:
    found = graph.read("map_ids", label=label, key="")[0]["nodes"]
    note = "" if found else f"no node has the label {label!r}"
    return _line(section, "label", label, f"{found:,} nodes", note=note, is_problem=not found)


def _label(graph: Graph, section: str, names: UserNames | ProductNames) -> Iterator[Line]:
    yield (first := _nodes(graph, section, names.label))
    if first.level == "problem":
        return
    row = graph.read("map_ids", label=names.label, key=names.id)[0]
    types = [kind for kind in row["types"] if kind != "NULL"]
    wanted = "STRING" if names.id_type == "text" else "INTEGER"
    note = ""
    if row["filled"] < row["nodes"]:
        note = (
            f"{row['nodes'] - row['filled']:,} of {row['nodes']:,} {names.label} nodes have no "
            f"{names.id}; name a property that all of them have, or set it"
        )
    elif types != [wanted]:
        kinds = " and ".join(types)
        note = (
            f"{names.id} holds {kinds} and id_type says {names.id_type!r}; "
            + ('set id_type = "integer"' if types == ["INTEGER"] else "")
            + ('set id_type = "text"' if types == ["STRING"] else "")
            + ("" if types in (["INTEGER"], ["STRING"]) else "ids are texts or whole numbers")
        )
    elif row["different"] < row["filled"]:
        note = (
            f"{names.id} does not tell {names.label} nodes apart: {_short(row['twice'])!r} stands "
            "on more than one; name a property that is different on each"
        )
    yield _line(
        section,
        "id",
        names.id,
        f"{row['different']:,} different",
        row["example"],
        note=note,
        is_problem=bool(note),
    )
    if not note and not _has_index(graph, names.label, names.id):
        yield _line(
            section,
            "id",
            names.id,
            "no index",
            note=f"each look-up reads all {row['nodes']:,}; to make one: CREATE INDEX FOR "
            f"(n:{_bare(names.label)}) ON (n.{_bare(names.id)})",
        )


def _has_index(graph: Graph, label: str, key: str) -> bool:
    return any(
        label in row["labels"] and row["keys"] == [key] for row in graph.read("map_constraints")
    )


def _gid(graph: Graph, section: str, names: UserNames | ProductNames) -> Line | None:
    row = graph.read("map_ids", label=names.label, key="gid")[0]
    if not row["filled"] or has_own_numbers(graph, names.label):
        return None
    return _line(
        section,
        "gid",
        "gid",
        f"{row['filled']:,} nodes",
        row["example"],
        note=f"{names.label} nodes have a property gid that kinfolio did not write and would "
        "overwrite; rename yours in the graph",
        is_problem=True,
    )


def _node_values(
    graph: Graph, section: str, names: UserNames | ProductNames | ReviewNames | CategoryNames
) -> Iterator[Line]:
    keys = _properties(names)
    if section in ("users", "products"):
        keys.pop("id")
    if not keys or names.label is None:
        return
    rows = graph.read("map_node_values", label=names.label, keys=list(keys.values()))
    yield from _values(section, names, keys, {row["key"]: row for row in rows})


def _links(
    graph: Graph,
    section: str,
    names: HoldingNames | TieNames | ReviewNames | CategoryNames | DismissalNames,
    begin: str,
    end: str,
    line: str = "type",
) -> Iterator[Line]:
    kind = getattr(names, line)
    if getattr(names, "direction", "out") == "in":
        begin, end = end, begin
    row = graph.read("map_link_count", type=kind, source=begin, target=end)[0]
    note, is_wrong = "", False
    if not row["fitting"]:
        turned = graph.read("map_link_count", type=kind, source=end, target=begin)[0]["fitting"]
        note = f"no {kind} runs from {begin} to {end}; " + (
            f'{turned:,} run the other way, so set direction = "in" or turn the names'
            if turned
            else f"the graph has {row['total']:,} of that type between other labels"
        )
    elif row["fitting"] < row["total"]:
        more = f"{row['total'] - row['fitting']:,} more run between other labels"
        is_wrong = getattr(names, "exclusive", False)
        note = f"{more}; set exclusive = false" if is_wrong else f"{more} and are not looked at"
    yield _line(
        section,
        line,
        kind,
        f"{row['fitting']:,} from {begin} to {end}",
        note=note,
        is_problem=not row["fitting"] or is_wrong,
    )
    keys = {} if isinstance(names, CategoryNames) else _properties(names)
    if keys and row["fitting"] and line == "type":
        rows = graph.read(
            "map_link_values", type=kind, source=begin, target=end, keys=list(keys.values())
        )
        yield from _values(section, names, keys, {row["key"]: row for row in rows})


def _reviews(graph: Graph, names: ReviewNames, users: str, products: str) -> Iterator[Line]:
    if names.type is not None:
        yield from _links(graph, "reviews", names, users, products)
        return
    assert names.label is not None
    yield _nodes(graph, "reviews", names.label)
    yield from _links(graph, "reviews", names, users, names.label, "wrote")
    yield from _links(graph, "reviews", names, names.label, products, "about")
    yield from _node_values(graph, "reviews", names)


def _values(
    section: str, names: Any, keys: dict[str, str], rows: dict[str, dict[str, Any]]
) -> Iterator[Line]:
    # Any: each section is a record of its own.
    for line, key in keys.items():
        row = rows[key]
        note, is_problem = _judged(line, key, row, names)
        yield _line(
            section,
            line,
            key,
            f"{row['filled']:,} of {row['total']:,}",
            row["least"],
            note=note,
            is_problem=is_problem,
        )


def _judged(line: str, key: str, row: dict[str, Any], names: Any) -> tuple[str, bool]:
    """What is to say of a property's values, and whether that stops everything."""
    if not row["filled"]:
        return f"nothing has a {key}; correct the name or leave the line out", False
    allowed = _TYPES.get(line, ())
    if line == "at":
        allowed = MOMENTS if names.at_unit == "date" else NUMBERS
    odd = [kind for kind in row["types"] if kind not in allowed]
    if odd:
        return (
            f"{key} holds {' and '.join(row['types'])}; {', '.join(allowed)} was expected"
            + (' (at_unit = "date" takes dates)' if line == "at" and odd[0] in MOMENTS else "")
            + (" (at_unit says that it is a date)" if line == "at" and odd[0] in NUMBERS else "")
        ), True
    if line == "at":
        note = _moment_note(key, row["most"], names.at_unit)
        if note:
            return note, True
    if line == "split" and {row["least"], row["most"]} - set(SPLITS):
        return f"{key} holds {row['least']!r}; {', '.join(SPLITS)} was expected", True
    if row["filled"] < _SELDOM * row["total"]:
        return f"{row['total'] - row['filled']:,} of {row['total']:,} have none", False
    return "", False


def _moment_note(key: str, latest: Any, unit: str) -> str:
    if unit == "date":
        text = str(latest)
        year = int(text[:4]) if text[:4].isdecimal() else 0
    else:
        seconds = latest / (1000 if unit == "milliseconds" else 1)
        is_sane = 0 <= seconds < (_LAST_YEAR - 1970) * 31_556_952
        year = datetime.fromtimestamp(seconds, UTC).year if is_sane else 0
    if _FIRST_YEAR <= year < _LAST_YEAR:
        return ""
    other = {"milliseconds": "seconds", "seconds": "milliseconds"}.get(unit)
    cure = f'; is at_unit = "{other}" meant?' if other else "; dates like 2024-01-31 were expected"
    return f"the latest {key} is {latest}, which as {unit} is no plausible time{cure}"


def _threshold(graph: Graph, names: HoldingNames) -> Line:
    row = graph.read("map_counts")[0]
    return _line(
        "holdings",
        "least_rating",
        str(names.least_rating),
        f"{row['holdings']:,} count as held",
        note=""
        if row["holdings"]
        else "no rating is as high; set a lower least_rating or leave it out",
        is_problem=not row["holdings"],
    )


def _taken(graph: Graph) -> Iterator[Line]:
    row = graph.read("map_conflicts")[0]
    if row["versions"]:
        yield _line(
            "kinfolio",
            "label",
            "EmbeddingVersion",
            f"{row['versions']:,} nodes",
            note="the graph uses kinfolio's own label for something else; rename it in the graph",
            is_problem=True,
        )
    if row["recommended"]:
        yield _line(
            "kinfolio",
            "type",
            "RECOMMENDED",
            f"{row['recommended']:,} relationships",
            note="kinfolio did not write these; it leaves them alone, but its own have this type",
        )


def _properties(names: Any) -> dict[str, str]:
    """Lines of a section that name a property, and the property."""
    lines = (*_TYPES, "at")
    return {line: value for line in lines if isinstance(value := getattr(names, line, None), str)}


def _line(
    section: str,
    line: str,
    name: str,
    found: str,
    example: Any = None,
    *,
    note: str = "",
    is_problem: bool = False,
) -> Line:
    level: Level = "problem" if is_problem else "warning" if note else "ok"
    return Line(
        section=section,
        line=line,
        name=name,
        found=found,
        example="" if example is None else _short(example),
        level=level,
        note=note,
    )


def _bare(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else escaped(name)


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _EXAMPLE_SIGNS else text[: _EXAMPLE_SIGNS - 3] + "..."
