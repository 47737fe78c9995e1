"""Fill one slot of the graph: vectors, links and index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.vectors import accepts_vectors
from kinfolio.errors import ServerError
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.markets import markets_of
from kinfolio.gnn.publishing.content_hash import hash_of_products, hash_of_users
from kinfolio.gnn.publishing.slot_index import (
    IndexQuality,
    await_index,
    drop_unfit_index,
    make_index,
)
from kinfolio.gnn.publishing.slots import Writer, check_ownership, clear
from kinfolio.gnn.publishing.stored_rows import (
    Batch,
    link_batches,
    product_batches,
    recipe_properties,
    reference_properties,
    row_length,
    user_batches,
)
from kinfolio.records import Progress

_STORED = (
    *("products", "product_messages", "user_messages", "linked"),
    *("open_share", "has_risk", "risk_levels"),
)
"""Columns of `write_back_counts` that the version keeps under the same name."""
_STORE = {
    "users": ("write_back_users", "write_back_users_lists"),
    "products": ("write_back_products", "write_back_products_lists"),
}


@dataclass(frozen=True, slots=True)
class Nodes:
    """The embeddings' nodes of one kind, compared with the graph."""

    stale: list[int]
    """Gids of other nodes that still have vectors in the slot."""
    is_present: NDArray[np.bool_]
    """Shape (num_nodes,); whether the node is in the graph."""
    countries: list[list[Any]]
    """Of each node."""

    @property
    def count(self) -> int:
        """Number of nodes that are in the graph."""
        return int(self.is_present.sum())


@dataclass
class SlotFilling:
    """Write access to one slot while a version is stored in it."""

    graph: Graph
    writer: Writer
    embeddings: Embeddings
    vectors: NDArray[np.float32]
    """Rows of `product_rows`."""
    products: Nodes
    users: Nodes
    progress: Progress

    def __post_init__(self) -> None:
        self._markets = markets_of(self.products.countries)
        self._as_vectors = accepts_vectors(self.graph)
        self._num_written = 0

    def write(self) -> int:
        """Clear and fill the slot; return the number of products with links."""
        graph, writer, embeddings = self.graph, self.writer, self.embeddings
        drop_unfit_index(graph, writer.slot, self.vectors.shape[1])
        clear(graph, writer, "products", self.products.stale)
        clear(graph, writer, "users", self.users.stale)
        self._write_batches(
            product_batches(
                embeddings,
                self.vectors,
                self.products.is_present,
                self._markets,
                writer.slot,
                as_vectors=self._as_vectors,
            )
        )
        # The server fills the index on one core while the rest is written on the other.
        make_index(graph, writer.slot, self.vectors.shape[1])
        num_linked = 0
        for batch in link_batches(embeddings, self.products.is_present):
            self.progress("writing links", 0, 0)
            self._write_batch("write_back_similar", batch)
            num_linked += batch.size
        self._write_batches(
            user_batches(
                embeddings, self.users.is_present, writer.slot, as_vectors=self._as_vectors
            )
        )
        await_index(
            graph,
            writer.slot,
            self.products.count,
            self.progress,
            beat=lambda: check_ownership(graph, writer),
        )
        return num_linked

    def count(self, num_linked: int) -> dict[str, Any]:  # Any: columns of a statement
        """Return the contents of the slot.

        Raises:
            ServerError: they differ from the sent ones; users or products were changed meanwhile.
        """
        slot = self.writer.slot
        stored = self.graph.read("write_back_counts", slot=slot)[0]
        sent = {
            "products": ("products", self.products.count),
            "products with links": ("linked", num_linked),
            "users": ("users", self.users.count),
        }
        for kind, (column, number) in sent.items():
            if stored[column] != number:
                raise ServerError(
                    f"{number:,} {kind} were sent and {stored[column]:,} are in slot {slot}: the "
                    "graph was changed meanwhile; type: kinfolio writeback"
                )
        return stored

    def describe(self, stored: dict[str, Any], quality: IndexQuality) -> None:
        """Store the properties that serving and later checks read on the version."""
        present = zip(self._markets, self.products.is_present, strict=True)
        self.progress("computing the hash of the content", 0, 0)
        properties = {
            "users": int(stored["with_vector"]),
            "known_users": stored["users"],
            **{name: stored[name] for name in _STORED},
            "length": row_length(self.vectors),
            "index_recall": quality.recall,
            "fetch": quality.fetch,
            "markets": sorted({market for market, is_present in present if is_present}),
            "hash_products": hash_of_products(
                self.embeddings, self.vectors, self.products.is_present
            ),
            "hash_users": hash_of_users(self.embeddings, self.users.is_present),
            **recipe_properties(self.embeddings),
            **reference_properties(self.embeddings),
        }
        self._write_version("write_back_describe", properties=properties)

    def mark_ready(self) -> None:
        """Release the slot; its version can then be activated."""
        self._write_version("write_back_ready")

    def _write_version(self, name: str, **parameters: Any) -> None:
        if not self.graph.write(name, writer=self.writer.token, **parameters):
            raise self.writer.lost()

    def _write_batches(self, batches: Iterator[Batch]) -> None:
        step = f"writing into slot {self.writer.slot}"
        total = self.products.count + self.users.count
        self.progress(step, self._num_written, total)
        for batch in batches:
            name, name_with_lists = _STORE[batch.kind]
            self._write_batch(name if self._as_vectors else name_with_lists, batch)
            self._num_written += batch.size
            self.progress(step, self._num_written, total)

    def _write_batch(self, name: str, batch: Batch) -> None:
        writer = self.writer
        rows = self.graph.write(name, slot=writer.slot, writer=writer.token, **batch.parameters)
        if rows[0]["written"] == 0:
            check_ownership(self.graph, writer)
