"""Simple recommenders to stand beside the model, each fitted in closed form.

EASE: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019). With G = X'X and
P = (G + lambda I)^-1, B_ij = -P_ij / P_jj and B_jj = 0; a user's scores are their row of X times B.
With K = (XX' + lambda I)^-1 the same scores are (X - K X / d) with d_j = (1 - x_j' K x_j) / lambda,
so that the smaller of the two matrices is inverted. EASE+text has the products' texts as further
rows of X, scaled by a weight: G = X'X + weight T T'. Lambda and weights are chosen on the
validation part, as everything is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import coo_array, csr_array
from torch import Tensor

from kinfolio.gnn.data import hold_back, training_data
from kinfolio.gnn.ranking import Quality, ScoreBlock, figures_of
from kinfolio.gnn.text.encoder import WIDTH, TextFeatures, unit
from kinfolio.gnn.training.choose import walk
from kinfolio.records import Progress, Snapshot, no_progress

LAMBDAS = (10.0, 30.0, 100.0, 300.0, 1000.0)
TEXT_WEIGHTS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
OWN_WEIGHTS = (0.0, 0.3, 1.0, 3.0)
"""What a user wrote beside what the texts of their products say, in the text mean."""
LARGEST_EASE = 25_000
"""Products, or users where they are fewer, up to which EASE is solved: 25,000 squared is 2.5 GB."""
_PRODUCTS_AT_ONCE = 1024
_TIE_BREAK = 1e-6
"""Weight of popularity in other scores: it orders products for users of whom nothing is known."""


def popularity(held: csr_array) -> ScoreBlock:
    """Every product's number of holders, the same for every user."""
    number = torch.from_numpy(np.asarray(held.sum(axis=0), np.float32).ravel())
    return lambda users: number.repeat(len(users), 1)


def ease(
    held: csr_array,
    penalty: float,
    text: NDArray[np.float32] | None = None,
    text_weight: float = 0.0,
) -> ScoreBlock:
    """EASE's scores; popularity decides between equal ones.

    Args:
        held: shape (num_users, num_products), ones.
        penalty: lambda.
        text: float32, shape (num_products, width); rows added to X when given.
        text_weight: what the products of texts count beside the holdings two products share.
    """
    added = None if text is None else (text.T * np.float32(text_weight**0.5))
    rows = held.shape[0] + (0 if added is None else len(added))
    popular = popularity(held)
    solve = _by_users if rows < held.shape[1] else _by_products
    solved = solve(held, penalty, added)
    return lambda users: solved(users) + _TIE_BREAK * popular(users)


