"""What the graph knows of products that a version did not see in its training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Rows
from kinfolio.gnn.publishing.versions import Found
from kinfolio.gnn.recipe import Recipe
from kinfolio.gnn.serving.user_state import read_user_states
from kinfolio.gnn.text.projection import ProductTexts
from kinfolio.records import NO_TIME, Slot
from kinfolio.texts.product_text import joined_text, name_and_rest

USERS_AT_ONCE = 1_000
_PARTS = ("name", "kind", "category", "sector", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product without interactions in the training of a version."""

    id: str
    gid: int
    stored: str | None
    """Fingerprint of what its vector was computed from; None without a vector."""
    countries: tuple[Any, ...]
    """Any: as they are in the graph."""
    has_risk: bool
    name: str
    whole: str
    """Name, kind, category, sector and text, joined."""
    rest: str
    """The same without the name."""
    reviews: tuple[str, ...]
    """Texts of the latest reviews."""
    reviewers: tuple[str, ...]
    known_by: tuple[str, ...]
    """Of text, category, name and reviews, what the version takes."""

    @property
    def fingerprint(self) -> str:
        """Hash of all that the vector depends on, but for the vectors of the reviewers."""
        parts = (self.whole, self.name, self.reviews, sorted(self.reviewers), self.countries)
        return sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]

    @property
    def is_current(self) -> bool:
        """Whether its vector was computed from what is known now."""
        return self.stored == self.fingerprint


def find_new_products(graph: Graph, slot: Slot) -> Rows:
    """Return the rows of `new_products_find`; products without a row number (gid) get one."""
    rows = graph.read("new_products_find", slot=slot)
    if any(row["gid"] is None for row in rows):
        ends = graph.read("export_gid_counts")[0]
        graph.write("export_number_products", first=ends["products_end"])
        rows = graph.read("new_products_find", slot=slot)
    return rows


def read_new_products(graph: Graph, version: Found, recipe: Recipe, rows: Rows) -> list[NewProduct]:
    """Return the new products of `find_new_products` of which the version takes something."""
    most = 0 if recipe.texts is None else recipe.texts.most
    found = graph.read(
        "new_products_reviews",
        gids=[row["gid"] for row in rows],
        cut=version.get("cut"),
        most=most,
        no_time=NO_TIME,
    )
    reviews = {row["gid"]: row for row in found}
    products = (_product(row, reviews.get(row["gid"], {}), recipe) for row in rows)
    return [product for product in products if product.known_by]


def _product(row: dict[str, Any], reviews: dict[str, Any], recipe: Recipe) -> NewProduct:
    whole = joined_text(row[part] for part in _PARTS)
    name, rest = name_and_rest(row["name"] or row["id"], whole)
    texts, users = reviews.get("texts", []), reviews.get("users", [])
    has_reviews = bool(users) and (
        recipe.reviewers > 0 or (recipe.texts is not None and any(map(str.strip, texts)))
    )
    described = recipe.texts is not None
    has_text = any(row[part].strip() for part in ("text", "kind", "sector"))
    has_category = bool(row["category"].strip())
    known = {
        "text": described and has_text,
        "category": described and has_category,
        # A name adds little to a text, and is not told beside it.
        "name": described and bool(row["name"].strip()) and not (has_text or has_category),
        "reviews": has_reviews,
    }
    return NewProduct(
        id=row["id"],
        gid=row["gid"],
        stored=row["inputs"],
        countries=tuple(row["countries"]),
        has_risk=row["has_risk"],
        name=name,
        whole=whole,
        rest=rest,
        reviews=tuple(texts),
        reviewers=tuple(users),
        known_by=tuple(kind for kind, is_known in known.items() if is_known),
    )


def texts_of(products: Sequence[NewProduct]) -> list[str]:
    """Return all texts of some products, each once."""
    texts = (
        text
        for product in products
        for text in (product.whole, product.name, product.rest, *product.reviews)
    )
    return list(dict.fromkeys(text for text in texts if text.strip()))


def text_vectors(
    products: Sequence[NewProduct], vector_of: Mapping[str, NDArray[np.float32]], width: int
) -> ProductTexts:
    """Return the vectors of the texts of some products, by those of single texts."""
    zero = np.zeros(width, np.float32)

    def rows(parts: Iterable[str]) -> NDArray[np.float32]:
        return np.array([vector_of.get(part, zero) for part in parts], np.float32)

    reviews = [
        rows(product.reviews).mean(axis=0) if product.reviews else zero for product in products
    ]
    return ProductTexts(
        reviews=np.array(reviews, np.float32),
        whole=rows(product.whole for product in products),
        name=rows(product.name for product in products),
        rest=rows(product.rest for product in products),
    )


def reviewer_sums(
    graph: Graph, version: Found, products: Sequence[NewProduct], width: int
) -> NDArray[np.float32]:
    """Return the sum of the reviewers' unit vectors: float32, shape (num_products, width).

    Vectors are those with which the users are served now.
    """
    users = sorted({user for product in products for user in product.reviewers})
    vector_of: dict[str, NDArray[np.float64]] = {}
    for first in range(0, len(users), USERS_AT_ONCE):
        some = users[first : first + USERS_AT_ONCE]
        for state in read_user_states(graph, some, version["name"]):
            vector_of[state.user] = np.array(state.query[:width])
    sums = np.zeros((len(products), width))
    for row, product in zip(sums, products, strict=True):
        for user in product.reviewers:
            if user in vector_of:
                row += vector_of[user]
    return sums.astype(np.float32)
