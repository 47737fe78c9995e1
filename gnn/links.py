"""Links between products: how much holding one speaks for another, a few for each product.

Local ridge regression: for product j and its nearest products N (by G_nj / degree_n^p, with G = X'X
the numbers of common holders), S[N, j] = (G[N, N] + lambda I)^-1 G[N, j]. That is EASE (Steck,
WWW 2019) solved for each product on its neighbourhood instead of the whole catalogue: sparse by
construction and of a size that any catalogue allows. Besides it two plain co-occurrences,
D_i^-b X' D_u^-2a X D_i^c. What a user's holdings say for product j is the sum of S[n, j] over them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array

NEIGHBOURS = 50
MOST_LINKS = 200
"""Links that start from one product: the strongest stay, so that lists are quick to add up."""
MOST_PAIRS = 300_000_000
"""Pairs of holdings of one user that are counted; with more, some users stand for all."""
_PRODUCTS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Recipe:
    """How links are made; see the head of this file."""

    form: str
    """`ridge` or `common`."""
    first: float
    """p of a ridge, a of common holders."""
    second: float
    """lambda of a ridge, b of common holders."""
    scale: float
    """c: links to product j are multiplied by degree_j^c."""

    def __str__(self) -> str:
        """As it is told to people."""
        names = "p {:g}, lambda {:g}" if self.form == "ridge" else "a {:g}, b {:g}"
        return f"{self.form}, {names.format(self.first, self.second)}, c {self.scale:g}"


class CommonHolders:
    """How many people hold two products, for every two that somebody holds."""

    def __init__(self, held: csr_array) -> None:
        """Count.

        Args:
            held: shape (num_users, num_products), ones.
        """
        self.held = _some_users(held)
        self.degree = np.maximum(np.asarray(held.sum(axis=0), np.float64).ravel(), 1)
        self.gram = csr_array((self.held.T @ self.held).astype(np.float32))
        self.gram.sort_indices()
        self.num_products = held.shape[1]
        rows = np.repeat(np.arange(self.num_products), np.diff(self.gram.indptr))
        self._keys = rows * self.num_products + self.gram.indices

    def ridge(self, power: float, penalties: tuple[float, ...]) -> dict[float, csr_array]:
        """S for each penalty: float32, shape (num_products, num_products), column j for product j.

        Args:
            power: p of the nearness G_nj / degree_n^p.
            penalties: values of lambda.
        """
        most = max(1, min(NEIGHBOURS, self.num_products - 1))
        near = np.empty((self.num_products, most), np.int64)
        common = np.empty((self.num_products, most), np.float32)
        weights = {penalty: np.empty_like(common) for penalty in penalties}
        for start, stop in self._parts():
            block = self.gram[start:stop].toarray()
            block[np.arange(stop - start), np.arange(start, stop)] = 0
            close = torch.from_numpy(block * (self.degree**-power).astype(np.float32))
            near[start:stop] = np.sort(close.topk(most, dim=1, sorted=False).indices.numpy())
            common[start:stop] = np.take_along_axis(block, near[start:stop], axis=1)
            among = torch.from_numpy(self._among(near[start:stop]))
            right = torch.from_numpy(common[start:stop, :, None])
            for penalty in penalties:
                factor = torch.linalg.cholesky(among + penalty * torch.eye(most))
                weights[penalty][start:stop] = torch.cholesky_solve(right, factor)[:, :, 0].numpy()
        columns = np.repeat(np.arange(self.num_products), most)
        there = common.ravel() > 0
        return {
            penalty: _sparse(found.ravel()[there], near.ravel()[there], columns[there], self.shape)
            for penalty, found in weights.items()
        }

    def common(self, user_power: float, product_power: float) -> csr_array:
        """D_i^-b X' D_u^-2a X, the `NEIGHBOURS` largest of each column: shape as `ridge`.

        Args:
            user_power: a; how little people who hold much count.
            product_power: b; how little products that many hold count.
        """
        number = np.maximum(np.asarray(self.held.sum(axis=1), np.float64).ravel(), 1)
        weighted = diags_array(number ** (-2 * user_power)) @ self.held
        # Symmetric but for b, so its columns are taken as rows.
        both = csr_array((self.held.T @ weighted) @ diags_array(self.degree**-product_power))
        both.setdiag(0)
        return csr_array(_largest(both.astype(np.float32), NEIGHBOURS).T.tocsr())

    @property
    def shape(self) -> tuple[int, int]:
        """Of the links."""
        return self.num_products, self.num_products

    def _parts(self) -> Iterator[tuple[int, int]]:
        for start in range(0, self.num_products, _PRODUCTS_AT_ONCE):
            yield start, min(start + _PRODUCTS_AT_ONCE, self.num_products)

    def _among(self, near: NDArray[np.int64]) -> NDArray[np.float32]:
        """G[N, N] of some products: float32, shape (len(near), most, most)."""
        most = near.shape[1]
        upper = np.triu_indices(most)
        # Ascending keys one after the other are found with few jumps through the memory.
        keys = near[:, upper[0]] * self.num_products + near[:, upper[1]]
        found = np.searchsorted(self._keys, keys)
        np.minimum(found, len(self._keys) - 1, out=found)
        values = np.where(self._keys[found] == keys, self.gram.data[found], 0)
        among = np.empty((len(near), most, most), np.float32)
        among[:, upper[0], upper[1]] = values
        among[:, upper[1], upper[0]] = values
        return among


def scaled(links: csr_array, degree: NDArray[np.float64], power: float) -> csr_array:
    """Links to product j times degree_j^power: no negative ones, `MOST_LINKS` from a product.

    Args:
        links: shape (num_products, num_products).
        degree: holders of each product, at least 1.
        power: c.
    """
    result = csr_array(links @ diags_array(degree**power)).astype(np.float32)
    result.data[result.data < 0] = 0
    result.eliminate_zeros()
    return _largest(result, MOST_LINKS)


def _some_users(held: csr_array) -> csr_array:
    """All users, or so many evenly spaced ones that `MOST_PAIRS` are not exceeded."""
    pairs = float((np.diff(held.indptr).astype(np.float64) ** 2).sum())
    if pairs <= MOST_PAIRS:
        return held
    chosen = np.random.default_rng(0).random(held.shape[0]) < MOST_PAIRS / pairs
    return csr_array(held[chosen])


def _sparse(
    values: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    shape: tuple[int, int],
) -> csr_array:
    return csr_array(coo_array((values, (rows, columns)), shape=shape).tocsr())


def _largest(matrix: csr_array, most: int) -> csr_array:
    """The largest entries of each row, at most `most` of them."""
    number = np.diff(matrix.indptr)
    if number.max(initial=0) <= most:
        return matrix
    row = np.repeat(np.arange(len(number)), number)
    order = np.lexsort((-matrix.data, row))
    place = np.arange(len(order)) - matrix.indptr[row[order]]
    kept = np.sort(order[place < most])
    offsets = np.concatenate([[0], np.minimum(number, most).cumsum()])
    return csr_array((matrix.data[kept], matrix.indices[kept], offsets), shape=matrix.shape)
