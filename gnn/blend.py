"""Heads and links in one score, and how much of each: chosen on the validation part.

s(u, i) = heads(u, i) + w sum of S[n, i] over the n that u holds + delta log(1 + degree_i)
+ offset [degree_i = 0]. The weight is w = z sd(heads) / sd(links), means over users of standard
deviations over products, so that z means the same on every data set. Of the values of z, delta and
the offset that are no worse than the best by more than one standard error of the paired
difference, the smallest is taken: nothing is added that does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.choose import walk
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.links import CommonHolders, Recipe, scaled
from kinfolio.gnn.ranking import Quality, ScoreBlock, recall_and_ndcg

STRENGTHS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.5)
"""Values of z."""
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Values of lambda."""
POWERS = (0.0, 0.5)
"""Values of p."""
SCALES = (-0.5, -0.25, 0.0, 0.25)
"""Values of c."""
COMMON = (
    Recipe(form="common", first=0.0, second=0.5, scale=-0.5),
    Recipe(form="common", first=0.25, second=0.5, scale=0.0),
)
DELTAS = (0.0, -0.05, 0.05, -0.1, 0.1, -0.2, 0.2, -0.4, 0.4)
OFFSETS = (0.0, -0.5, 0.5, -1.0, 1.0, -2.0, 2.0, -4.0, 4.0)
"""Values of the offset of products that nobody held in training, smallest first as all these."""
_SCORES = 100_000_000
"""Scores kept while choosing: 400 MB."""
_MOST_USERS = 4000
_MOST_SPREAD = 1000
"""Users whose scores tell the standard deviations."""
_BLOCK = 512
_K = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """What is added to the heads."""

    recipe: Recipe | None = None
    """None: no links."""
    strength: float = 0.0
    """z; the weight follows from the standard deviations."""
    delta: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlendTrial:
    """One recipe of links, at the strength that suited it best."""

    recipe: str
    strength: float
    recall: float
    ndcg: float


@dataclass(slots=True)
class _Lists:
    """Validation users, the products that may stand on their lists, and what is known of them."""

    users: NDArray[np.int64]
    scores: NDArray[np.float32]
    """Heads: shape (num_users, num_products), -inf for what is known."""
    places: NDArray[np.int64]
    """Shape (num_users, places): the best by the heads, all and among the unseen."""
    is_wanted: NDArray[np.bool_]
    """Shape (num_users, num_products)."""
    number: NDArray[np.int64]
    spread: float
    """Mean standard deviation of a user's scores over all products."""
    log_degree: NDArray[np.float32]
    unseen: NDArray[np.float32]
    held: csr_array
    known: tuple[NDArray[np.int32], NDArray[np.int32]] = field(init=False)

    def __post_init__(self) -> None:
        self.known = self.held.nonzero()


def choose_blend(
    score: ScoreBlock,
    data: TrainingData,
    holders: CommonHolders | None,
    note: Callable[[str], None] = lambda text: None,
) -> tuple[Blend, tuple[BlendTrial, ...], Quality]:
    """The blend, what was tried for it, and its quality on the validation users it was chosen by.

    Args:
        score: of the heads.
        data: with a validation part in `wanted`.
        holders: to make links from; None for no links.
        note: told of every recipe that is tried.
    """
    lists = _lists(score, data)
    trials: dict[Recipe, tuple[BlendTrial, _Added]] = {}
    blend, added = Blend(), None
    if holders is not None and holders.gram.nnz:
        made: dict[float, dict[float, csr_array]] = {}

        def attempt(recipe: Recipe) -> float:
            if recipe not in trials:
                note(str(recipe))
                links = _links(holders, recipe, made)
                trials[recipe] = _tried(lists, recipe, links)
            trial = trials[recipe][0]
            return float(np.sqrt(trial.recall * trial.ndcg))

        def ridge(power: float, penalty: float, scale: float = 0.0) -> float:
            return attempt(Recipe("ridge", power, penalty, scale))

        for power in POWERS:
            penalty = walk(PENALTIES, partial(ridge, power))
            walk(SCALES, partial(ridge, power, penalty))
            made.pop(power, None)
        for recipe in COMMON:
            attempt(recipe)
        best = max(trials, key=attempt)
        added = trials[best][1]
        strength = _smallest(STRENGTHS, lambda z: _quality(lists, added, z))
        if strength:
            blend = Blend(recipe=best, strength=strength)
    delta = _smallest(DELTAS, lambda value: _quality(lists, added, blend.strength, value))
    offset = 0.0
    # In a part cut at random, a product that nobody holds in training is one that somebody holds in
    # what was cut off, or it would not be in the data: an offset would learn the cut.
    if data.is_later and lists.is_wanted[:, lists.unseen > 0].any():
        offset = _smallest(
            OFFSETS, lambda value: _quality(lists, added, blend.strength, delta, value)
        )
    recall, ndcg = _quality(lists, added, blend.strength, delta, offset)
    return (
        Blend(
            recipe=blend.recipe,
            strength=blend.strength,
            delta=delta,
            offset=offset,
        ),
        tuple(trial for trial, _ in trials.values()),
        Quality(recall=float(recall.mean()), ndcg=float(ndcg.mean())),
    )


