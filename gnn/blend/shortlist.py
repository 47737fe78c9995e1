"""Validation users and the products that can enter their lists, to compare many weights quickly.

A term is evaluated only where it can matter: at the products that are best by the scores so far
(overall and among cold ones) and at those that are best by the term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.blend.selection import STRENGTHS, deviations_of, smallest_within_error
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.ranking import (
    Quality,
    ScoreBlock,
    UserMetrics,
    fast_topk,
    recall_and_ndcg,
    select_columns,
    users_per_block,
)

COLD_STRENGTHS = (*STRENGTHS, 4.0)
"""Weights for cold products, of which the heads know least."""
_MAX_SCORES = 100_000_000
"""400 MB."""
_MAX_USERS = 4000
_WEIGHT_USERS = 3
"""A term's weight is chosen on this many times the users its form is chosen on."""
_USERS_PER_BLOCK = 512
K = 20

TermBlock = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""A term's value for all products: shape (len(users), num_products), owned by the caller."""


@dataclass(frozen=True, slots=True)
class ScoredUsers:
    """Validation users with the scores of all products."""

    users: NDArray[np.int64]
    scores: NDArray[np.float32]
    """Shape (num_users, num_products); -inf for training interactions and separate products."""
    places: NDArray[np.int64]
    """Shape (num_users, places); the best products, overall and among cold ones."""
    is_target: NDArray[np.bool_]
    """Shape (num_users, num_products)."""
    num_targets: NDArray[np.int64]
    deviation: float
    """Mean over users of the standard deviation of the scores over warm products."""
    log_degree: NDArray[np.float32]
    is_cold: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Scores of validation users at the places that matter, and a term's value there."""

    scores: NDArray[np.float32]
    """Shape (num_users, places), as all but the last two; -inf at repeated products."""
    extra: NDArray[np.float32]
    """The term's value, in standard deviations of the scores."""
    is_target: NDArray[np.bool_]
    log_degree: NDArray[np.float32]
    is_cold: NDArray[np.float32]
    num_targets: NDArray[np.int64]
    """Shape (num_users,)."""
    unit: float
    """The weight that makes a standard deviation of the term one of the scores."""

    def plus(self, strength: float) -> Shortlist:
        """Add the term to the scores."""
        return replace(self, scores=self.scores + np.float32(strength) * self.extra)

    def with_extra(self, extra: NDArray[np.float32]) -> Shortlist:
        """Consider another term: float32, shape (num_users, places)."""
        return replace(self, extra=extra)

    def metrics(self, strength: float) -> UserMetrics:
        """Return Recall@20 and NDCG@20 of each user with the term added."""
        scores = self.plus(strength).scores
        best = torch.from_numpy(scores).topk(min(K, scores.shape[1]), dim=1).indices.numpy()
        # In a small catalogue fewer than K products may be left.
        counts = np.isfinite(np.take_along_axis(scores, best, axis=1))
        hits = np.take_along_axis(self.is_target, best, axis=1) & counts
        return recall_and_ndcg(hits, self.num_targets)

    def quality(self, strength: float) -> float:
        """Return the selection criterion with the term added."""
        return Quality.mean(self.metrics(strength)).value


def validation_users(data: TrainingData, times: int = 1) -> NDArray[np.int64]:
    """Return the users with validation targets; of many, evenly spaced ones.

    Args:
        data: with a validation set.
        times: factor on the default maximum number of users.
    """
    users = np.flatnonzero(np.diff(_targets(data).indptr))
    most = times * _max_users(data)
    if len(users) > most:
        users = users[np.linspace(0, len(users) - 1, most).astype(np.int64)]
    return users


def score_users(
    score: ScoreBlock, data: TrainingData, users: NDArray[np.int64] | None = None
) -> ScoredUsers:
    """Score all products for validation users (None: the default number)."""
    targets = _targets(data)
    users = validation_users(data) if users is None else users
    is_cold = data.product_degree == 0
    scores = np.empty((len(users), data.num_products), np.float32)
    deviations = np.empty(len(users), np.float32)
    for block in blocks(len(users), data.num_products):
        scores[block] = score(users[block]).cpu().numpy()
        deviations[block] = scores[block][:, ~is_cold].std(axis=1)
    deviation = float(deviations.mean())
    scores[data.interactions[users].nonzero()] = -np.inf
    if data.cold_products is not None:
        scores[:, data.cold_products] = -np.inf
    places = [fast_topk(torch.from_numpy(scores), min(200, data.num_products))[1].numpy()]
    if is_cold.any() and data.cold_products is None:
        cold = np.flatnonzero(is_cold)
        best = torch.from_numpy(scores[:, cold]).topk(min(50, len(cold)), dim=1).indices
        places.append(cold[best.numpy()])
    return ScoredUsers(
        users=users,
        scores=scores,
        places=np.concatenate(places, axis=1),
        is_target=targets[users].toarray() > 0,
        num_targets=np.diff(targets.indptr).astype(np.int64)[users],
        deviation=deviation,
        log_degree=np.log1p(data.product_degree),
        is_cold=is_cold.astype(np.float32),
    )


