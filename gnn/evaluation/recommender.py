"""The contract of everything that is evaluated: fit to interactions, then score all products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.blend.links import add_links
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.ranking import ScoreBlock, dot_scores


class Recommender(ABC):
    """Scores of all products for some users. Deterministic: equal fits score alike."""

    interactions: csr_array
    """Set by `fit`: shape (num_users, num_products), ones."""
    holders: Tensor
    """Set by `fit`: float32, shape (num_products,); number of holders of each product."""

    def fit(self, interactions: csr_array) -> Self:
        """Fit to training interactions: shape (num_users, num_products), ones."""
        self.interactions = interactions
        self.holders = torch.from_numpy(np.asarray(interactions.sum(axis=0), np.float32).ravel())
        return self

    @abstractmethod
    def score(self, users: NDArray[np.int64]) -> Tensor:
        """Return finite scores: float32, shape (len(users), num_products).

        The caller may write into them, and the next call may overwrite them.
        """


class EmbeddingModel(Recommender):
    """A trained model as the graph serves it: vectors, popularity term and links."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings
        self._score: ScoreBlock

    def fit(self, interactions: csr_array) -> Self:
        """Set the holdings that links start from; the embeddings do not change."""
        super().fit(interactions)
        one = self._embeddings
        heads = dot_scores(one.user_vectors, one.product_vectors, one.bias)
        self._score = add_links(heads, interactions, link_matrix(one))
        return self

    def score(self, users: NDArray[np.int64]) -> Tensor:
        """Return user vector . product vector + popularity term + links."""
        return self._score(users)


def link_matrix(embeddings: Embeddings) -> csr_array:
    """Return the links: shape (num_products, num_products), from a holding to other products."""
    number = len(embeddings.product_ids)
    links = embeddings.link_weights, embeddings.link_products, embeddings.link_offsets
    return csr_array(links, shape=(number, number))
