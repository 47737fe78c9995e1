"""Hash of a version's vectors, messages and links, the same from the model as from the graph.

Sums of hashes per node, so that the order of the nodes does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.publishing.stored_rows import with_bias

_MODULUS = 2**64


class ContentHash:
    """Sum of the hashes of the nodes added so far, from a hash of others on."""

    def __init__(self, start: str = "0") -> None:
        self.nodes = 0
        self._total = int(start, 16)

    def add(self, gid: int, parts: Iterable[ArrayLike | None]) -> None:
        """Add a node; a part that is not stored is None."""
        self._total = (self._total + _hash_of(gid, parts)) % _MODULUS
        self.nodes += 1

    def remove(self, gid: int, parts: Iterable[ArrayLike | None]) -> None:
        """Remove a node that was added."""
        self._total = (self._total - _hash_of(gid, parts)) % _MODULUS
        self.nodes -= 1

    def hex(self) -> str:
        """The hash in hexadecimal digits."""
        return f"{self._total:016x}"


def _hash_of(gid: int, parts: Iterable[ArrayLike | None]) -> int:
    node = blake2b(int(gid).to_bytes(8, "little", signed=True), digest_size=8)
    for part in parts:
        numbers = b"" if part is None else np.asarray(part, "<f8").tobytes()
        node.update(len(numbers).to_bytes(8, "little") + numbers)
    return int.from_bytes(node.digest(), "little")


def hash_of_products(
    embeddings: Embeddings, vectors: NDArray[np.float32], is_present: NDArray[np.bool_]
) -> str:
    """Return the hash of the stored products; `vectors` are the rows of `product_rows`."""
    content = ContentHash()
    offsets, targets = embeddings.link_offsets, embeddings.link_products
    for place in np.flatnonzero(is_present):
        linked = np.arange(offsets[place], offsets[place + 1])
        linked = linked[is_present[targets[linked]]]
        has_links = len(linked) > 0
        content.add(
            embeddings.product_gids[place],
            [
                vectors[place],
                _stored(embeddings.product_messages[place]),
                embeddings.product_gids[targets[linked]] if has_links else None,
                embeddings.link_weights[linked] if has_links else None,
            ],
        )
    return content.hex()


def hash_of_users(embeddings: Embeddings, is_present: NDArray[np.bool_]) -> str:
    """Return the hash of the stored users."""
    content = ContentHash()
    vectors = with_bias(embeddings.user_vectors)
    for place in np.flatnonzero(is_present):
        parts: Sequence[NDArray[np.float32] | None] = (
            vectors[place] if embeddings.user_vectors[place].any() else None,
            _stored(embeddings.user_messages[place]),
            _stored(embeddings.user_own[place]),
        )
        content.add(embeddings.user_gids[place], parts)
    return content.hex()


def _stored(numbers: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Zeros are not stored."""
    return numbers if numbers.any() else None
