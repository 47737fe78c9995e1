"""Initial values of the product ids: singular vectors of the interactions."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

_POWER_ITERATIONS = 4
"""More change nothing after the first training steps."""


class SvdInit:
    """Initial product ids for any width up to `max_dim`.

    Right singular vectors of the interactions, normalised by both degrees, scaled by the square
    root of their singular values. Computed once: the seed of a head adds small noise.
    """

    def __init__(self, interactions: csr_array, max_dim: int) -> None:
        self._interactions = interactions
        self._rank = max(0, min(max_dim, min(interactions.shape) - 1))
        self._rows: NDArray[np.float64] | None = None

    def __call__(self, dim: int, seed: int) -> Tensor:
        """Return ids: float32, shape (num_products, dim), rows of warm products of mean length 1.

        Columns beyond the rank of the matrix are noise.
        """
        if self._rows is None:
            self._rows = self._singular_vectors()
        ids = np.random.default_rng(seed).normal(0, 1e-3, (self._interactions.shape[1], dim))
        width = min(dim, self._rows.shape[1])
        ids[:, :width] += self._rows[:, :width]
        length = np.linalg.norm(ids, axis=1)
        is_warm = np.asarray(self._interactions.sum(axis=0)).ravel() > 0
        return torch.from_numpy((ids / length[is_warm].mean()).astype(np.float32))

    def _singular_vectors(self) -> NDArray[np.float64]:
        matrix = self._interactions
        if self._rank == 0 or matrix.nnz == 0:
            return np.zeros((matrix.shape[1], 0))
        users = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1) ** -0.5
        products = np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1) ** -0.5
        scaled = csr_array(matrix.multiply(users[:, None]).multiply(products[None, :]))
        _, values, right = randomized_svd(
            scaled.astype(np.float32), self._rank, n_iter=_POWER_ITERATIONS, random_state=0
        )
        rows: NDArray[np.float64] = right.T * np.sqrt(np.maximum(values, 0))
        return rows
