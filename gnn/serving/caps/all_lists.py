"""The lists of all users under a cap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.caps.caps import ListCaps, cut, read_groups
from kinfolio.gnn.serving.catalogue import Line
from kinfolio.gnn.serving.recommend_all import AllLists
from kinfolio.gnn.serving.rules import Rule
from kinfolio.gnn.serving.search import Warn


def all_lists(
    graph: Graph,
    k: int,
    caps: ListCaps | None,
    *,
    rules: Sequence[Rule] = (),
    warn: Warn | None = None,
) -> AllLists:
    """Return the lists of all users, under the cap if there is one.

    Raises:
        BadConfig: k is out of range.
    """
    optional: dict[str, Any] = {}  # Any: fields of `AllLists`
    if caps is not None:
        optional["shorten"] = _Cutter(graph, caps)
    if warn is not None:
        optional["warn"] = warn
    return AllLists(graph=graph, k=k, rules=rules, **optional)


class _Cutter:
    """Shortens lists; reads the groups of each product once."""

    def __init__(self, graph: Graph, caps: ListCaps) -> None:
        self._graph = graph
        self._caps = caps
        self._groups: dict[str, list[str]] = {}

    def __call__(self, lists: list[list[Line]], k: int) -> list[list[Line]]:
        """Return the k best of each list under the cap; see `cut`."""
        self._read({product for line in lists for product, _ in line})
        return [self._shortened(line, k) for line in lists]

    def _shortened(self, line: list[Line], k: int) -> list[Line]:
        kept, _ = cut([self._groups[product] for product, _ in line], self._caps, k)
        return [line[place] for place in kept]

    def _read(self, products: Iterable[str]) -> None:
        new = sorted(set(products) - self._groups.keys())
        if new:
            # A product removed meanwhile has no row.
            found = read_groups(self._graph, new, self._caps.per)
            self._groups |= {product: found.get(product, []) for product in new}
