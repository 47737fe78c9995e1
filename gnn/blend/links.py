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
_RARER = 1e-4
"""Of products that are as near, those that fewer hold come first."""
_PRODUCTS_AT_ONCE = 32_768
"""Products whose neighbours are looked up at once: 330 MB."""
_SOLVED_AT_ONCE = 512


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
        self.gram = csr_array(self.held.T.tocsr() @ self.held)
        self.num_products = held.shape[1]

    def ridge(self, power: float, penalties: tuple[float, ...]) -> dict[float, csr_array]:
        """S for each penalty: float32, shape (num_products, num_products), column j for product j.

        Args:
            power: p of the nearness G_nj / degree_n^p.
            penalties: values of lambda.
        """
        most = max(1, min(NEIGHBOURS, self.num_products - 1))
        near, common = self._nearest((self.degree ** -(power + _RARER)).astype(np.float32), most)
        weights = {penalty: np.empty_like(common) for penalty in penalties}
        for block in _parts(self.num_products, _PRODUCTS_AT_ONCE):
            among = torch.from_numpy(self._among(near[block]))
            right = torch.from_numpy(common[block, :, None])
            for part in _parts(len(among), _SOLVED_AT_ONCE):
                for penalty in penalties:
                    factor = torch.linalg.cholesky(among[part] + penalty * torch.eye(most))
                    found = torch.cholesky_solve(right[part], factor)[:, :, 0]
                    weights[penalty][block][part] = found.numpy()
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

    def _nearest(
        self, scale: NDArray[np.float32], most: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The products with the largest G_nj scale_n for each j, ascending, and their G_nj.

        Two arrays of shape (num_products, most); with fewer there, num_products and 0.
        """
        gram = self.gram
        near = np.full((self.num_products, most), self.num_products, np.int32)
        common = np.zeros((self.num_products, most), np.float32)
        for product in range(self.num_products):
            row = slice(gram.indptr[product], gram.indptr[product + 1])
            others, number = gram.indices[row], gram.data[row]
            is_other = others != product
            others, number = others[is_other], number[is_other]
            if len(others) > most:
                nearness = number * scale[others]
                chosen = np.sort(np.argpartition(nearness, -most)[-most:])
                others, number = others[chosen], number[chosen]
            near[product, : len(others)] = others
            common[product, : len(others)] = number
        return near, common

    def _among(self, near: NDArray[np.int32]) -> NDArray[np.float32]:
        """G[N, N] of some products: float32, shape (len(near), most, most); 0 where none is."""
        gram, most = self.gram, near.shape[1]
        among = np.zeros((len(near), most, most), np.float32)
        # Row by row of G, spread out in an array that stays in the cache, for all that want it.
        order = np.argsort(near, axis=None, kind="stable")
        rows, first = np.unique(near.ravel()[order], return_index=True)
        spread = np.zeros(self.num_products + 1, np.float32)
        for row, places in zip(rows, np.split(order, first[1:]), strict=True):
            if row == self.num_products:
                continue
            part = slice(gram.indptr[row], gram.indptr[row + 1])
            others = gram.indices[part]
            spread[others] = gram.data[part]
            products, place = np.divmod(places, most)
            among[products, place] = spread[near[products]]
            spread[others] = 0
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
    rows: NDArray[np.int32],
    columns: NDArray[np.int64],
    shape: tuple[int, int],
) -> csr_array:
    return csr_array(coo_array((values, (rows, columns)), shape=shape).tocsr())


def _parts(number: int, at_once: int) -> Iterator[slice]:
    for start in range(0, number, at_once):
        yield slice(start, min(start + at_once, number))


def _largest(matrix: csr_array, most: int) -> csr_array:
    """The largest entries of each row, at most `most` of them."""
    number = np.diff(matrix.indptr)
    kept = np.ones(matrix.nnz, np.bool_)
    for row in np.flatnonzero(number > most):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        kept[part][np.argpartition(matrix.data[part], -most)[:-most]] = False
    offsets = np.concatenate([[0], np.minimum(number, most).cumsum()])
    return csr_array((matrix.data[kept], matrix.indices[kept], offsets), shape=matrix.shape)
