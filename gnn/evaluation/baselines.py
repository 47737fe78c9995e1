"""Simple recommenders to compare the model with; hyperparameters are chosen on validation data."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.blend.selection import hill_climb
from kinfolio.gnn.data import TrainingData, training_data, validation_mask
from kinfolio.gnn.evaluation.ease import EASE, TIE_BREAK
from kinfolio.gnn.evaluation.recommender import Recommender
from kinfolio.gnn.memory import available_bytes
from kinfolio.gnn.ranking import Quality, per_user_metrics
from kinfolio.gnn.text.encoder import WIDTH, unit
from kinfolio.gnn.text.features import TextFeatures
from kinfolio.records import Progress, Snapshot, no_progress

LAMBDAS = (10.0, 30.0, 100.0, 300.0, 1000.0)
TEXT_WEIGHTS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
OWN_WEIGHTS = (0.0, 0.3, 1.0, 3.0)
"""Weight of a user's own texts relative to their products' texts in `TextMean`."""
LARGEST_EASE = 25_000
"""Limit of the smaller of users and products for EASE: 25,000 squared is 2.5 GB."""


class Popularity(Recommender):
    """The number of holders of each product, the same for every user."""

    def score(self, users: NDArray[np.int64]) -> Tensor:
        """Return the number of holders."""
        return self.holders.repeat(len(users), 1)


class TiesMean(Recommender):
    """The share of a user's ties that hold each product; popularity between equal scores.

    The ties are symmetric ones, shape (num_users, num_users).
    """

    def __init__(self, ties: csr_array) -> None:
        self._ties = ties

    def score(self, users: NDArray[np.int64]) -> Tensor:
        """Return the mean of the ties' rows."""
        number = np.maximum(np.diff(self._ties.indptr), 1).astype(np.float32)[users][:, None]
        rows = np.asarray((self._ties[users] @ self.interactions).todense(), np.float32) / number
        return torch.from_numpy(rows) + TIE_BREAK * self.holders


class TextMean(Recommender):
    """Cosine of a user's text profile and each product's text; popularity between equal scores.

    The profile is the mean text of the user's products, as a unit vector, plus the mean of the
    user's own texts, as a unit vector times `own_weight`. A product without text scores 0. Texts:
    float32, shape (num_users + num_products, width), unit or zero rows.
    """

    def __init__(self, text: NDArray[np.float32], own_weight: float) -> None:
        self._text = text
        self._own_weight = own_weight

    def fit(self, interactions: csr_array) -> Self:
        """Build the users' profiles."""
        super().fit(interactions)
        own, self._products = np.split(self._text, [interactions.shape[0]])
        self._profiles = unit(unit(interactions @ self._products) + self._own_weight * own)
        return self

    def score(self, users: NDArray[np.int64]) -> Tensor:
        """Return the cosines."""
        cosines = self._profiles[users] @ self._products.T
        return torch.from_numpy(cosines) + TIE_BREAK * self.holders


def fit_baselines(
    snapshot: Snapshot,
    interactions: csr_array,
    *,
    warn: Callable[[str], None],
    features: TextFeatures | None = None,
    progress: Progress = no_progress,
) -> dict[str, Recommender]:
    """Return the baselines by name, fitted to interactions of shape (num_users, num_products).

    Without text features, the baselines with texts are left out. Calls `warn` with the reason if
    another one is left out, and `progress` before every trial.
    """
    progress("fitting baselines", 0, 0)
    models: dict[str, Recommender] = {"popularity": Popularity()}
    ties = training_ties(snapshot)
    if ties.nnz:
        models["ties' mean"] = TiesMean(ties)
    data = training_data(snapshot, torch.device("cpu"), validation_mask(snapshot, seed=0))
    text, trial_text = None, None
    if features is not None:
        text = features.rows(WIDTH).mixed
        trial_text = features.rows(WIDTH, data.held_back_pairs).mixed
        own_weight = max(OWN_WEIGHTS, key=lambda one: _quality(TextMean(trial_text, one), data))
        models["text mean"] = TextMean(text, own_weight)
    # A text adds as many rows to the users' Gram matrix as its vector has dimensions.
    size = min(snapshot.num_products, snapshot.num_users + WIDTH * (text is not None))
    # With texts, their own Gram matrix is added.
    needed = (2 if text is not None else 1) * 4 * size**2
    if size > LARGEST_EASE:
        warn(
            f"EASE is left out: {snapshot.num_products:,} products (and no fewer users) are more "
            f"than the {LARGEST_EASE:,} whose dense matrix fits"
        )
    elif needed > (available := available_bytes()):
        warn(f"EASE is left out: it takes {needed / 1e9:.1f} GB, {available / 1e9:.1f} are free")
    else:
        models |= _chosen_ease(data, text, trial_text, progress)
    return {name: model.fit(interactions) for name, model in models.items()}


def _chosen_ease(
    data: TrainingData,
    text: NDArray[np.float32] | None,
    trial_text: NDArray[np.float32] | None,
    progress: Progress,
) -> dict[str, Recommender]:
    """Return EASE without and with texts, with the best hyperparameters on validation data.

    Texts have shape (num_users + num_products, width); `trial_text` excludes held-back reviews.
    """

    @cache
    def quality(penalty: float, weight: float) -> float:
        progress(f"fitting EASE, lambda {penalty:g}, texts {weight:g}", 0, 0)
        rows = trial_text[data.num_users :] if trial_text is not None and weight else None
        return _quality(EASE(penalty, rows, weight), data)

    plain = hill_climb(LAMBDAS, lambda penalty: quality(penalty, 0.0))
    models: dict[str, Recommender] = {"EASE": EASE(plain)}
    if text is not None:
        weight = hill_climb(TEXT_WEIGHTS, lambda weight: quality(plain, weight))
        penalty = hill_climb(LAMBDAS, lambda penalty: quality(penalty, weight))
        models["EASE+text"] = EASE(penalty, text[data.num_users :], weight)
    return models


def _quality(model: Recommender, data: TrainingData) -> float:
    return Quality.mean(
        per_user_metrics(model.fit(data.interactions).score, data.interactions, data.validation)
    ).value


def training_ties(snapshot: Snapshot) -> csr_array:
    """Return the ties of the training split, both ways: ones, shape (num_users, num_users)."""
    ties, shape = snapshot.ties, (snapshot.num_users, snapshot.num_users)
    used = (ties.split == 0) & (ties.source != ties.target)
    one, other = ties.source[used], ties.target[used]
    ends = np.concatenate([one, other]), np.concatenate([other, one])
    both = csr_array((np.ones(len(ends[0]), np.float32), ends), shape=shape)
    both.data[:] = 1
    return both
