"""Heads and links in one score, and how much of each: chosen on the validation part.

s(u, i) = heads(u, i) + w sum of S[n, i] over the n that u holds + delta log(1 + degree_i)
+ offset [degree_i = 0]. The weight is w = z sd(heads) / sd(links), means over users of standard
deviations over products, so that z means the same on every data set. Of the values of z, delta and
the offset that are no worse than the best by more than one standard error of the paired
difference, the smallest is taken, and 0 unless it is worse by two: nothing is added that does not
show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.blend.candidates import (
    STRENGTHS,
    Candidates,
    K,
    UserBlock,
    added_by,
    added_for_more,
    candidates_of,
    quality_of,
    smallest,
    spread_of,
    validation_users,
    value_of,
)
from kinfolio.gnn.blend.links import CommonHolders, Recipe, scaled
from kinfolio.gnn.blend.text_block import TextWeights
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.propagation import to_torch
from kinfolio.gnn.ranking import Quality, ScoreBlock
from kinfolio.gnn.training.choose import walk

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
_BELOW = 0.001
_MOST_SPREAD = 1000
"""Users whose scores tell the standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """What is added to the heads."""

    text: TextWeights = field(default_factory=TextWeights)
    reviewers: float = 0.0
    """Weight of who wrote about a product that nobody holds in training."""
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

    @property
    def value(self) -> float:
        """What is compared."""
        return Quality(recall=self.recall, ndcg=self.ndcg).value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChosenBlend:
    """The blend, what was tried for it, and what it makes of the validation users."""

    blend: Blend
    trials: tuple[BlendTrial, ...]
    quality: Quality
    """On the validation users it was chosen by."""
    links: csr_array | None
    """Of its recipe, as yet without a weight."""


def choose_blend(
    score: ScoreBlock,
    data: TrainingData,
    holders: CommonHolders | None,
    note: Callable[[str], None] = lambda text: None,
) -> ChosenBlend:
    """How links are made, how much they add, and what degrees and unseen products get.

    Args:
        score: of the heads.
        data: with a validation part in `wanted`.
        holders: to make links from; None for no links.
        note: told of every recipe that is tried.
    """
    if not len(validation_users(data)):
        return ChosenBlend(
            blend=Blend(), trials=(), quality=Quality(recall=0.0, ndcg=0.0), links=None
        )
    trials: dict[Recipe, BlendTrial] = {}
    best: tuple[Recipe, csr_array] | None = None
    if holders is not None and holders.gram.nnz:
        lists = candidates_of(score, data)
        made: dict[float, dict[float, csr_array]] = {}

        def attempt(recipe: Recipe) -> float:
            nonlocal best
            if recipe not in trials:
                note(str(recipe))
                links = _links(holders, recipe, made)
                trials[recipe] = _tried(lists, recipe, _linked(data, links))
                if best is None or trials[recipe].value > trials[best[0]].value:
                    best = recipe, links
            return trials[recipe].value

        def ridge(power: float, penalty: float, scale: float = 0.0) -> float:
            return attempt(Recipe("ridge", power, penalty, scale))

        for power in POWERS:
            penalty = walk(PENALTIES, partial(ridge, power))
            walk(SCALES, partial(ridge, power, penalty))
            made.pop(power, None)
        for recipe in COMMON:
            attempt(recipe)
        del lists
    blend = Blend()
    added = added_for_more(score, data, _linked(data, best[1]) if best is not None else None)
    if best is not None and (strength := smallest(STRENGTHS, partial(quality_of, added))):
        blend = Blend(recipe=best[0], strength=strength)
    delta = smallest(DELTAS, partial(quality_of, added, blend.strength))
    offset = 0.0
    if data.is_later and (added.is_wanted & (added.unseen > 0)).any():
        offset = smallest(OFFSETS, partial(quality_of, added, blend.strength, delta))
    return ChosenBlend(
        blend=replace(blend, delta=delta, offset=offset),
        trials=tuple(trials.values()),
        quality=Quality.of(quality_of(added, blend.strength, delta, offset)),
        links=best[1] if best is not None and blend.recipe is not None else None,
    )


def links_of(recipe: Recipe, holders: CommonHolders) -> csr_array:
    """S by a recipe: float32, shape (num_products, num_products), from held products."""
    return _links(holders, recipe, {}, (recipe.second,))


def weighed(
    links: csr_array,
    blend: Blend,
    score: ScoreBlock,
    data: TrainingData,
    chosen_by: TrainingData | None = None,
) -> csr_array:
    """The links, w S.

    Args:
        links: S.
        blend: what was chosen.
        score: of the heads.
        data: whose holdings the links are made from.
        chosen_by: with the validation users the blend was chosen by; None: `data`.
    """
    users = validation_users(chosen_by or data)[:_MOST_SPREAD]
    is_seen = data.product_degree > 0
    heads = spread_of(score(users), is_seen)
    added = float((data.held[users] @ links).toarray()[:, is_seen].std(axis=1).mean())
    return csr_array(links * np.float32(blend.strength * heads / max(added, 1e-12)))


def blended(
    score: ScoreBlock, data: TrainingData, blend: Blend, links: csr_array | None
) -> ScoreBlock:
    """Scores of the heads with what the blend adds.

    Args:
        score: of the heads.
        data: whose holdings and degrees count.
        blend: what was chosen.
        links: of `weighed`.
    """
    return with_links(score, data.held, links, torch.from_numpy(extra_bias(blend, data)))


def offset_of_unseen(score: ScoreBlock, data: TrainingData) -> float:
    """What keeps products that nobody holds right below the lists of validation users.

    For want of a validation part that came later, which would tell where they should stand.

    Args:
        score: with all that is added.
        data: with a validation part in `wanted`.
    """
    unseen = data.product_degree == 0
    users = validation_users(data)[:_MOST_SPREAD]
    if not (len(users) and unseen.any()):
        return 0.0
    scores = score(users).cpu().numpy().copy()
    scores[data.held[users].nonzero()] = -np.inf
    seen = torch.from_numpy(scores[:, ~unseen])
    # In a small catalogue a list of 20 would hold nearly all.
    last = seen.topk(min(K, max(1, seen.shape[1] // 10)), dim=1).values[:, -1].numpy()
    lacking = (last - scores[:, unseen].max(axis=1))[np.isfinite(last)]
    return float(lacking.min(initial=0.0)) - _BELOW


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
            scores += to_torch(csr_array(held[users] @ links), scores.device)
        return scores

    return add


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


def _linked(data: TrainingData, links: csr_array) -> UserBlock:
    """What links add to all products for some users."""
    return lambda users: (data.held[users] @ links).toarray()


def _tried(lists: Candidates, recipe: Recipe, linked: UserBlock) -> BlendTrial:
    added = added_by(lists, linked)
    found = {z: quality_of(added, z) for z in STRENGTHS}
    best = max(found, key=lambda z: value_of(found[z]))
    recall, ndcg = (float(part.mean()) for part in found[best])
    return BlendTrial(recipe=str(recipe), strength=best, recall=recall, ndcg=ndcg)