def blend_links(
    blend: Blend,
    score: ScoreBlock,
    data: TrainingData,
    holders: CommonHolders | None,
    chosen_by: TrainingData | None = None,
) -> csr_array | None:
    """The links, w S: float32, shape (num_products, num_products), from held products.

    Args:
        blend: what was chosen; without a recipe there are no links.
        score: of the heads.
        data: whose holdings the links are made from.
        holders: of that data.
        chosen_by: with the validation users the blend was chosen by; None: `data`.
    """
    if blend.recipe is None or holders is None:
        return None
    links = _links(holders, blend.recipe, {}, (blend.recipe.second,))
    users = _validation_users(chosen_by or data)[:_MOST_SPREAD]
    heads = float(score(users).std(dim=1, correction=0).mean())
    added = float((data.held[users] @ links).toarray().std(axis=1).mean())
    return csr_array(links * np.float32(blend.strength * heads / max(added, 1e-12)))


def blended(
    score: ScoreBlock, data: TrainingData, blend: Blend, links: csr_array | None
) -> ScoreBlock:
    """Scores of the heads with what the blend adds.

    Args:
        score: of the heads.
        data: whose holdings and degrees count.
        blend: what was chosen.
        links: of `blend_links`.
    """
    return with_links(score, data.held, links, torch.from_numpy(extra_bias(blend, data)))


def extra_bias(blend: Blend, data: TrainingData) -> NDArray[np.float32]:
    """What the blend adds to each product for everybody: float32, shape (num_products,)."""
    degree = data.product_degree
    bias: NDArray[np.float32] = np.float32(blend.delta) * np.log1p(degree) + np.float32(
        blend.offset
    ) * (degree == 0)
    return bias.astype(np.float32)


def with_links(
    score: ScoreBlock, held: csr_array, links: csr_array | None, bias: Tensor | None
) -> ScoreBlock:
    """Scores of the heads plus what links and bias add.

    Args:
        score: of the heads.
        held: shape (num_users, num_products), ones.
        links: shape (num_products, num_products), the weight multiplied in; None for none.
        bias: float32, shape (num_products,); None for none.
    """

    def add(users: NDArray[np.int64]) -> Tensor:
        # In place and only where something is added: a second block of scores costs more to get
        # from the system than to fill.
        scores = score(users)
        if bias is not None:
            scores += bias.to(scores)
        if links is not None and links.nnz:
            part = (held[users] @ links).tocoo()
            row, column = (torch.from_numpy(ends.astype(np.int64)) for ends in part.coords)
            scores[row, column] += torch.from_numpy(part.data).to(scores)
        return scores

    return add


@dataclass(slots=True)
class _Added:
    """What a recipe's links add for the validation users, at the places that matter."""

    places: NDArray[np.int64]
    """Shape (num_users, places); the heads' places, then the links' best."""
    heads: NDArray[np.float32]
    """Shape as places; -inf at a place that stands there already."""
    links: NDArray[np.float32]
    spread: float


def _links(
    holders: CommonHolders,
    recipe: Recipe,
    made: dict[float, dict[float, csr_array]],
    penalties: tuple[float, ...] = PENALTIES,
) -> csr_array:
    if recipe.form == "common":
        links = holders.common(recipe.first, recipe.second)
    else:
        # One pass over the products serves all penalties.
        if recipe.first not in made:
            made[recipe.first] = holders.ridge(recipe.first, penalties)
        links = made[recipe.first][recipe.second]
    return scaled(links, holders.degree, recipe.scale)


