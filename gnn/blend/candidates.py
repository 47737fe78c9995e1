"""Validation users and the few products that may stand on their lists, to try many scores on.

Whatever is added to the heads' scores is looked at where it may matter only: at the products that
are best by the heads, all and among the unseen ones, and at those that are best by what is added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.ranking import Figures, ScoreBlock, best_of, entries_of, recall_and_ndcg

STRENGTHS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.5)
"""How much of something to add, in standard deviations of the heads' scores."""
FOR_UNSEEN = (*STRENGTHS, 4.0)
"""The same for products that nobody holds in training, of which the heads know least."""
_SCORES = 100_000_000
"""Scores kept while choosing: 400 MB."""
_MOST_USERS = 4000
_MORE = 3
"""How many times as many users decide how much of something is added as decided what."""
_BLOCK = 512
K = 20
"""Length of the lists."""

UserBlock = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""What is added to all products for some users: shape (len(users), num_products), written over."""


@dataclass(slots=True)
class Candidates:
    """Validation users, the products that may stand on their lists, and what is known of them."""

    users: NDArray[np.int64]
    scores: NDArray[np.float32]
    """Heads: shape (num_users, num_products), -inf for what is known or ranked apart."""
    places: NDArray[np.int64]
    """Shape (num_users, places): the best by the heads, all and among the unseen."""
    is_wanted: NDArray[np.bool_]
    """Shape (num_users, num_products)."""
    number: NDArray[np.int64]
    spread: float
    """Mean standard deviation of a user's scores over the products that somebody holds."""
    log_degree: NDArray[np.float32]
    unseen: NDArray[np.float32]


@dataclass(slots=True)
class Added:
    """What is added for the validation users, at the places that matter."""

    heads: NDArray[np.float32]
    """Shape (num_users, places): the best by the heads, then the best of what is added; -inf at a
    place that stands there already."""
    extra: NDArray[np.float32]
    """In standard deviations of the heads, shape as heads; so are the next three."""
    is_wanted: NDArray[np.bool_]
    log_degree: NDArray[np.float32]
    unseen: NDArray[np.float32]
    number: NDArray[np.int64]
    """Shape (num_users,)."""
    unit: float
    """The weight that makes a standard deviation of it one of the heads."""


def validation_users(data: TrainingData, times: int = 1) -> NDArray[np.int64]:
    """Those who have something to find in the validation part; where many, evenly spaced ones.

    Args:
        data: with a validation part in `wanted`.
        times: how many times as many there may be as scores are kept of.
    """
    users = np.flatnonzero(np.diff(_counted(data).indptr))
    most = times * _most_kept(data)
    if len(users) > most:
        users = users[np.linspace(0, len(users) - 1, most).astype(np.int64)]
    return users


def candidates_of(
    score: ScoreBlock, data: TrainingData, users: NDArray[np.int64] | None = None
) -> Candidates:
    """What the heads think of the validation users' products.

    Args:
        score: of the heads.
        data: with a validation part in `wanted`.
        users: some of the validation users; None: as many as scores are kept of.
    """
    wanted = _counted(data)
    number = np.diff(wanted.indptr).astype(np.int64)
    users = validation_users(data) if users is None else users
    degree = data.product_degree
    unseen = degree == 0
    scores = np.empty((len(users), data.num_products), np.float32)
    for first in range(0, len(users), _BLOCK):
        scores[first : first + _BLOCK] = score(users[first : first + _BLOCK]).cpu().numpy()
    spread = float(scores[:, ~unseen].std(axis=1).mean())
    scores[data.held[users].nonzero()] = -np.inf
    if data.apart is not None:
        scores[:, data.apart] = -np.inf
    table = torch.from_numpy(scores)
    places = [best_of(table, min(200, data.num_products))[1].numpy()]
    if unseen.any() and data.apart is None:
        other = np.flatnonzero(unseen)
        best = torch.from_numpy(scores[:, other]).topk(min(50, len(other)), dim=1).indices
        places.append(other[best.numpy()])
    return Candidates(
        users=users,
        scores=scores,
        places=np.concatenate(places, axis=1),
        is_wanted=wanted[users].toarray() > 0,
        number=number[users],
        spread=spread,
        log_degree=np.log1p(degree),
        unseen=unseen.astype(np.float32),
    )


def _counted(data: TrainingData) -> csr_array:
    """What lists should hold; products that are ranked apart are not offered here."""
    return data.wanted if data.apart is None else entries_of(data.wanted, ~data.apart)


def added_by(lists: Candidates, block_of: UserBlock | None) -> Added:
    """What is added to the validation users' scores, where it matters.

    Args:
        lists: of the heads.
        block_of: what is added; None: nothing is.
    """
    if block_of is None:
        return _added(lists, lists.places, np.zeros(lists.places.shape, np.float32), 1.0)
    most = min(100, lists.scores.shape[1])
    best = np.empty((len(lists.users), most), np.int64)
    at_heads = np.empty(lists.places.shape, np.float32)
    at_best = np.empty(best.shape, np.float32)
    spread = 0.0
    for first in range(0, len(lists.users), _BLOCK):
        part = slice(first, first + _BLOCK)
        block = block_of(lists.users[part])
        spread += float(block[:, lists.unseen == 0].std(axis=1).sum())
        at_heads[part] = np.take_along_axis(block, lists.places[part], axis=1)
        block[lists.scores[part] == -np.inf] = -np.inf
        best[part] = best_of(torch.from_numpy(block), most)[1].numpy()
        at_best[part] = np.take_along_axis(block, best[part], axis=1)
    return _added(
        lists,
        np.concatenate([lists.places, best], axis=1),
        np.concatenate([at_heads, at_best], axis=1),
        max(spread / max(1, len(lists.users)), 1e-12),
    )


