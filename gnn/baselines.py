"""Simple recommenders to stand beside the model: popularity and EASE.

EASE: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019). With G = X'X and
P = (G + lambda I)^-1, B_ij = -P_ij / P_jj and B_jj = 0; a user's scores are their row of X times B.
Its lambda is chosen on the validation part, as everything is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.choose import walk
from kinfolio.gnn.data import held_in, split_off
from kinfolio.gnn.ranking import ScoreBlock, quality
from kinfolio.records import Snapshot

LAMBDAS = (10.0, 30.0, 100.0, 300.0, 1000.0)
LARGEST_EASE = 25_000
"""Products up to which EASE's dense matrix is made: 25,000 squared in float32 is 2.5 GB."""
_TIE_BREAK = 1e-6
"""Weight of popularity in EASE's scores: it orders products for users who hold nothing."""


def popularity(held: csr_array) -> ScoreBlock:
    """Every product's number of holders, the same for every user."""
    number = torch.from_numpy(np.asarray(held.sum(axis=0), np.float32).ravel())
    return lambda users: number.repeat(len(users), 1)


def ease(held: csr_array, penalty: float) -> ScoreBlock:
    """EASE's scores; popularity decides between equal ones.

    Args:
        held: shape (num_users, num_products), ones.
        penalty: lambda.
    """
    gram = np.asfortranarray((held.T @ held).todense(), dtype=np.float32)
    gram[np.diag_indices_from(gram)] += penalty
    # Inverting from the factor in place takes a third of the work of solving for the identity.
    factor, failed = spotrf(gram, lower=1, clean=1, overwrite_a=1)
    assert not failed  # a Gram matrix with a positive diagonal added is positive definite
    inverse, failed = spotri(factor, lower=1, overwrite_c=1)
    assert not failed
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    inverse /= -np.diag(inverse).copy()
    np.fill_diagonal(inverse, 0)
    weights = torch.from_numpy(np.ascontiguousarray(inverse))
    popular = popularity(held)

    def score(users: NDArray[np.int64]) -> Tensor:
        rows = torch.from_numpy(np.asarray(held[users].todense(), np.float32))
        return rows @ weights + _TIE_BREAK * popular(users)

    return score


def fit_baselines(
    snapshot: Snapshot, seed: int, note: Callable[[str], None]
) -> dict[str, ScoreBlock]:
    """Name and scores of each baseline, fitted on the training part.

    Args:
        snapshot: the exported graph.
        seed: of the part held back for EASE's lambda when there is no `valid`.
        note: told when a baseline is left out, and why.
    """
    held = held_in(snapshot, "train")
    models = {"popularity": popularity(held)}
    if snapshot.num_products > LARGEST_EASE:
        note(
            f"EASE is left out: {snapshot.num_products:,} products are more than the "
            f"{LARGEST_EASE:,} whose dense matrix fits"
        )
        return models
    known, wanted = held, held_in(snapshot, "valid")
    if not wanted.nnz:
        back = split_off(snapshot, seed)
        pairs = csr_array(
            (
                np.ones(int(back.sum()), np.float32),
                (snapshot.holdings.source[back], snapshot.holdings.target[back]),
            ),
            shape=held.shape,
        )
        known, wanted = csr_array(held - pairs), pairs
        known.eliminate_zeros()
    best = walk(LAMBDAS, lambda penalty: quality(ease(known, penalty), known, wanted).value)
    models["EASE"] = ease(held, best)
    return models
