"""Where the products' ids start from: the singular vectors of the interactions."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

_PASSES = 4
"""Power iterations; more change nothing after the first steps of training."""


class SvdStart:
    """First ids of products, for any width up to the widest that was asked for first.

    The right singular vectors of the interactions, normalised by both degrees, scaled by the roots
    of their singular values. They are computed once: heads of other seeds differ in small random
    numbers here, and in all their batches.
    """

    def __init__(self, held: csr_array, widest: int) -> None:
        """Prepare.

        Args:
            held: shape (num_users, num_products), ones.
            widest: numbers a row that will be asked for at most.
        """
        self._held = held
        self._rank = max(0, min(widest, min(held.shape) - 1))
        self._rows: NDArray[np.float64] | None = None

    def __call__(self, dim: int, seed: int) -> Tensor:
        """Ids: float32, shape (num_products, dim), rows of seen products of mean length 1.

        Args:
            dim: numbers a row; random numbers fill what a small matrix lacks.
            seed: of the random numbers.
        """
        if self._rows is None:
            self._rows = self._singular()
        start = np.random.default_rng(seed).normal(0, 1e-3, (self._held.shape[1], dim))
        width = min(dim, self._rows.shape[1])
        start[:, :width] += self._rows[:, :width]
        length = np.linalg.norm(start, axis=1)
        seen = np.asarray(self._held.sum(axis=0)).ravel() > 0
        return torch.from_numpy((start / length[seen].mean()).astype(np.float32))

    def _singular(self) -> NDArray[np.float64]:
        held = self._held
        if self._rank == 0 or held.nnz == 0:
            return np.zeros((held.shape[1], 0))
        users = np.maximum(np.asarray(held.sum(axis=1)).ravel(), 1) ** -0.5
        products = np.maximum(np.asarray(held.sum(axis=0)).ravel(), 1) ** -0.5
        scaled = csr_array(held.multiply(users[:, None]).multiply(products[None, :]))
        _, values, right = randomized_svd(
            scaled.astype(np.float32), self._rank, n_iter=_PASSES, random_state=0
        )
        rows: NDArray[np.float64] = right.T * np.sqrt(np.maximum(values, 0))
        return rows
