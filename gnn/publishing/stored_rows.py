"""The properties stored on each user and product, in batches for fast writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.vectors import pack_rows, rows_at_once
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.publishing.slots import NodeKind
from kinfolio.gnn.recipe import from_bytes
from kinfolio.records import Slot

BATCH_NUMBERS = 2_000_000
"""Numbers in one transaction: about 15,000 users of 64."""
LINKED_AT_ONCE = 5_000
"""Products with links in one transaction."""
LINKS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Nodes of one kind with the same properties, for one transaction."""

    kind: NodeKind
    size: int
    parameters: dict[str, Any]
    """Any: parameters of `write_back_users` or `write_back_products`."""


def product_rows(embeddings: Embeddings) -> NDArray[np.float32]:
    """Return vector, bias and padding of each product: float32, (num_products, heads * dim + 2).

    The padding gives all rows the same length, so that a cosine index ranks by score. It leaves
    room for products that come later.
    """
    scored = np.column_stack([embeddings.product_vectors, embeddings.bias]).astype(np.float64)
    squares = (scored**2).sum(axis=1)
    later = from_bytes(embeddings.recipe.tobytes()).square if len(embeddings.recipe) else 0.0
    longest = max(float(squares.max(initial=0.0)), later, 1.0)
    return np.column_stack([scored, np.sqrt(longest - squares)]).astype(np.float32)


def recipe_properties(embeddings: Embeddings) -> dict[str, Any]:
    """Return the properties of the version that hold the recipe for products that come later."""
    content = embeddings.recipe.tobytes()
    if not content:
        return {}
    return {"recipe": content, "hash_recipe": sha256(content).hexdigest()}


def reference_properties(embeddings: Embeddings) -> dict[str, Any]:
    """Return the property of the version that holds the distributions of its training."""
    content = embeddings.reference.tobytes()
    return {"reference": content} if content else {}


def row_length(products: NDArray[np.float32]) -> float:
    """Return the common length of the rows of `product_rows`."""
    return float(np.linalg.norm(products[:1].astype(np.float64)))


def with_bias(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Append 1 for the bias and 0 for the padding to users' vectors."""
    ends = np.tile(np.array([1.0, 0.0], np.float32), (len(vectors), 1))
    return np.hstack([vectors, ends]).astype(np.float32)


def product_batches(
    embeddings: Embeddings,
    products: NDArray[np.float32],
    is_product: NDArray[np.bool_],
    markets: Sequence[str],
    slot: Slot,
    *,
    as_vectors: bool,
) -> Iterator[Batch]:
    """Yield the products that are in the graph.

    `products` are the rows of `product_rows`; `as_vectors`: the server accepts vectors as
    parameters.
    """
    key = f"embedding_{slot}"
    return _batches(
        "products",
        {key: products, f"message_{slot}": embeddings.product_messages},
        {"gids": embeddings.product_gids, "ids": embeddings.product_ids, "markets": markets},
        np.flatnonzero(is_product),
        always=key,
        as_vectors=as_vectors,
    )


def link_batches(embeddings: Embeddings, is_product: NDArray[np.bool_]) -> Iterator[Batch]:
    """Yield the links of which both ends are in the graph."""
    source = np.repeat(np.arange(len(is_product)), np.diff(embeddings.link_offsets))
    is_used = is_product[source] & is_product[embeddings.link_products]
    source, weights = source[is_used], embeddings.link_weights[is_used]
    targets = embeddings.product_gids[embeddings.link_products[is_used]]
    linked = np.unique(source)
    for first in range(0, len(linked), LINKED_AT_ONCE):
        places = linked[first : first + LINKED_AT_ONCE]
        here = slice(
            np.searchsorted(source, places[0]), np.searchsorted(source, places[-1], side="right")
        )
        starts = np.searchsorted(source[here], places).tolist()
        yield Batch(
            kind="products",
            size=len(places),
            parameters={
                "targets": _pieces(targets[here]),
                "weights": _pieces(weights[here].astype(np.float64)),
                "at_once": LINKS_AT_ONCE,
                "starts": [*starts, here.stop - here.start],
                "gids": embeddings.product_gids[places].tolist(),
                "ids": [embeddings.product_ids[place] for place in places],
            },
        )


def _pieces(numbers: NDArray[np.generic]) -> list[list[Any]]:
    """Split into short lists: access into a long list takes the server linear time."""
    size = LINKS_AT_ONCE
    return [numbers[first : first + size].tolist() for first in range(0, len(numbers), size)]


def user_batches(
    embeddings: Embeddings, is_user: NDArray[np.bool_], slot: Slot, *, as_vectors: bool
) -> Iterator[Batch]:
    """Yield the users to store; see `product_batches`."""
    vectors = with_bias(embeddings.user_vectors)
    vectors[~embeddings.user_vectors.any(axis=1)] = 0
    return _batches(
        "users",
        {
            f"embedding_{slot}": vectors,
            f"message_{slot}": embeddings.user_messages,
            f"own_{slot}": embeddings.user_own,
        },
        {
            "gids": embeddings.user_gids,
            "ids": embeddings.user_ids,
            "counted": embeddings.user_fingerprints,
        },
        np.flatnonzero(is_user),
        as_vectors=as_vectors,
    )


def _batches(
    kind: NodeKind,
    parts: dict[str, NDArray[np.float32]],
    columns: dict[str, Sequence[Any] | NDArray[np.int64]],
    places: NDArray[np.int64],
    *,
    always: str = "",
    as_vectors: bool,
) -> Iterator[Batch]:
    """Group nodes by their non-zero vectors: zeros are not stored, except those of `always`."""
    values = {name: np.array(column, dtype=object) for name, column in columns.items()}
    has = np.column_stack(
        [(name == always) | matrix[places].any(axis=1) for name, matrix in parts.items()]
    )
    for pattern in np.unique(has, axis=0):
        names = [name for name, is_there in zip(parts, pattern, strict=True) if is_there]
        same = places[(has == pattern).all(axis=1)]
        stops = np.cumsum([parts[name].shape[1] for name in names], dtype=int).tolist()
        ranges = list(zip(names, [0, *stops], stops, strict=False))
        # A node without vectors still needs a row, of one unused number.
        width = stops[-1] if stops else 1
        size = max(1, BATCH_NUMBERS // width)
        for first in range(0, len(same), size):
            chosen = same[first : first + size]
            rows = np.zeros((len(chosen), width), np.float32)
            for name, start, stop in ranges:
                rows[:, start:stop] = parts[name][chosen]
            yield Batch(
                kind=kind,
                size=len(chosen),
                parameters={
                    "pieces": pack_rows(rows, as_vectors=as_vectors),
                    "at_once": rows_at_once(width),
                    "width": width,
                    "parts": [
                        {"key": name, "start": start, "stop": stop} for name, start, stop in ranges
                    ],
                    "without": {name: None for name in parts if name not in names},
                    **{name: column[chosen].tolist() for name, column in values.items()},
                },
            )