def _inverse(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    # From the factor in place: a third of the work of solving for the identity.
    factor, failed = spotrf(np.asfortranarray(matrix), lower=1, clean=1, overwrite_a=1)
    assert not failed  # a Gram matrix with a positive diagonal added is positive definite
    inverse, failed = spotri(factor, lower=1, overwrite_c=1)
    assert not failed
    whole: NDArray[np.float32] = np.tril(inverse) + np.tril(inverse, -1).T
    return whole


def _by_products(held: csr_array, penalty: float, added: NDArray[np.float32] | None) -> ScoreBlock:
    gram = np.asarray((held.T @ held).todense(), np.float32)
    if added is not None:
        gram += added.T @ added
    gram[np.diag_indices_from(gram)] += penalty
    inverse = _inverse(gram)
    inverse /= -np.diag(inverse).copy()
    np.fill_diagonal(inverse, 0)
    weights = np.ascontiguousarray(inverse)

    def score(users: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(held[users] @ weights)

    return score


def _by_users(held: csr_array, penalty: float, added: NDArray[np.float32] | None) -> ScoreBlock:
    if added is None:
        added = np.zeros((0, held.shape[1]), np.float32)
    number, products = held.shape
    columns = csr_array(held.T)
    gram = np.empty((number + len(added), number + len(added)), np.float32)
    gram[:number, :number] = (held @ columns).todense()
    gram[number:, :number] = (held @ added.T).T
    gram[:number, number:] = gram[number:, :number].T
    gram[number:, number:] = added @ added.T
    gram[np.diag_indices_from(gram)] += penalty
    inverse = _inverse(gram)

    def smooth(rows: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
        """Some columns of rows K X, transposed: shape (last - first, len(rows))."""
        text = added[:, first:last].T @ rows[:, number:].T
        joined: NDArray[np.float32] = columns[first:last] @ rows[:, :number].T + text
        return joined

    scale = np.empty(products, np.float32)
    for first in range(0, products, _PRODUCTS_AT_ONCE):
        last = min(first + _PRODUCTS_AT_ONCE, products)
        turned = smooth(inverse, first, last)
        diagonal = columns[first:last].multiply(turned[:, :number]).sum(axis=1)
        diagonal += (added[:, first:last].T * turned[:, number:]).sum(axis=1)
        scale[first:last] = (1 - diagonal) / penalty

    def score(users: NDArray[np.int64]) -> Tensor:
        known = np.asarray(held[users].todense(), np.float32)
        return torch.from_numpy(known - smooth(inverse[users], 0, products).T / scale)

    return score


def ties_mean(held: csr_array, tied: csr_array) -> ScoreBlock:
    """The part of those a user is tied to who hold each product, popularity between equal ones.

    Args:
        held: shape (num_users, num_products), ones.
        tied: shape (num_users, num_users), symmetric ones.
    """
    number = np.maximum(np.diff(tied.indptr), 1).astype(np.float32)
    popular = popularity(held)

    def score(users: NDArray[np.int64]) -> Tensor:
        rows = np.asarray((tied[users] @ held).todense(), np.float32) / number[users][:, None]
        return torch.from_numpy(rows) + _TIE_BREAK * popular(users)

    return score


def text_mean(held: csr_array, text: NDArray[np.float32], own_weight: float) -> ScoreBlock:
    """Cosine of a user's profile and each product's text, popularity between equal ones.

    The profile is the mean text of the products held, as a unit vector, plus the mean of what the
    user wrote, as a unit vector times `own_weight`. A product without text scores 0.

    Args:
        held: shape (num_users, num_products), ones.
        text: float32, shape (num_users + num_products, width), unit or zero rows.
        own_weight: of what the user wrote.
    """
    num_users = held.shape[0]
    products = text[num_users:]
    profiles = unit(unit(held @ products) + own_weight * text[:num_users])
    popular = popularity(held)

    def score(users: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(profiles[users] @ products.T) + _TIE_BREAK * popular(users)

    return score


def fit_baselines(
    snapshot: Snapshot,
    held: csr_array,
    seed: int,
    note: Callable[[str], None],
    features: TextFeatures | None = None,
    progress: Progress = no_progress,
) -> dict[str, ScoreBlock]:
    """Name and scores of each baseline, chosen on the validation part.

    Args:
        snapshot: the exported graph.
        held: to fit on, shape (num_users, num_products), ones.
        seed: of the part held back for choosing when there is no `valid`.
        note: told when a baseline is left out, and why.
        features: texts as training uses them; None when there are none.
        progress: told what is tried.
    """
    progress("fitting baselines", 0, 0)
    data = training_data(snapshot, torch.device("cpu"), hold_back(snapshot, seed))
    known, wanted = data.held, data.wanted
    models = {"popularity": popularity(held)}
    tied = _tied(snapshot)
    if tied.nnz:
        models["ties' mean"] = ties_mean(held, tied)
    text = None
    if features is not None:
        text, shown = features.build(WIDTH), features.build(WIDTH, data.hidden)
        own = max(
            OWN_WEIGHTS,
            key=lambda weight: (
                Quality.of(figures_of(text_mean(known, shown, weight), known, wanted)).value
            ),
        )
        models["text mean"] = text_mean(held, text, own)
    # Texts add as many rows as a vector has numbers.
    rows = min(held.shape[1], held.shape[0] + (0 if text is None else WIDTH))
    if rows > LARGEST_EASE:
        note(
            f"EASE is left out: {snapshot.num_products:,} products (and no fewer users) are more "
            f"than the {LARGEST_EASE:,} whose dense matrix fits"
        )
        return models

    @cache
    def tried(penalty: float, weight: float) -> float:
        progress(f"fitting EASE, lambda {penalty:g}, texts {weight:g}", 0, 0)
        rows = shown[snapshot.num_users :] if weight else None
        return Quality.of(figures_of(ease(known, penalty, rows, weight), known, wanted)).value

    best = walk(LAMBDAS, lambda penalty: tried(penalty, 0.0))
    models["EASE"] = ease(held, best)
    if text is not None:
        weight = walk(TEXT_WEIGHTS, lambda weight: tried(best, weight))
        penalty = walk(LAMBDAS, lambda penalty: tried(penalty, weight))
        models["EASE+text"] = ease(held, penalty, text[snapshot.num_users :], weight)
    return models


def _tied(snapshot: Snapshot) -> csr_array:
    """Ties that training may use, both ways: float32 ones, shape (num_users, num_users)."""
    ties, shape = snapshot.ties, (snapshot.num_users, snapshot.num_users)
    used = (ties.split == 0) & (ties.source != ties.target)
    one, other = ties.source[used], ties.target[used]
    ends = np.concatenate([one, other]), np.concatenate([other, one])
    both = csr_array(coo_array((np.ones(len(ends[0]), np.float32), ends), shape=shape))
    both.sum_duplicates()
    both.data[:] = 1
    return both
