"""EASE, an item-based linear model in closed form, optionally with texts.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019). With G = X'X and
P = (G + lambda I)^-1, B_ij = -P_ij / P_jj and B_jj = 0; a user's scores are their row of X times B.
With K = (XX' + lambda I)^-1 the same scores are (X - K X / d) with d_j = (1 - x_j' K x_j) / lambda,
so that the smaller of the two matrices is inverted. With texts, the products' text vectors are
additional rows of X, scaled by a weight: G = X'X + weight T T'.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.evaluation.recommender import Recommender
from kinfolio.gnn.ranking import ScoreBlock

TIE_BREAK = 1e-6
"""Weight of popularity in other scores: it orders products for users without any data."""
_PRODUCTS_AT_ONCE = 1024


class EASE(Recommender):
    """EASE; popularity decides between equal scores."""

    def __init__(
        self, penalty: float, text: NDArray[np.float32] | None = None, text_weight: float = 0.0
    ) -> None:
        """Set lambda, texts of shape (num_products, width), and their weight.

        The weight of a product of two texts is relative to one user that two products share.
        """
        self._penalty = penalty
        self._text_rows = None if text is None else text.T * np.float32(text_weight**0.5)
        self._solved: ScoreBlock

    def fit(self, interactions: csr_array) -> Self:
        """Invert the smaller Gram matrix: of users and text dimensions, or of products."""
        super().fit(interactions)
        num_users, num_products = interactions.shape
        text_rows = self._text_rows
        if text_rows is None:
            text_rows = np.zeros((0, num_products), np.float32)
        by_users = num_users + len(text_rows) < num_products
        solve = _solve_users if by_users else _solve_products
        self._solved = solve(interactions, self._penalty, text_rows)
        return self

    def score(self, users: NDArray[np.int64]) -> Tensor:
        """Return the row of X times B."""
        return self._solved(users) + TIE_BREAK * self.holders


def _inverse(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inverse of a symmetric matrix, which is overwritten."""
    # From the Cholesky factor: a third of the work of solving for the identity. In place, as the
    # matrix takes gigabytes: its transpose, which is equal, has the order of LAPACK.
    factor, failed = spotrf(matrix.T, lower=1, clean=1, overwrite_a=1)
    assert not failed  # a Gram matrix with a positive diagonal added is positive definite
    inverse, failed = spotri(factor, lower=1, overwrite_c=1)
    assert not failed
    whole: NDArray[np.float32] = inverse.T
    for first in range(0, len(whole), _PRODUCTS_AT_ONCE):
        rows = slice(first, first + _PRODUCTS_AT_ONCE)
        whole[rows, :first] = whole[:first, rows].T
        square = whole[rows, rows]
        whole[rows, rows] = np.triu(square) + np.triu(square, 1).T
    return whole


def _solve_products(
    interactions: csr_array, penalty: float, text_rows: NDArray[np.float32]
) -> ScoreBlock:
    num_products = interactions.shape[1]
    gram = np.empty((num_products, num_products), np.float32)
    holders = csr_array(interactions.T)
    for first in range(0, num_products, _PRODUCTS_AT_ONCE):
        rows = slice(first, first + _PRODUCTS_AT_ONCE)
        gram[rows] = (holders[rows] @ interactions).toarray()
    if len(text_rows):
        gram += text_rows.T @ text_rows
    gram[np.diag_indices_from(gram)] += penalty
    inverse = _inverse(gram)
    inverse /= -np.diag(inverse).copy()
    np.fill_diagonal(inverse, 0)
    return lambda users: torch.from_numpy(interactions[users] @ inverse)


def _solve_users(
    interactions: csr_array, penalty: float, text_rows: NDArray[np.float32]
) -> ScoreBlock:
    num_users, num_products = interactions.shape
    columns = csr_array(interactions.T)
    size = num_users + len(text_rows)
    gram = np.empty((size, size), np.float32)
    gram[:num_users, :num_users] = (interactions @ columns).todense()
    gram[num_users:, :num_users] = (interactions @ text_rows.T).T
    gram[:num_users, num_users:] = gram[num_users:, :num_users].T
    gram[num_users:, num_users:] = text_rows @ text_rows.T
    gram[np.diag_indices_from(gram)] += penalty
    inverse = _inverse(gram)

    def smoothed(rows: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
        """Columns of rows K X, transposed: shape (last - first, len(rows))."""
        text = text_rows[:, first:last].T @ rows[:, num_users:].T
        joined: NDArray[np.float32] = columns[first:last] @ rows[:, :num_users].T + text
        return joined

    scale = np.empty(num_products, np.float32)
    for first in range(0, num_products, _PRODUCTS_AT_ONCE):
        last = min(first + _PRODUCTS_AT_ONCE, num_products)
        block = smoothed(inverse, first, last)
        diagonal = columns[first:last].multiply(block[:, :num_users]).sum(axis=1)
        diagonal += (text_rows[:, first:last].T * block[:, num_users:]).sum(axis=1)
        scale[first:last] = (1 - diagonal) / penalty

    def score(users: NDArray[np.int64]) -> Tensor:
        rows = np.asarray(interactions[users].todense(), np.float32)
        return torch.from_numpy(rows - smoothed(inverse[users], 0, num_products).T / scale)

    return score