def shortlist_of(scored: ScoredUsers, term: TermBlock | None) -> Shortlist:
    """Shortlist users for a term (None: no term)."""
    if term is None:
        return _shortlist(scored, scored.places, np.zeros(scored.places.shape, np.float32), 1.0)
    most = min(100, scored.scores.shape[1])
    best = np.empty((len(scored.users), most), np.int64)
    at_places = np.empty(scored.places.shape, np.float32)
    at_best = np.empty(best.shape, np.float32)
    deviation = 0.0
    for rows in blocks(len(scored.users), scored.scores.shape[1]):
        block = term(scored.users[rows])
        deviation += float(block[:, scored.is_cold == 0].std(axis=1).sum())
        at_places[rows] = np.take_along_axis(block, scored.places[rows], axis=1)
        block[scored.scores[rows] == -np.inf] = -np.inf
        best[rows] = fast_topk(torch.from_numpy(block), most)[1].numpy()
        at_best[rows] = np.take_along_axis(block, best[rows], axis=1)
    return _shortlist(
        scored,
        np.concatenate([scored.places, best], axis=1),
        np.concatenate([at_places, at_best], axis=1),
        max(deviation / max(1, len(scored.users)), 1e-12),
    )


def large_shortlist(score: ScoreBlock, data: TrainingData, term: TermBlock | None) -> Shortlist:
    """Shortlist `_WEIGHT_USERS` times as many users, in parts.

    A weight chosen beside 0 on few users is better there by chance too.
    """
    users = validation_users(data, _WEIGHT_USERS)
    parts = [
        shortlist_of(score_users(score, data, some), term)
        for some in np.array_split(users, -(-len(users) // _max_users(data)))
    ]
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Shortlist)
        if field.name != "unit"
    }
    return Shortlist(**joined, unit=float(np.mean([part.unit for part in parts])))


def is_useless(score: ScoreBlock, data: TrainingData, term: TermBlock) -> bool:
    """Return whether the first of many validation users are best without the term."""
    users = validation_users(data)
    if len(users) == len(validation_users(data, _WEIGHT_USERS)):
        return False
    shortlist = shortlist_of(score_users(score, data, users), term)
    return not max(STRENGTHS, key=shortlist.quality)


def cold_weight(
    score: ScoreBlock, term: ScoreBlock, data: TrainingData, among: NDArray[np.bool_]
) -> float | None:
    """Return the weight of a term that ranks cold products best among themselves.

    Their position beside warm products is another question, which only a temporal split answers.

    Args:
        score: scores so far.
        term: to be added.
        data: with a validation set.
        among: shape (num_products,); products over which the term's deviation is taken.

    Returns:
        None without a validation target among the cold products.
    """
    is_cold = data.product_degree == 0
    targets = data.validation[:, np.flatnonzero(is_cold)]
    users = np.flatnonzero(np.diff(targets.indptr))[:_MAX_USERS]
    if not len(users):
        return None
    users = users[: max(1, _MAX_SCORES // int(is_cold.sum()))]
    is_target = targets[users].toarray() > 0
    num_targets = is_target.sum(axis=1).astype(np.int64)
    base, of_base = _columns(score, users, is_cold, ~is_cold)
    extra, of_extra = _columns(term, users, is_cold, among)
    unit = of_base / max(of_extra, 1e-12)

    def metrics(strength: float) -> UserMetrics:
        scores = base + strength * unit * extra
        places = scores.topk(min(K, scores.shape[1]), dim=1).indices.numpy()
        return recall_and_ndcg(np.take_along_axis(is_target, places, axis=1), num_targets)

    return unit * smallest_within_error(COLD_STRENGTHS, metrics)


def _columns(
    score: ScoreBlock,
    users: NDArray[np.int64],
    columns: NDArray[np.bool_],
    among: NDArray[np.bool_],
) -> tuple[Tensor, float]:
    """Return some columns of the scores, and the mean deviation over those `among`."""
    found, deviations = [], []
    for rows in blocks(len(users), len(columns), _MAX_USERS):
        scores = score(users[rows]).cpu()
        found.append(scores[:, torch.from_numpy(columns)])
        deviations.append(deviations_of(scores, among))
    return torch.cat(found), float(torch.cat(deviations).mean())


def _targets(data: TrainingData) -> csr_array:
    """Return validation targets without products that are ranked separately."""
    if data.cold_products is None:
        return data.validation
    return select_columns(data.validation, ~data.cold_products)


def shortlist_scores(data: TrainingData) -> int:
    """Return the scores that are in memory while weights are chosen."""
    return min(data.num_users, _max_users(data)) * data.num_products


def blocks(num_users: int, num_products: int, most: int = _USERS_PER_BLOCK) -> Iterator[slice]:
    """Yield slices of users, so that scores of all products fit into memory."""
    size = users_per_block(num_products, most)
    for first in range(0, num_users, size):
        yield slice(first, first + size)


def _max_users(data: TrainingData) -> int:
    return max(1, min(_MAX_USERS, _MAX_SCORES // data.num_products))


def _shortlist(
    scored: ScoredUsers, places: NDArray[np.int64], extra: NDArray[np.float32], deviation: float
) -> Shortlist:
    scores = np.take_along_axis(scored.scores, places, axis=1)
    # Of places with the same product only the first counts.
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    repeated = np.zeros(places.shape, bool)
    repeated[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    rows, columns = np.nonzero(repeated)
    scores[rows, order[rows, columns]] = -np.inf
    unit = scored.deviation / deviation
    return Shortlist(
        scores=scores,
        extra=np.where(np.isfinite(scores), extra * np.float32(unit), np.float32(0)),
        is_target=np.take_along_axis(scored.is_target, places, axis=1),
        log_degree=scored.log_degree[places],
        is_cold=scored.is_cold[places],
        num_targets=scored.num_targets,
        unit=unit,
    )