def _validation_users(data: TrainingData) -> NDArray[np.int64]:
    """Those who have something in the validation part, evenly spaced ones where they are many."""
    users = np.flatnonzero(np.diff(data.wanted.indptr))
    most = max(1, min(_MOST_USERS, _SCORES // data.num_products))
    if len(users) > most:
        users = users[np.linspace(0, len(users) - 1, most).astype(np.int64)]
    return users


def _lists(score: ScoreBlock, data: TrainingData) -> _Lists:
    number = np.diff(data.wanted.indptr).astype(np.int64)
    users = _validation_users(data)
    degree = data.product_degree
    unseen = degree == 0
    scores = np.empty((len(users), data.num_products), np.float32)
    for first in range(0, len(users), _BLOCK):
        scores[first : first + _BLOCK] = score(users[first : first + _BLOCK]).cpu().numpy()
    spread = float(scores.std(axis=1).mean())
    held = csr_array(data.held[users])
    scores[held.nonzero()] = -np.inf
    table = torch.from_numpy(scores)
    places = [table.topk(min(200, data.num_products), dim=1).indices.numpy()]
    if unseen.any():
        other = np.flatnonzero(unseen)
        best = torch.from_numpy(scores[:, other]).topk(min(50, len(other)), dim=1).indices
        places.append(other[best.numpy()])
    return _Lists(
        users=users,
        scores=scores,
        places=np.concatenate(places, axis=1),
        is_wanted=data.wanted[users].toarray() > 0,
        number=number[users],
        spread=spread,
        log_degree=np.log1p(degree),
        unseen=unseen.astype(np.float32),
        held=held,
    )


def _tried(lists: _Lists, recipe: Recipe, links: csr_array) -> tuple[BlendTrial, _Added]:
    added = _added(lists, links)
    found = {z: _quality(lists, added, z) for z in STRENGTHS}
    best = max(found, key=lambda z: _value(found[z]))
    recall, ndcg = (float(part.mean()) for part in found[best])
    return BlendTrial(recipe=str(recipe), strength=best, recall=recall, ndcg=ndcg), added


def _added(lists: _Lists, links: csr_array) -> _Added:
    most = min(100, lists.scores.shape[1])
    best = np.empty((len(lists.users), most), np.int64)
    at_heads = np.empty(lists.places.shape, np.float32)
    at_best = np.empty(best.shape, np.float32)
    spread = 0.0
    for first in range(0, len(lists.users), _BLOCK):
        part = slice(first, first + _BLOCK)
        block = (lists.held[part] @ links).toarray()
        spread += float(block.std(axis=1).sum())
        at_heads[part] = np.take_along_axis(block, lists.places[part], axis=1)
        block[lists.scores[part] == -np.inf] = -np.inf
        best[part] = torch.from_numpy(block).topk(most, dim=1).indices.numpy()
        at_best[part] = np.take_along_axis(block, best[part], axis=1)
    places = np.concatenate([lists.places, best], axis=1)
    heads = np.take_along_axis(lists.scores, places, axis=1)
    # A place counts once: of those that are the same product, the first.
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    again = np.zeros(places.shape, bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    rows, columns = np.nonzero(again)
    heads[rows, order[rows, columns]] = -np.inf
    return _Added(
        places=places,
        heads=heads,
        links=np.where(np.isfinite(heads), np.concatenate([at_heads, at_best], axis=1), 0),
        spread=max(spread / max(1, len(lists.users)), 1e-12),
    )


_Figures = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Recall and NDCG of each user."""


def _quality(
    lists: _Lists,
    added: _Added | None,
    strength: float,
    delta: float = 0.0,
    offset: float = 0.0,
) -> _Figures:
    if added is None:
        places, scores = lists.places, np.take_along_axis(lists.scores, lists.places, axis=1)
        # Unseen ones may stand twice when they are among the best of all.
        width = min(200, lists.scores.shape[1])
        twice = (places[:, width:, None] == places[:, None, :width]).any(axis=2)
        scores[:, width:][twice] = -np.inf
    else:
        places = added.places
        scores = added.heads + np.float32(strength * lists.spread / added.spread) * added.links
    extra = np.float32(delta) * lists.log_degree + np.float32(offset) * lists.unseen
    scores = scores + extra[places]
    best = torch.from_numpy(scores).topk(min(_K, scores.shape[1]), dim=1).indices.numpy()
    chosen = np.take_along_axis(places, best, axis=1)
    # With few products the lists are longer than what is left to recommend.
    counts = np.isfinite(np.take_along_axis(scores, best, axis=1))
    hits = np.take_along_axis(lists.is_wanted, chosen, axis=1) & counts
    return recall_and_ndcg(hits, lists.number)


def _value(figures: _Figures) -> float:
    return float(np.sqrt(figures[0].mean() * figures[1].mean()))


def _smallest(values: Sequence[float], ask: Callable[[float], _Figures]) -> float:
    """The first value that is within one standard error of the best; smallest come first."""
    found = {value: ask(value) for value in values}
    best = max(values, key=lambda value: _value(found[value]))
    recall, ndcg = found[best]
    if not (recall.mean() and ndcg.mean()):
        return values[0]
    for value in values:
        # The geometric mean of two means, to first order a mean over users.
        lost = (recall - found[value][0]) / recall.mean() + (ndcg - found[value][1]) / ndcg.mean()
        if lost.mean() <= lost.std() / np.sqrt(len(lost)):
            return value
    return best
