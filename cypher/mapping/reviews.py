"""Rewrite of review patterns for a graph in which a review is a relationship."""

from __future__ import annotations

from collections.abc import Callable

from kinfolio.cypher.mapping.draft import Draft
from kinfolio.cypher.mapping.expressions import escape, label_of
from kinfolio.cypher.mapping.names import ABSENT, Mapping, ReviewNames
from kinfolio.cypher.mapping.patterns import Link, Node
from kinfolio.cypher.mapping.standard import untranslatable


def rewrite_reviews(
    draft: Draft, mapping: Mapping, name_map: Callable[[int, set[str]], None]
) -> set[int]:
    """Merge writer, review and product into one relationship; return the rewritten places.

    Args:
        draft: the statement.
        mapping: the names of the graph.
        name_map: renames the keys of the map that opens at a place, by section.
    """
    done: set[int] = set()
    names = mapping.reviews
    if names is None or names.type is None:
        return done
    read = draft.read
    links = [
        link
        for link in read.links
        if {read.words[place] for place in link.types} & {"WROTE", "ABOUT"}
    ]
    while links:
        first, *links = links
        node = read.right(first)
        if not links or links[0].left != node.close:
            done |= {first.first, _halve(draft, mapping, first, names)}
            continue
        second = links.pop(0)
        if first.types == second.types or first.is_out != second.is_out:
            raise untranslatable("a review connects neither its writer nor its product")
        if first.variable is not None or second.variable is not None:
            raise untranslatable("it names the relationship between a review and its end")
        _join(draft, node, range(first.first, second.last + 1), first.is_out, names)
        if node.map is not None:
            name_map(node.map, {"reviews"})
        done |= {first.first, second.first, node.open}
    return done


def _join(draft: Draft, node: Node, places: range, is_out: bool, names: ReviewNames) -> None:
    """Replace both relationships of a review and its node by one relationship."""
    properties = range(node.map, node.close) if node.map is not None else range(0)
    for place in places:
        if place not in properties:
            draft.blank(place)
    points_out = is_out == (names.direction == "out")
    arrow, link = ("-[", "]->") if points_out else ("<-[", "]-")
    variable = draft.variable(node.variable, node.open)
    space = "" if node.map is None else " "
    draft.out[places[0]] = f"{arrow}{variable}:{escape(names.type or ABSENT)}{space}"
    draft.out[places[-1]] = f" WHERE {variable}.{escape(names.text)} IS NOT NULL{link}"


def _halve(draft: Draft, mapping: Mapping, link: Link, names: ReviewNames) -> int:
    """Connect one relationship of a review to the other end; return the place of its node."""
    kind = draft.read.words[link.types[0]]
    if link.is_in == link.is_out or len(link.types) > 1 or link.map is not None:
        raise untranslatable("the end with the review is ambiguous")
    is_right = (kind == "WROTE") == link.is_out
    node = draft.read.right(link) if is_right else draft.read.left(link)
    if node.map is not None or None not in (node.variable, link.variable):
        raise untranslatable("a review without writer or product has more than a name")
    for place in (*range(node.open + 1, node.close), *range(link.open + 1, link.close)):
        draft.blank(place)
    end = label_of(mapping, "products" if kind == "WROTE" else "users")
    draft.out[node.open] = f"(:{end}"
    variable = draft.variable(link.variable or node.variable, link.open)
    draft.out[link.open] = f"[{variable}:{escape(names.type or ABSENT)}"
    draft.out[link.close] = f" WHERE {variable}.{escape(names.text)} IS NOT NULL]"
    if names.direction == "in":
        draft.set_direction(link, "in")
    return node.open
