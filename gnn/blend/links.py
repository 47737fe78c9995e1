"""The term of links between products: w sum of S[n, i] over the products n that u holds.

The weight is w = z sd(score) / sd(links), means over users of standard deviations over products,
so that the strength z means the same on every data set. Recipe and strength are chosen together:
links that blend best are sharper than those that are best alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.gnn.blend.link_models import CoOccurrence, LinkRecipe, scale_links
from kinfolio.gnn.blend.selection import (
    STRENGTHS,
    deviations_of,
    hill_climb,
    smallest_within_error,
)
from kinfolio.gnn.blend.shortlist import (
    ScoredUsers,
    Shortlist,
    TermBlock,
    blocks,
    large_shortlist,
    score_users,
    shortlist_of,
    validation_users,
)
from kinfolio.gnn.blend.term import NewProduct, Parts, Pool, Term
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.propagation import to_torch
from kinfolio.gnn.ranking import Quality, ScoreBlock

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Values of lambda."""
POWERS = (0.0, 0.5)
"""Values of p."""
SCALES = (-0.5, -0.25, 0.0, 0.25)
"""Values of c."""
CO_OCCURRENCES = (
    LinkRecipe(form="common", first=0.0, second=0.5, scale=-0.5),
    LinkRecipe(form="common", first=0.25, second=0.5, scale=0.0),
)
_DEVIATION_USERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTrial:
    """One recipe at its best strength."""

    recipe: str
    strength: float
    recall: float
    ndcg: float


class Links(Term):
    """Sparse links, weighted."""

    is_sparse = True
    recipe: LinkRecipe | None = None
    """None: no links."""
    strength = 0.0
    """z; the weight follows from the standard deviations."""
    matrix: csr_array | None = None
    """w S: float32, shape (num_products, num_products); None for no links."""
    trials: tuple[LinkTrial, ...] = ()

    def fit(self, pool: Pool) -> Shortlist | None:
        """Choose recipe and strength."""
        data = pool.data
        if not len(validation_users(data)):
            return None
        links, recipe = None, None
        if pool.has_links:
            search = _RecipeSearch(pool)
            self.trials = tuple(search.trials.values())
            recipe, links = search.recipe, search.links
        shortlist = large_shortlist(
            pool.score, data, None if links is None else _block(data, links)
        )
        if links is not None:
            self.strength = smallest_within_error(STRENGTHS, shortlist.metrics)
        if self.strength and links is not None:
            self.recipe = recipe
            self._set(links, pool)
        return shortlist.plus(self.strength)

    def refit(self, pool: Pool) -> None:
        """Compute the links from other data."""
        if self.recipe is not None:
            counts = CoOccurrence(pool.data.interactions)
            self._set(make_links(counts, self.recipe), pool)

    def add(self, score: ScoreBlock) -> ScoreBlock:
        """Return the score with the links."""
        if self.matrix is None:
            return score
        return add_links(score, self._interactions, self.matrix)

    def contribute(self, parts: Parts) -> None:
        """Store the weighted links."""
        if self.matrix is not None:
            parts.links = self.matrix

    def describe_new(self, new: NewProduct) -> None:
        """Add nothing: links come from the products that its holders hold."""

    def report(self) -> dict[str, object]:
        """Return recipe, strength and trials."""
        return {
            "recipe": None if self.recipe is None else asdict(self.recipe),
            "strength": self.strength,
            "trials": [asdict(trial) for trial in self.trials],
        }

    def _set(self, links: csr_array, pool: Pool) -> None:
        """Set w S for links S."""
        data = pool.data
        users = validation_users(pool.selected_on or data)[:_DEVIATION_USERS]
        is_warm = data.product_degree > 0
        found, linked = [], []
        for rows in blocks(len(users), data.num_products, _DEVIATION_USERS):
            found.append(deviations_of(pool.score(users[rows]), is_warm))
            linked.append(_block(data, links)(users[rows])[:, is_warm].std(axis=1))
        of_score, of_links = float(torch.cat(found).mean()), float(np.concatenate(linked).mean())
        weight = np.float32(self.strength * of_score / max(of_links, 1e-12))
        self.set_matrix(csr_array(links * weight), data)

    def set_matrix(self, matrix: csr_array, data: TrainingData) -> None:
        """Use weighted links: float32, shape (num_products, num_products)."""
        self._interactions, self.matrix = data.interactions, matrix


class _RecipeSearch:
    """The best recipe of each family, searched by coordinates."""

    def __init__(self, pool: Pool) -> None:
        self.trials: dict[LinkRecipe, LinkTrial] = {}
        self.recipe: LinkRecipe | None = None
        self.links: csr_array | None = None
        self._pool = pool
        self._counts = CoOccurrence(pool.data.interactions)
        self._ridges: dict[float, csr_array] = {}
        if self._counts.gram.nnz:
            self._scored: ScoredUsers = score_users(pool.score, pool.data)
            for power in POWERS:
                # One pass over the products solves for all penalties.
                self._ridges = self._counts.ridge(power, PENALTIES)
                penalty = hill_climb(PENALTIES, partial(self._ridge, power))
                hill_climb(SCALES, partial(self._ridge, power, penalty))
            for recipe in CO_OCCURRENCES:
                self._evaluate(recipe)
            del self._scored, self._ridges

    def _ridge(self, power: float, penalty: float, scale: float = 0.0) -> float:
        return self._evaluate(LinkRecipe("ridge", power, penalty, scale))

    def _evaluate(self, recipe: LinkRecipe) -> float:
        if recipe not in self.trials:
            self._pool.on_step(f"trying links, {recipe}")
            links = make_links(self._counts, recipe, self._ridges)
            shortlist = shortlist_of(self._scored, _block(self._pool.data, links))
            found = {z: Quality.mean(shortlist.metrics(z)) for z in STRENGTHS}
            strength = max(found, key=lambda z: found[z].value)
            best = max(self.trials.values(), key=_value, default=None)
            trial = LinkTrial(recipe=str(recipe), strength=strength, **asdict(found[strength]))
            self.trials[recipe] = trial
            if best is None or _value(trial) > _value(best):
                self.recipe, self.links = recipe, links
        return _value(self.trials[recipe])


def make_links(
    counts: CoOccurrence, recipe: LinkRecipe, ridges: dict[float, csr_array] | None = None
) -> csr_array:
    """Return S by a recipe: float32, shape (num_products, num_products).

    Args:
        counts: co-occurrence counts.
        recipe: the form of the links.
        ridges: solutions by penalty, if there are any already.
    """
    if recipe.form == "common":
        links = counts.common(recipe.first, recipe.second)
    else:
        links = (ridges or counts.ridge(recipe.first, (recipe.second,)))[recipe.second]
    return scale_links(links, counts.degree, recipe.scale)


def add_links(score: ScoreBlock, interactions: csr_array, links: csr_array) -> ScoreBlock:
    """Return the score plus interactions @ links.

    Args:
        score: scores so far.
        interactions: shape (num_users, num_products), ones.
        links: shape (num_products, num_products), weighted.
    """

    def add(users: NDArray[np.int64]) -> Tensor:
        # In place: allocating a second block of scores costs more than filling it.
        scores = score(users)
        if links.nnz:
            scores += to_torch(csr_array(interactions[users] @ links), scores.device)
        return scores

    return add


def _block(data: TrainingData, links: csr_array) -> TermBlock:
    return lambda users: (data.interactions[users] @ links).toarray()


def _value(trial: LinkTrial) -> float:
    return Quality(recall=trial.recall, ndcg=trial.ndcg).value
