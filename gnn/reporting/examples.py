"""Example lists of a report: holdings and lists of some users, with the main reason for each line.

A score is linear in the messages of a user's neighbours, so that each holding, each tie, the user's
own text and popularity have an exact contribution to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.evaluation.baselines import training_ties
from kinfolio.gnn.evaluation.recommender import EmbeddingModel, link_matrix
from kinfolio.gnn.ranking import top_k
from kinfolio.records import Snapshot

_NUM_USERS, _LENGTH = 3, 5
_MIN_HOLDINGS = 3


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """One recommended product."""

    product: str
    is_hit: bool
    """Whether the user holds it in the evaluated split."""
    reason: str | None
    """The piece other than popularity that contributes most; None if none is positive."""
    share: float
    """Of the reason in the summed sizes of all contributions."""
    popularity_share: float


@dataclass(frozen=True, slots=True)
class Example:
    """One user's list; the user is not named."""

    num_holdings: int
    holdings: tuple[str, ...]
    """Names of some of them."""
    lines: tuple[ExampleLine, ...]


@dataclass(frozen=True, slots=True)
class Contributions:
    """Contributions to a user's scores, piece by piece."""

    names: tuple[str, ...]
    values: NDArray[np.float64]
    """Shape (num_pieces, num_products)."""


def examples(
    snapshot: Snapshot, embeddings: Embeddings, interactions: csr_array, held_out: csr_array
) -> list[Example]:
    """Return the lists of three users, evenly spaced among those with enough data."""
    has_data = (np.diff(interactions.indptr) >= _MIN_HOLDINGS) & (np.diff(held_out.indptr) > 0)
    users = np.flatnonzero(has_data)
    if not len(users):
        return []
    users = users[np.unique(np.linspace(0, len(users) - 1, _NUM_USERS + 2).astype(int)[1:-1])]
    model = EmbeddingModel(embeddings).fit(interactions)
    lists = top_k(model.score, users, interactions, _LENGTH)
    return [
        _example(int(user), products[products >= 0], snapshot, embeddings, interactions, held_out)
        for user, products in zip(users, lists, strict=True)
    ]


def contributions(
    user: int, snapshot: Snapshot, embeddings: Embeddings, interactions: csr_array
) -> Contributions:
    """Return the contribution of each piece to the user's scores; they sum to the score."""
    products = interactions[[user]].indices
    tied = training_ties(snapshot)[[user]].indices
    neighbours = len(products) + embeddings.tie_weight * len(tied)
    pieces = np.concatenate(
        [
            embeddings.product_messages[products],
            embeddings.user_messages[tied],
            embeddings.user_own[[user]],
            embeddings.global_user[None] * (np.sqrt(neighbours) if neighbours else 1.0),
        ]
    ).astype(np.float64)
    blocks = pieces.reshape(len(pieces), embeddings.heads, embeddings.dim)
    lengths = np.linalg.norm(blocks.sum(axis=0), axis=1)
    blocks /= np.where(lengths > 0, lengths, 1)[:, None]
    values = blocks.reshape(len(pieces), -1) @ embeddings.product_vectors.T.astype(np.float64)
    values[: len(products)] += link_matrix(embeddings)[products].toarray()
    values[-1] += embeddings.bias
    names = [
        *(snapshot.product_names[product] or snapshot.product_ids[product] for product in products),
        *["a tie"] * len(tied),
        "the user's own texts",
        "popularity",
    ]
    return Contributions(tuple(names), values)


def _example(
    user: int,
    products: NDArray[np.int64],
    snapshot: Snapshot,
    embeddings: Embeddings,
    interactions: csr_array,
    held_out: csr_array,
) -> Example:
    found = contributions(user, snapshot, embeddings, interactions)
    targets = set(held_out[[user]].indices.tolist())
    lines = []
    for product in products.tolist():
        shares = found.values[:, product] / np.abs(found.values[:, product]).sum()
        first = int(shares[:-1].argmax())
        lines.append(
            ExampleLine(
                product=snapshot.product_names[product] or snapshot.product_ids[product],
                is_hit=product in targets,
                reason=found.names[first] if shares[first] > 0 else None,
                share=float(shares[first]),
                popularity_share=float(shares[-1]),
            )
        )
    num_holdings = int(np.diff(interactions.indptr)[user])
    return Example(num_holdings, found.names[: min(num_holdings, 5)], tuple(lines))