def added_for_more(score: ScoreBlock, data: TrainingData, block_of: UserBlock | None) -> Added:
    """The same for more users: what is chosen beside 0 by few is better there by luck, too.

    Args:
        score: of the heads.
        data: with a validation part in `wanted`.
        block_of: what is added; None: nothing is.
    """
    users = validation_users(data, _MORE)
    parts = [
        added_by(candidates_of(score, data, some), block_of)
        for some in np.array_split(users, -(-len(users) // _most_kept(data)))
    ]
    together = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Added)
        if field.name != "unit"
    }
    return Added(**together, unit=float(np.mean([part.unit for part in parts])))


def adds_nothing(score: ScoreBlock, data: TrainingData, block_of: UserBlock) -> bool:
    """Whether the first few are best off without it, where more are to come.

    Args:
        score: of the heads.
        data: with a validation part in `wanted`.
        block_of: what might be added.
    """
    users = validation_users(data)
    if len(users) == len(validation_users(data, _MORE)):
        return False
    added = added_by(candidates_of(score, data, users), block_of)
    return not max(STRENGTHS, key=lambda strength: value_of(quality_of(added, strength)))


def _most_kept(data: TrainingData) -> int:
    return max(1, min(_MOST_USERS, _SCORES // data.num_products))


def _added(
    lists: Candidates, places: NDArray[np.int64], extra: NDArray[np.float32], spread: float
) -> Added:
    heads = np.take_along_axis(lists.scores, places, axis=1)
    # A place counts once: of those that are the same product, the first.
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    again = np.zeros(places.shape, bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    rows, columns = np.nonzero(again)
    heads[rows, order[rows, columns]] = -np.inf
    unit = lists.spread / spread
    return Added(
        heads=heads,
        extra=np.where(np.isfinite(heads), extra * np.float32(unit), np.float32(0)),
        is_wanted=np.take_along_axis(lists.is_wanted, places, axis=1),
        log_degree=lists.log_degree[places],
        unseen=lists.unseen[places],
        number=lists.number,
        unit=unit,
    )


def quality_of(added: Added, strength: float, delta: float = 0.0, offset: float = 0.0) -> Figures:
    """Recall@20 and NDCG@20 of each validation user with a blend.

    Args:
        added: to the heads.
        strength: of what is added, in standard deviations of the heads.
        delta: of the degree.
        offset: of unseen products.
    """
    scores = added.heads + np.float32(strength) * added.extra
    if delta or offset:
        scores += np.float32(delta) * added.log_degree + np.float32(offset) * added.unseen
    best = torch.from_numpy(scores).topk(min(K, scores.shape[1]), dim=1).indices.numpy()
    # With few products the lists are longer than what is left to recommend.
    counts = np.isfinite(np.take_along_axis(scores, best, axis=1))
    hits = np.take_along_axis(added.is_wanted, best, axis=1) & counts
    return recall_and_ndcg(hits, added.number)


def weight_for_unseen(
    score: ScoreBlock, added: ScoreBlock, data: TrainingData, among: NDArray[np.bool_]
) -> float | None:
    """How much to add to unseen products: what ranks them best among themselves.

    No split can tell the answer to that, as it can tell how they stand beside all others.

    Args:
        score: of the heads.
        added: to them.
        data: with a validation part in `wanted`.
        among: shape (num_products,); products over which the spread of what is added is taken.

    Returns:
        None where nobody of the validation part wants an unseen product.
    """
    is_unseen = data.product_degree == 0
    wanted = data.wanted[:, np.flatnonzero(is_unseen)]
    users = np.flatnonzero(np.diff(wanted.indptr))[:_MOST_USERS]
    if not len(users):
        return None
    is_wanted = wanted[users].toarray() > 0
    number = is_wanted.sum(axis=1).astype(np.int64)
    heads, more = (block(users).cpu() for block in (score, added))
    unit = spread_of(heads, ~is_unseen) / max(spread_of(more, among), 1e-12)
    heads, more = (block[:, torch.from_numpy(is_unseen)] for block in (heads, more))

    def figures(strength: float) -> Figures:
        scores = heads + strength * unit * more
        places = scores.topk(min(K, scores.shape[1]), dim=1).indices.numpy()
        return recall_and_ndcg(np.take_along_axis(is_wanted, places, axis=1), number)

    return unit * smallest(FOR_UNSEEN, figures)


def spread_of(scores: Tensor, which: NDArray[np.bool_]) -> float:
    """Mean over users of the standard deviation over some products.

    Args:
        scores: shape (num_users, num_products).
        which: shape (num_products,); those that count.
    """
    return float(scores[:, torch.from_numpy(which)].std(dim=1, correction=0).mean())


def value_of(figures: Figures) -> float:
    """What is compared: the geometric mean of recall and NDCG."""
    return float(np.sqrt(figures[0].mean() * figures[1].mean()))


def smallest(values: Sequence[float], ask: Callable[[float], Figures]) -> float:
    """The first value that is within one standard error of the best; smallest come first.

    The very first, which adds nothing, is left only for what is better by two: the best of many
    looks better than it is.

    Args:
        values: what may be taken.
        ask: recall and NDCG of each user with one of them.
    """
    found = {value: ask(value) for value in values}
    best = max(values, key=lambda value: value_of(found[value]))
    recall, ndcg = found[best]
    if not (recall.mean() and ndcg.mean()):
        return values[0]
    for value in values:
        # The geometric mean of two means, to first order a mean over users.
        lost = (recall - found[value][0]) / recall.mean() + (ndcg - found[value][1]) / ndcg.mean()
        allowed = 2.0 if value == values[0] else 1.0
        if lost.mean() <= allowed * lost.std() / np.sqrt(len(lost)):
            return value
    return best
