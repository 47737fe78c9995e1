"""At most so many products of each kind or category in a list.

The list is the greedy one down the ranking of `recommend`: a product is left out if a group of its
own is full of better ones. A product without a kind (or category) is never left out; one in several
categories is left out if one of them is full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig
from kinfolio.gnn.serving.recommend import MAX_K, check_k, read_list, warn_about
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.search import Found, Warn, ranked
from kinfolio.gnn.serving.user_state import read_user_state
from kinfolio.records import Recommendations, Recommended

Per = Literal["kind", "category"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCaps:
    """At most `at_most` products of each kind or category in a list."""

    at_most: int
    per: Per = "kind"

    def __post_init__(self) -> None:
        if not 1 <= self.at_most <= MAX_K:
            raise BadConfig(
                f"--at-most is {self.at_most}; give a number of products from 1 to {MAX_K:,}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Recommended):
    """A product that the cap left out; `rank` is that without the cap."""

    reason: str
    """Like "2 of kind bond are in the list already"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Recommended):
    """A product of the list that has another rank without the cap."""

    rank_without: int
    is_added: bool
    """Whether it is in the list only because others were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CappedRecommendations(Recommendations):
    """Recommendations under a cap, and what it changed."""

    at_most: int
    per: Per
    left_out: tuple[LeftOut, ...]
    """Better products than the last one of the list."""
    moved: tuple[Moved, ...]


def recommend_capped(
    graph: Graph,
    user_id: str,
    k: int,
    caps: ListCaps,
    *,
    rules: Sequence[Rule] = (),
    warn: Warn | None = None,
) -> CappedRecommendations:
    """Return the user's best list under the cap; see `recommend` for rules, warnings and errors."""
    check_k(k)
    state = read_user_state(graph, user_id)
    conditions = conditions_of(rules)
    n = min(2 * k, MAX_K)
    rows, search = read_list(graph, state, n, conditions, warn)
    kept, left_out = cut_rows(graph, rows, caps, k)
    while len(kept) < k and len(rows) == n:
        n *= 4
        rows, search = read_list(graph, state, n, conditions)
        kept, left_out = cut_rows(graph, rows, caps, k)
    listed = ranked([rows[place] for place in kept])
    if warn is not None:
        warn_about(graph, state, listed, k, conditions, warn)
    return CappedRecommendations(
        user=state.user,
        version=state.version,
        search=None if state.source == "popularity" else search,
        source=state.source,
        split=state.split,
        products=listed,
        at_most=caps.at_most,
        per=caps.per,
        left_out=tuple(
            LeftOut(
                rank=place + 1,
                product=rows[place]["product"],
                name=rows[place]["name"],
                score=rows[place]["score"],
                reason=reason,
            )
            for place, reason in left_out
        ),
        moved=tuple(
            Moved(
                rank=one.rank,
                product=one.product,
                name=one.name,
                score=one.score,
                rank_without=place + 1,
                is_added=place >= k,
            )
            for one, place in zip(listed, kept, strict=True)
            if one.rank != place + 1
        ),
    )


def read_groups(graph: Graph, product_ids: Sequence[str], per: Per) -> dict[str, list[str]]:
    """Return the kinds or categories of each product."""
    found = graph.read("caps_groups", product_ids=product_ids)
    if per == "category":
        return {row["product"]: [name for name in row["categories"] if name] for row in found}
    return {row["product"]: [row["kind"]] if row["kind"] else [] for row in found}


def cut(
    groups: Sequence[Sequence[str]], caps: ListCaps, k: int
) -> tuple[list[int], list[tuple[int, str]]]:
    """Return the places of the k best under the cap, and the better ones left out, with reasons.

    `groups` are those of ranked products, best first; places count from 0.
    """
    number: Counter[str] = Counter()
    kept: list[int] = []
    left_out: list[tuple[int, str]] = []
    for place, names in enumerate(groups):
        if len(kept) == k:
            break
        full = [name for name in names if number[name] >= caps.at_most]
        if full:
            verb = "is" if caps.at_most == 1 else "are"
            left_out.append(
                (place, f"{caps.at_most} of {caps.per} {full[0]} {verb} in the list already")
            )
            continue
        number.update(names)
        kept.append(place)
    return kept, left_out


def cut_rows(
    graph: Graph, rows: Found, caps: ListCaps, k: int
) -> tuple[list[int], list[tuple[int, str]]]:
    """Like `cut`, for rows of products, whose groups are read."""
    groups = read_groups(graph, [row["product"] for row in rows], caps.per)
    return cut([groups.get(row["product"], []) for row in rows], caps, k)
