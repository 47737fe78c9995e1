"""Store new products in the slot of a version: vectors, hash and counts in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.gnn.markets import markets_of
from kinfolio.gnn.new_products.embedding import NewVectors
from kinfolio.gnn.new_products.inputs import NewProduct
from kinfolio.gnn.publishing.content_hash import ContentHash
from kinfolio.gnn.publishing.versions import Found

_STORED = ("vector", "message", "targets", "weights")


def store_new_products(
    graph: Graph, version: Found, products: Sequence[NewProduct], found: NewVectors
) -> bool:
    """Store the products; return False if the version was replaced meanwhile.

    The version's hash, counts and markets change in the same transaction, so that at any time the
    checks of the version hold. A product that the training saw is left alone.
    """
    where = {"version": version["name"], "into": version["slot"]}

    def work(tx: Reads) -> bool:
        locked = tx.read("new_products_lock", **where)
        if not locked:
            return False
        gids = [product.gid for product in products]
        before = tx.read("new_products_stored", slot=version["slot"], gids=gids)
        seen = {row["gid"] for row in before if not row["is_new"]}
        chosen = [place for place, gid in enumerate(gids) if gid not in seen]
        rows = product_rows(found, locked[0]["length"])
        stored = _Stored(version["slot"], [products[place] for place in chosen])
        tx.read("new_products_store", slot=version["slot"], rows=stored.rows(rows, found, chosen))
        after = tx.read(
            "new_products_stored", slot=version["slot"], gids=[gids[place] for place in chosen]
        )
        before = [row for row in before if row["is_new"]]
        properties = _changes(locked[0], before, after) | stored.properties(locked[0])
        tx.read("new_products_describe", properties=properties, **where)
        return True

    return graph.write_in_one("new_products_store", work)


def product_rows(found: NewVectors, length: float) -> NDArray[np.float32]:
    """Return vector, bias and padding of each product, as long as the version's other rows.

    A vector that would be longer, of a product with very many reviewers, is shortened.
    """
    vectors, bias = found.vectors.astype(np.float64), found.bias.astype(np.float64)
    room = np.sqrt(np.maximum(length**2 - bias**2, 0.0))
    lengths = np.linalg.norm(vectors, axis=1)
    scale = np.minimum(1.0, np.divide(room, lengths, out=np.ones_like(room), where=lengths > 0))
    vectors *= scale[:, None]
    squares = (vectors**2).sum(axis=1) + bias**2
    padding = np.sqrt(np.maximum(length**2 - squares, 0.0))
    return np.column_stack([vectors, bias, padding]).astype(np.float32)


class _Stored:
    """The rows that are stored of some products."""

    def __init__(self, slot: str, products: Sequence[NewProduct]) -> None:
        self._slot = slot
        self._products = products
        self._markets = markets_of([product.countries for product in products])

    def rows(
        self, vectors: NDArray[np.float32], found: NewVectors, chosen: Sequence[int]
    ) -> list[dict[str, Any]]:
        """Return the parameters of `new_products_store`."""
        return [
            {
                "gid": product.gid,
                "id": product.id,
                "market": market,
                "known_by": list(product.known_by),
                "inputs": product.fingerprint,
                "parts": self._parts(vectors[place], found.messages[place]),
            }
            for product, market, place in zip(self._products, self._markets, chosen, strict=True)
        ]

    def _parts(
        self, vector: NDArray[np.float32], message: NDArray[np.float32]
    ) -> list[dict[str, Any]]:
        parts = [{"key": f"embedding_{self._slot}", "numbers": vector.tolist()}]
        if message.any():
            parts.append({"key": f"message_{self._slot}", "numbers": message.tolist()})
        return parts

    def properties(self, locked: dict[str, Any]) -> dict[str, Any]:
        """Return what the rules inside the index search read of the version."""
        has_risk = bool(locked["has_risk"]) or any(product.has_risk for product in self._products)
        return {
            "markets": sorted({*(locked["markets"] or ()), *self._markets}),
            "has_risk": has_risk,
        }


def _changes(
    locked: dict[str, Any], before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return hash and counts of the version with `after` in place of `before`."""
    changes: dict[str, Any] = {"products": locked["products"] + len(after) - len(before)}
    if locked["product_messages"] is not None:
        sent = sum(row["message"] is not None for row in after)
        replaced = sum(row["message"] is not None for row in before)
        changes["product_messages"] = locked["product_messages"] + sent - replaced
    if locked["hash_products"] is not None:
        content = ContentHash(locked["hash_products"])
        for row in before:
            content.remove(row["gid"], [row[part] for part in _STORED])
        for row in after:
            content.add(row["gid"], [row[part] for part in _STORED])
        changes["hash_products"] = content.hex()
    return changes
