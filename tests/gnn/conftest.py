"""A random world with random embeddings.

Users' vectors are independent of the messages: a score depends on which of the two was used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.inspection.guess import guess
from kinfolio.cypher.inspection.inventory import inspect
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.fingerprints import fingerprints
from kinfolio.records import NO_TIME, Connection, Edges, Snapshot
from tests.conftest import RunCypher, drop_constraints
from tests.cypher.inspection.movies import make_movies
from tests.gnn.snapshots import no_reviews, random_links
from tests.worlds import store_graph

HEADS, DIM = 2, 8
LANDS = ("FR", "DE", "ES")


@dataclass
class World:
    """Users, products and the edges between them."""

    users: list[dict[str, Any]]
    products: list[dict[str, Any]]
    holds: list[tuple[int, int, str]]
    ties: list[tuple[int, int, str]]
    dismissed: list[tuple[int, int]]
    reviews: list[tuple[int, int, str]] = field(default_factory=list)

    def store(self, run_cypher: Callable[..., Any]) -> None:
        """Store the world in an empty graph."""
        store_graph(
            run_cypher,
            users=self.users,
            products=self.products,
            holds=[
                {"u": user, "p": product, "split": split} for user, product, split in self.holds
            ],
            ties=[{"u": user, "v": other, "split": split} for user, other, split in self.ties],
            dismissed=[{"u": user, "p": product} for user, product in self.dismissed],
            reviews=[
                {"u": user, "p": product, "split": split} for user, product, split in self.reviews
            ],
        )

    def snapshot(self) -> Snapshot:
        """The snapshot that an export would return."""
        return Snapshot(
            user_ids=tuple(user["id"] for user in self.users),
            product_ids=tuple(product["id"] for product in self.products),
            user_gids=np.array([user["gid"] for user in self.users]),
            product_gids=np.array([product["gid"] for product in self.products]),
            product_names=tuple(product.get("name", "") for product in self.products),
            product_texts=("",) * len(self.products),
            holdings=_edges(self.holds),
            ties=_edges(self.ties),
            reviews=no_reviews(),
            cut=NO_TIME,
            hash="synthetic",
        )

    def embeddings(self, seed: int = 0, dim: int = DIM) -> Embeddings:
        """Random embeddings; every fifth user has no text, user 5 no vector."""
        rng = np.random.default_rng(seed)
        snapshot = self.snapshot()

        def draw(rows: int) -> NDArray[np.float32]:
            return rng.normal(size=(rows, HEADS * dim)).astype(np.float32)

        own = draw(snapshot.num_users)
        own[::5] = 0
        user_vectors = unit_blocks(draw(snapshot.num_users))
        user_vectors[5] = 0
        return Embeddings(
            heads=HEADS,
            dim=dim,
            user_gids=snapshot.user_gids,
            product_gids=snapshot.product_gids,
            user_ids=snapshot.user_ids,
            product_ids=snapshot.product_ids,
            user_fingerprints=fingerprints(snapshot),
            user_vectors=user_vectors,
            product_vectors=(unit_blocks(draw(snapshot.num_products)) / 0.15).astype(np.float32),
            bias=rng.normal(size=snapshot.num_products).astype(np.float32),
            global_user=draw(1)[0],
            tie_weight=0.3,
            user_own=own,
            user_messages=draw(snapshot.num_users),
            product_messages=draw(snapshot.num_products),
            **random_links(snapshot.num_products, rng),
            model="random",
            metrics='{"valid": {"recall@20": 0.5}}',
            snapshot=snapshot.hash,
            cut=snapshot.cut,
        )


def random_world(seed: int, num_users: int, num_products: int) -> World:
    """Every rule excludes some products; some ids have quotes and emoji."""
    rng = np.random.default_rng(seed)
    odd = {0: 'it\'s "0"', 1: "🦊 u/1", 2: "u\\2"}

    def maybe(share: float, **properties: Any) -> dict[str, Any]:
        return properties if rng.random() < share else {}

    users = [
        {"id": odd.get(i, f"u{i:02}"), "gid": i}
        | maybe(0.85, risk_tolerance=int(rng.integers(1, 6)))
        | maybe(0.85, country=str(rng.choice(LANDS)))
        for i in range(num_users)
    ]
    products = [
        {"id": odd.get(i, f"p{i:02}").replace("u", "p"), "gid": i, "name": f"Fund {i}"}
        | maybe(0.6, risk=int(rng.integers(1, 6)))
        | maybe(0.5, open=bool(rng.random() < 0.7))
        | {"kind": ("Savings", "loan", "fund")[i % 3]}
        | maybe(0.4, countries=[str(x) for x in rng.choice(LANDS, rng.integers(1, 3), False)])
        for i in range(num_products)
    ]
    splits = ("train", "train", "train", "valid", "test")
    pairs = {(int(u), int(p)) for u, p in rng.integers(0, (num_users, num_products), (300, 2))}
    tied = {(int(u), int(v)) for u, v in rng.integers(0, num_users, (150, 2))}
    return World(
        users=users,
        products=products,
        holds=[(u, p, str(rng.choice(splits))) for u, p in sorted(pairs)],
        ties=[(u, v, str(rng.choice(splits))) for u, v in sorted(tied)],
        dismissed=[(u, int(rng.integers(num_products))) for u in range(0, num_users, 3)],
    )


def _edges(rows: list[tuple[int, int, str]]) -> Edges:
    names = ("train", "valid", "test")
    return Edges(
        source=np.array([row[0] for row in rows], np.int32),
        target=np.array([row[1] for row in rows], np.int32),
        split=np.array([names.index(row[2]) for row in rows], np.int8),
        at=np.full(len(rows), NO_TIME),
        rating=np.full(len(rows), np.nan, np.float32),
    )


def unit_blocks(vectors: NDArray[Any], heads: int = HEADS) -> NDArray[Any]:
    """Scale each head's block to length 1; zeros stay zero."""
    blocks = vectors.reshape(len(vectors), heads, -1)
    norms = np.linalg.norm(blocks, axis=2, keepdims=True)
    out = np.divide(blocks, norms, out=np.zeros_like(blocks), where=norms > 0)
    joined: NDArray[Any] = out.reshape(len(vectors), -1)
    return joined


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """`make_world(seed, num_users, num_products)`: a world that is not in the graph yet."""
    return random_world


@pytest.fixture(scope="session")
def as_unit_blocks() -> Callable[..., NDArray[Any]]:
    """`as_unit_blocks(vectors)`: scales each head's block to length 1."""
    return unit_blocks


@pytest.fixture
def movies(server: Connection, graph: Graph, run_cypher: RunCypher) -> Iterator[Graph]:
    """A generated graph of films, opened with the mapping that is guessed."""
    drop_constraints(run_cypher)
    make_movies(run_cypher)
    with Graph(server, guess(graph, inspect(graph))) as mapped:
        yield mapped
