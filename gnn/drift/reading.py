"""The graph as it is now, in arrays: who holds what, and who changed since the training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.fingerprints import product_hashes, sums_of_hashes, user_hashes
from kinfolio.records import Progress
from kinfolio.texts.product_text import joined_text

PAGE_USERS = 10_000
PAGE_PRODUCTS = 5_000
_PARTS = ("name", "kind", "category", "sector", "text")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Present:
    """Users, products and training holdings of the graph."""

    user_ids: list[str]
    is_known: NDArray[np.bool_]
    """Shape (num_users,); whether the user was in the training."""
    has_changed: NDArray[np.bool_]
    """Shape (num_users,); whether the user is new, or has other neighbours than in the training."""
    product_gids: NDArray[np.int64]
    """Shape (num_products,); -1: none."""
    is_seen: NDArray[np.bool_]
    """Shape (num_products,); whether the product was in the training."""
    names: list[str]
    kinds: list[str]
    categories: list[list[str]]
    texts: list[str]
    """As in a snapshot: name, kind, category, sector and text, joined; without the last two where
    no texts were asked for."""
    user: NDArray[np.int64]
    """Shape (num_holdings,); row of the user of each holding."""
    product: NDArray[np.int64]
    """Shape (num_holdings,); row of the product."""

    @property
    def holders(self) -> NDArray[np.int64]:
        """Number of holders of each product."""
        return np.bincount(self.product, minlength=len(self.product_gids)).astype(np.int64)

    @property
    def per_user(self) -> NDArray[np.int64]:
        """Number of holdings of each user."""
        return np.bincount(self.user, minlength=len(self.user_ids)).astype(np.int64)


def read_present(
    graph: Graph, version: dict[str, Any], progress: Progress, *, with_texts: bool
) -> Present:
    """Read the graph as the version in a slot sees it. Any: properties of the version."""
    slot, cut = version["slot"], version.get("cut")
    products = _Columns()
    for page in _pages(
        graph, "drift_products", slot=slot, size=PAGE_PRODUCTS, with_texts=with_texts
    ):
        products.add(page)
        progress("reading products", len(products["ids"]), 0)
    users = _Columns()
    for page in _pages(graph, "drift_users", slot=slot, size=PAGE_USERS, cut=cut):
        users.add(page)
        progress("reading users", len(users["ids"]), 0)
    gids, nodes = products.numbers("gids"), products.numbers("nodes")
    is_listed = products.flags("is_listed")
    counted, user_nodes = users.numbers("counted"), users.numbers("nodes")
    is_known = counted >= 0
    fingerprints = sums_of_hashes(
        users["held"], nodes[is_listed], product_hashes(gids[is_listed])
    ) + sums_of_hashes(
        users["tied"],
        user_nodes[is_known],
        user_hashes(users.numbers("gids")[is_known]),
        own=user_nodes,
    )
    user, product = _pairs(users["held"], nodes)
    # Products without a vector are in no fingerprint.
    holds_unlisted = np.bincount(user[~is_listed[product]], minlength=len(is_known)) > 0
    parts = zip(*(products[part] for part in _PARTS), strict=True)
    return Present(
        user_ids=[str(one) for one in users["ids"]],
        is_known=is_known,
        has_changed=~is_known | (fingerprints != counted) | holds_unlisted,
        product_gids=gids,
        is_seen=is_listed & ~products.flags("is_new"),
        names=[name or str(id) for name, id in zip(products["name"], products["ids"], strict=True)],
        kinds=products["kind"],
        categories=products["categories"],
        texts=[joined_text(part) for part in parts],
        user=user,
        product=product,
    )


class _Columns:
    """Columns of all pages of a statement."""

    def __init__(self) -> None:
        self._lists: dict[str, list[Any]] = {}  # Any: values of a column

    def add(self, page: dict[str, list[Any]]) -> None:
        for name, values in page.items():
            self._lists.setdefault(name, []).extend(values)

    def __getitem__(self, name: str) -> list[Any]:
        return self._lists.get(name, [])

    def numbers(self, name: str) -> NDArray[np.int64]:
        return np.array(self[name], np.int64)

    def flags(self, name: str) -> NDArray[np.bool_]:
        return np.array(self[name], np.bool_)


def _pages(graph: Graph, name: str, *, size: int, **parameters: Any) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = graph.read(name, after=after, size=size, **parameters)[0]
        if page["ids"]:
            yield page
        if len(page["ids"]) < size:
            return
        after = page["ids"][-1]


def _pairs(
    held: list[list[int]], nodes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row of the user and row of the product of each holding, each pair once."""
    rows = np.repeat(np.arange(len(held)), [len(some) for some in held])
    found = np.fromiter(chain.from_iterable(held), np.int64, len(rows))
    if not len(nodes) or not len(found):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(nodes)
    places = order[np.searchsorted(nodes, found, sorter=order).clip(max=len(nodes) - 1)]
    is_product = nodes[places] == found
    pairs = np.unique(rows[is_product] * len(nodes) + places[is_product])
    return pairs // len(nodes), pairs % len(nodes)
