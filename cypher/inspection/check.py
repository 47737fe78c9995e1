"""Validation of a mapping: the matches of each line in a graph, and problems. Read-only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.inspection.line import Line, line_of, short
from kinfolio.cypher.inspection.readings import low_ratings, unread_values
from kinfolio.cypher.inspection.values import TYPES, check_values
from kinfolio.cypher.mapping.expressions import escape
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
from kinfolio.errors import BadInput, NotReady, quoted


def check_mapping(graph: Graph, mapping: Mapping) -> list[Line]:
    """Return the matches of each line; `graph` may be open with or without the mapping."""
    with Graph(graph.connection, mapping) as mapped:
        return [*_lines(mapped, mapping)]


def prepare(graph: Graph) -> None:
    """Check that the nodes of a graph with a mapping can be numbered.

    Raises:
        BadInput: the ids of users or products are not unique.
        NotReady: a property that kinfolio would write exists already.
    """
    mapping = graph.mapping
    if mapping is None:
        return
    for section, names in (("users", mapping.users), ("products", mapping.products)):
        for line in (*_ids(graph, section, names), *_foreign_gid(graph, section, names)):
            if line.level == "problem":
                kind = NotReady if line.line == "gid" else BadInput
                raise kind(f"the graph cannot be used with this mapping: {line.note}")


def has_own_numbers(graph: Graph, label: str) -> bool:
    """Return whether kinfolio's constraint on the row numbers (gid) of a label exists."""
    return any(row["kind"] == "constraint" for row in _indexes(graph, label, "gid"))


def _indexes(graph: Graph, label: str, key: str) -> list[dict[str, Any]]:
    rows = graph.read("map_constraints")
    return [row for row in rows if label in row["labels"] and row["keys"] == [key]]


def _lines(graph: Graph, mapping: Mapping) -> Iterator[Line]:
    users, products = mapping.users, mapping.products
    for section, names in (("users", users), ("products", products)):
        lines = list(_ids(graph, section, names))
        yield from lines
        if lines[0].level != "problem":
            yield from _foreign_gid(graph, section, names)
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
    yield from unread_values(graph)
    if (line := low_ratings(graph)) is not None:
        yield line
    if mapping.holdings.least_rating is not None:
        yield _least_rating(graph, mapping.holdings)
    yield from _conflicts(graph)


def _nodes(graph: Graph, section: str, label: str) -> Line:
    found = graph.read("map_ids", label=label, key="")[0]["nodes"]
    note = "" if found else f"no node has the label {quoted(label)}"
    return line_of(section, "label", label, f"{found:,} nodes", note=note, is_problem=not found)


def _ids(graph: Graph, section: str, names: UserNames | ProductNames) -> Iterator[Line]:
    yield (first := _nodes(graph, section, names.label))
    if first.level == "problem":
        return
    row = graph.read("map_ids", label=names.label, key=names.id)[0]
    note = _id_problem(names, row)
    found = f"{row['different']:,} different"
    yield line_of(section, "id", names.id, found, row["example"], note=note, is_problem=bool(note))
    if not note and not _indexes(graph, names.label, names.id):
        note = (
            f"each look-up reads all {row['nodes']:,}; to create one: CREATE INDEX FOR "
            f"(n:{_bare(names.label)}) ON (n.{_bare(names.id)})"
        )
        yield line_of(section, "id", names.id, "no index", note=note)


def _id_problem(names: UserNames | ProductNames, row: dict[str, Any]) -> str:
    types = [kind for kind in row["types"] if kind != "NULL"]
    if row["filled"] < row["nodes"]:
        return (
            f"{row['nodes'] - row['filled']:,} of {row['nodes']:,} {names.label} nodes have no "
            f"{names.id}; name a property that all nodes have, or set it"
        )
    if types != ["STRING" if names.id_type == "text" else "INTEGER"]:
        remedy = {"INTEGER": 'set id_type = "integer"', "STRING": 'set id_type = "text"'}
        return (
            f"{names.id} holds {' and '.join(types)} and id_type is {names.id_type!r}; "
            + remedy.get(types[0] if len(types) == 1 else "", "ids are texts or whole numbers")
        )
    if row["different"] < row["filled"]:
        return (
            f"{names.id} is not unique among {names.label} nodes: {short(row['twice'])!r} occurs "
            "on more than one; name a property that is unique"
        )
    return ""


