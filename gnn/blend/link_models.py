"""Sparse product-to-product links S: how much holding one product raises the score of another.

Local ridge regression: for product j and its nearest products N (by G_nj / degree_n^p, with G = X'X
the co-occurrence counts), S[N, j] = (G[N, N] + lambda I)^-1 G[N, j]. That is EASE (Steck,
WWW 2019) solved for each product on its neighbourhood instead of the whole catalogue, so it is
sparse and fits any catalogue. Besides it two co-occurrence forms, D_i^-b X' D_u^-2a X D_i^c. A
user's score of product j is the sum of S[n, j] over the products n held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array, vstack

NEIGHBOURS = 50
MOST_LINKS = 200
"""Links from one product: the strongest are retained, so that lists are computed quickly."""
MOST_PAIRS = 300_000_000
"""Pairs of holdings of one user that are counted: 2.4 GB; above it, users are sampled."""
_MOST_HOLDINGS = 5_000
"""Holdings of one user that are counted then: 25 million pairs; of more, a random part is."""
_PAIRS_AT_ONCE = 20_000_000
"""500 MB of co-occurrence in 64 bits."""
_TIE_BREAK = 1e-4
"""Among equally near products, rarer ones come first."""
_PRODUCTS_AT_ONCE = 32_768
"""330 MB of neighbours."""
_SOLVED_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class LinkRecipe:
    """The form of links and its parameters; symbols as in the module docstring."""

    form: str
    """`ridge` or `common` (co-occurrence)."""
    first: float
    """p of `ridge`, a of `common`."""
    second: float
    """lambda of `ridge`, b of `common`."""
    scale: float
    """c: links to product j are multiplied by degree_j^c."""

    def __str__(self) -> str:
        """Return the form and its parameters for progress and reports."""
        names = "p {:g}, lambda {:g}" if self.form == "ridge" else "a {:g}, b {:g}"
        return f"{self.form}, {names.format(self.first, self.second)}, c {self.scale:g}"


class CoOccurrence:
    """Co-occurrence counts of products, from which links are computed."""

    def __init__(self, interactions: csr_array) -> None:
        """Count the users of each pair of products.

        Args:
            interactions: shape (num_users, num_products), ones.
        """
        self.interactions = _bounded(interactions)
        self.degree = np.maximum(np.asarray(interactions.sum(axis=0), np.float64).ravel(), 1)
        self.gram = csr_array(self.interactions.T.tocsr() @ self.interactions)
        self.num_products = interactions.shape[1]
        self._shape = self.num_products, self.num_products

    def ridge(self, power: float, penalties: tuple[float, ...]) -> dict[float, csr_array]:
        """Return S for each penalty: float32, shape (num_products, num_products).

        Args:
            power: p.
            penalties: values of lambda.
        """
        size = max(1, min(NEIGHBOURS, self.num_products - 1))
        near, common = self._nearest(
            (self.degree ** -(power + _TIE_BREAK)).astype(np.float32), size
        )
        weights = {penalty: np.empty_like(common) for penalty in penalties}
        for block in _slices(self.num_products, _PRODUCTS_AT_ONCE):
            gram = torch.from_numpy(self._gram_of(near[block]))
            target = torch.from_numpy(common[block, :, None])
            for part in _slices(len(gram), _SOLVED_AT_ONCE):
                for penalty in penalties:
                    factor = torch.linalg.cholesky(gram[part] + penalty * torch.eye(size))
                    found = torch.cholesky_solve(target[part], factor)[:, :, 0]
                    weights[penalty][block][part] = found.numpy()
        columns = np.repeat(np.arange(self.num_products), size)
        exists = common.ravel() > 0
        return {
            penalty: _sparse(
                found.ravel()[exists], near.ravel()[exists], columns[exists], self._shape
            )
            for penalty, found in weights.items()
        }

    def common(self, user_power: float, product_power: float) -> csr_array:
        """Return D_i^-b X' D_u^-2a X, the `NEIGHBOURS` largest of each column: shape as `ridge`.

        Args:
            user_power: a, which discounts users with many holdings.
            product_power: b, which discounts products with many users.
        """
        number = np.maximum(np.asarray(self.interactions.sum(axis=1), np.float64).ravel(), 1)
        weighted = diags_array(number ** (-2 * user_power)) @ self.interactions
        scale = diags_array(self.degree**-product_power)
        holders = csr_array(self.interactions.T)
        pairs = np.cumsum(holders @ np.diff(self.interactions.indptr))
        parts = []
        # Symmetric but for b, so its columns are taken as rows.
        for rows in _slices_of(pairs, _PAIRS_AT_ONCE):
            product = csr_array((holders[rows] @ weighted) @ scale)
            product.setdiag(0, k=rows.start)
            parts.append(_largest(product.astype(np.float32), NEIGHBOURS))
        return csr_array(vstack(parts, format="csr").T.tocsr())

    def _nearest(
        self, scale: NDArray[np.float32], size: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the products with the largest G_nj scale_n for each j, ascending, and their G_nj.

        Two arrays of shape (num_products, size), padded with num_products and 0.
        """
        gram = self.gram
        near = np.full((self.num_products, size), self.num_products, np.int32)
        common = np.zeros((self.num_products, size), np.float32)
        for product in range(self.num_products):
            row = slice(gram.indptr[product], gram.indptr[product + 1])
            others, number = gram.indices[row], gram.data[row]
            is_other = others != product
            others, number = others[is_other], number[is_other]
            if len(others) > size:
                nearness = number * scale[others]
                chosen = np.sort(np.argpartition(nearness, -size)[-size:])
                others, number = others[chosen], number[chosen]
            near[product, : len(others)] = others
            common[product, : len(others)] = number
        return near, common

    def _gram_of(self, near: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return G[N, N] of some products: float32, shape (len(near), size, size), zero padded."""
        gram, size = self.gram, near.shape[1]
        result = np.zeros((len(near), size, size), np.float32)
        # Each row of G is expanded once, in an array that stays in the cache.
        order = np.argsort(near, axis=None, kind="stable")
        rows, first = np.unique(near.ravel()[order], return_index=True)
        dense = np.zeros(self.num_products + 1, np.float32)
        for row, places in zip(rows, np.split(order, first[1:]), strict=True):
            if row == self.num_products:
                continue
            part = slice(gram.indptr[row], gram.indptr[row + 1])
            others = gram.indices[part]
            dense[others] = gram.data[part]
            products, place = np.divmod(places, size)
            result[products, place] = dense[near[products]]
            dense[others] = 0
        return result


def scale_links(links: csr_array, degree: NDArray[np.float64], power: float) -> csr_array:
    """Return links to product j times degree_j^power, positive ones, `MOST_LINKS` per product.

    Args:
        links: shape (num_products, num_products).
        degree: shape (num_products,), at least 1.
        power: c.
    """
    result = csr_array(links @ diags_array(degree**power)).astype(np.float32)
    result.data[result.data < 0] = 0
    result.eliminate_zeros()
    return _largest(result, MOST_LINKS)


def _bounded(interactions: csr_array) -> csr_array:
    """Return all rows, or a random part of them with at most about `MOST_PAIRS` pairs."""
    if _num_pairs(np.diff(interactions.indptr)) <= MOST_PAIRS:
        return interactions
    interactions = _sample_holdings(interactions)
    pairs = _num_pairs(np.diff(interactions.indptr))
    if pairs <= MOST_PAIRS:
        return interactions
    chosen = np.random.default_rng(0).random(interactions.shape[0]) < MOST_PAIRS / pairs
    return csr_array(interactions[chosen])


def _sample_holdings(interactions: csr_array) -> csr_array:
    """Return a random part of the holdings of users with more than `_MOST_HOLDINGS`."""
    noise = np.random.default_rng(0).random(interactions.nnz)
    indices, offsets = interactions.indices, interactions.indptr
    sampled = _largest(csr_array((noise, indices, offsets), interactions.shape), _MOST_HOLDINGS)
    sampled.data = np.ones(sampled.nnz, interactions.dtype)
    return sampled


def counted_pairs(interactions: csr_array) -> float:
    """Return about how many pairs of holdings of one user are counted."""
    if (pairs := _num_pairs(np.diff(interactions.indptr))) <= MOST_PAIRS:
        return pairs
    number = np.minimum(np.diff(interactions.indptr), _MOST_HOLDINGS)
    return min(_num_pairs(number), MOST_PAIRS)


def _num_pairs(number: NDArray[np.int32]) -> float:
    return float((number.astype(np.float64) ** 2).sum())


def _sparse(
    values: NDArray[np.float32],
    rows: NDArray[np.int32],
    columns: NDArray[np.int64],
    shape: tuple[int, int],
) -> csr_array:
    return csr_array(coo_array((values, (rows, columns)), shape=shape).tocsr())


def _slices(number: int, at_once: int) -> Iterator[slice]:
    for start in range(0, number, at_once):
        yield slice(start, min(start + at_once, number))


def _slices_of(ends: NDArray[np.int64], most: int) -> Iterator[slice]:
    """Yield slices of rows, each of one row or of rows with at most `most` of what ends count."""
    start, done = 0, 0
    while start < len(ends):
        stop = max(start + 1, int(np.searchsorted(ends, done + most, side="right")))
        yield slice(start, stop)
        start, done = stop, int(ends[stop - 1])


def _largest(matrix: csr_array, most: int) -> csr_array:
    """Return the largest entries of each row, at most `most` of them."""
    number = np.diff(matrix.indptr)
    retained = np.ones(matrix.nnz, np.bool_)
    for row in np.flatnonzero(number > most):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        retained[part][np.argpartition(matrix.data[part], -most)[:-most]] = False
    offsets = np.concatenate([[0], np.minimum(number, most).cumsum()])
    return csr_array((matrix.data[retained], matrix.indices[retained], offsets), shape=matrix.shape)