def _foreign_gid(graph: Graph, section: str, names: UserNames | ProductNames) -> Iterator[Line]:
    row = graph.read("map_ids", label=names.label, key="gid")[0]
    if row["filled"] and not has_own_numbers(graph, names.label):
        note = (
            f"{names.label} nodes have a property gid that kinfolio did not write and would "
            "overwrite; rename yours in the graph"
        )
        found = f"{row['filled']:,} nodes"
        yield line_of(section, "gid", "gid", found, row["example"], note=note, is_problem=True)


def _node_values(
    graph: Graph, section: str, names: UserNames | ProductNames | ReviewNames | CategoryNames
) -> Iterator[Line]:
    keys = _properties(names)
    if section in ("users", "products"):
        keys.pop("id")
    if keys and names.label is not None:
        rows = graph.read("map_node_values", label=names.label, keys=list(keys.values()))
        yield from _values(section, names, keys, rows)


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
    note, is_wrong = "", not row["fitting"]
    if is_wrong:
        back = graph.read("map_link_count", type=kind, source=end, target=begin)[0]["fitting"]
        note = f"no {kind} runs from {begin} to {end}; " + (
            f'{back:,} run the other way, so set direction = "in" or exchange the names'
            if back
            else f"the graph has {row['total']:,} of that type between other labels"
        )
    elif row["fitting"] < row["total"]:
        is_wrong = getattr(names, "exclusive", False)
        note = f"{row['total'] - row['fitting']:,} more run between other labels" + (
            "; set exclusive = false" if is_wrong else " and are ignored"
        )
    found = f"{row['fitting']:,} from {begin} to {end}"
    yield line_of(section, line, kind, found, note=note, is_problem=is_wrong)
    keys = {} if isinstance(names, CategoryNames) else _properties(names)
    if keys and row["fitting"] and line == "type":
        rows = graph.read(
            "map_link_values", type=kind, source=begin, target=end, keys=list(keys.values())
        )
        yield from _values(section, names, keys, rows)


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
    section: str, names: Any, keys: dict[str, str], rows: list[dict[str, Any]]
) -> Iterator[Line]:
    # Any: each section has a class.
    for line, key in keys.items():
        of_key = [row for row in rows if row["key"] == key]
        filled = [row for row in of_key if row["type"] != "NULL"]
        note, is_problem = check_values(line, key, of_key, names)
        number = sum(row["number"] for row in filled)
        found = f"{number:,} of {sum(row['number'] for row in of_key):,}"
        example = filled[0]["least"] if filled else None
        yield line_of(section, line, key, found, example, note=note, is_problem=is_problem)


def _least_rating(graph: Graph, names: HoldingNames) -> Line:
    number = graph.read("map_counts")[0]["holdings"]
    note = "" if number else "no rating reaches it; set a lower least_rating or omit it"
    found = f"{number:,} holdings"
    least = str(names.least_rating)
    return line_of("holdings", "least_rating", least, found, note=note, is_problem=not number)


def _conflicts(graph: Graph) -> Iterator[Line]:
    row = graph.read("map_conflicts")[0]
    if row["versions"]:
        note = "kinfolio's own label has another meaning in the graph; rename it there"
        found = f"{row['versions']:,} nodes"
        yield line_of("kinfolio", "label", "EmbeddingVersion", found, note=note, is_problem=True)
    if row["recommended"]:
        note = "kinfolio did not write these and ignores them; its own have the same type"
        found = f"{row['recommended']:,} relationships"
        yield line_of("kinfolio", "type", "RECOMMENDED", found, note=note)


def _properties(names: Any) -> dict[str, str]:
    """Return the properties of a section by line."""
    values = {line: getattr(names, line, None) for line in (*TYPES, "at")}
    return {line: value for line, value in values.items() if isinstance(value, str)}


def _bare(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else escape(name)
