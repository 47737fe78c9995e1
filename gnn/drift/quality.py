"""The quality of lists on holdings newer than the training: each tests the list before it.

That list is computed without the holding itself and without those at the same time or later;
undated new holdings are left out together. As on the validation set of a training, all products
that the user does not hold compete, and the rules do not apply. Users are a sample.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.drift.config import DriftConfig
from kinfolio.gnn.drift.distributions import Comparison
from kinfolio.gnn.drift.records import NewQuality, Verdict
from kinfolio.gnn.drift.sample import ListTest, Sample
from kinfolio.gnn.evaluation.bootstrap import intervals
from kinfolio.gnn.feedback.intervals import Estimate, share
from kinfolio.gnn.serving.catalogue import Catalogue, read_catalogue
from kinfolio.gnn.serving.user_state import read_user_states
from kinfolio.records import Progress

K = 20
ROWS_AT_ONCE = 64


def measure_quality(
    graph: Graph,
    version: dict[str, Any],  # Any: its properties
    comparison: Comparison,
    note: Callable[[str], None],
    progress: Progress,
) -> NewQuality | None:
    """Return the quality on new holdings; None with a note where there are too few.

    Raises:
        NotReady: another version took the slot meanwhile.
    """
    config, present = comparison.config, comparison.present
    changed = np.flatnonzero(present.has_changed & (present.per_user > 0))
    rng = np.random.default_rng(config.seed)
    chosen = sorted(rng.permutation(changed)[: config.users].tolist())
    sample = Sample(graph, version, comparison, rng)
    progress("choosing new holdings", 0, 0)
    tests = list(sample.tests([present.user_ids[row] for row in chosen]))
    users = len({test.user for test in tests})
    if users < max(comparison.min_people, 1):
        note(f"quality: {'too few' if users else 'no'} users have new holdings")
        return None
    for text in sample.notes(len(changed), len(chosen)):
        note(text)
    ranked = _Ranking(graph, version, comparison).ranks(tests, note, progress)
    return _summary(ranked, version, config)


@dataclass(frozen=True, slots=True)
class _Ranks:
    """Ranks of the targets of one list; infinite for a product that cannot be in it."""

    user: str
    model: NDArray[np.float64]
    popularity: NDArray[np.float64]


class _Ranking:
    """Ranks targets among all products of a version."""

    def __init__(self, graph: Graph, version: dict[str, Any], comparison: Comparison) -> None:
        self._graph = graph
        self._version = version
        self._reference = comparison.reference

    def ranks(
        self, tests: Sequence[ListTest], note: Callable[[str], None], progress: Progress
    ) -> list[_Ranks]:
        """Return the ranks of all targets."""
        state = read_user_states(self._graph, [tests[0].user], self._version["name"])[0]
        catalogue = read_catalogue(self._graph, state, (), note)
        held = dict(
            zip(
                self._reference.product_gids.tolist(),
                self._reference.product_holders.tolist(),
                strict=True,
            )
        )
        popularity = np.zeros(len(catalogue.ids))
        for gid, place in catalogue.place_of_gid.items():
            popularity[place] = held.get(gid, 0)
        found: list[_Ranks] = []
        for first in range(0, len(tests), ROWS_AT_ONCE):
            progress("ranking new holdings", first, len(tests))
            batch = tests[first : first + ROWS_AT_ONCE]
            scores = self._scores(catalogue, batch)
            for test, row in zip(batch, scores, strict=True):
                if catalogue.unusable_holdings.isdisjoint(test.linking):
                    found.append(_ranks_of(test, row, popularity, catalogue))
        return found

    def _scores(self, catalogue: Catalogue, tests: Sequence[ListTest]) -> NDArray[np.float64]:
        """Return the scores of all products: shape (len(tests), num_products)."""
        rows = [
            {"row": number, "user": test.user, "without": test.without}
            for number, test in enumerate(tests)
        ]
        queries = np.zeros((len(tests), catalogue.vectors.shape[1]))
        queries[:, -2] = 1.0
        for row in self._graph.read(
            "drift_query_vectors", rows=rows, only=self._version["name"], checked=True
        ):
            queries[row["row"], :-2] = row["query"]
        scores: NDArray[np.float64] = queries @ catalogue.vectors.T
        linked = catalogue.linked([test.linking for test in tests])
        return scores if linked is None else scores + linked


def _ranks_of(
    test: ListTest,
    scores: NDArray[np.float64],
    popularity: NDArray[np.float64],
    catalogue: Catalogue,
) -> _Ranks:
    place_of = catalogue.eligibility.place
    is_candidate = catalogue.has_score.copy()
    wanted = set(test.targets)
    for product in test.excluded:
        if product in place_of and product not in wanted:
            is_candidate[place_of[product]] = False
    places = [place_of.get(product, -1) for product in test.targets]
    return _Ranks(
        test.user, _rank(scores, places, is_candidate), _rank(popularity, places, is_candidate)
    )


def _rank(
    scores: NDArray[np.float64], places: Sequence[int], is_candidate: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the rank of each place, from 1; of products with equal scores, the middle one."""
    rivals = scores[is_candidate]
    return np.array(
        [
            1 + (rivals > scores[place]).sum() + ((rivals == scores[place]).sum() - 1) / 2
            if place >= 0 and is_candidate[place]
            else np.inf
            for place in places
        ]
    )


def _summary(ranked: Sequence[_Ranks], version: dict[str, Any], config: DriftConfig) -> NewQuality:
    users = sorted({one.user for one in ranked})
    of_user = {user: number for number, user in enumerate(users)}
    owner = np.concatenate([np.full(len(one.model), of_user[one.user]) for one in ranked])
    model = np.concatenate([one.model for one in ranked])
    popularity = np.concatenate([one.popularity for one in ranked])
    number = np.bincount(owner)

    def mean(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        means: NDArray[np.float64] = np.bincount(owner, values) / number
        return means

    hits, popular = mean((model <= K) * 1.0), mean((popularity <= K) * 1.0)
    gain = intervals((hits - popular)[:, None])[0]
    recall, then = _estimate(hits), _recall_at_training(version)
    estimate = Estimate(gain.difference, gain.low, gain.high)
    return NewQuality(
        users=len(users),
        holdings=len(model),
        recall=recall,
        mrr=_estimate(mean(1 / model)),
        recall_at_training=then,
        popularity=_estimate(popular),
        gain=estimate,
        verdict=_verdict(recall, then, estimate, config),
    )


def _estimate(means: NDArray[np.float64]) -> Estimate:
    found = share(means, np.ones(len(means), np.int64))
    assert found is not None, "there is at least one user"
    return found


def _verdict(recall: Estimate, then: float | None, gain: Estimate, config: DriftConfig) -> Verdict:
    """The loss must exceed a limit with certainty: the upper end of the interval counts."""
    loss = 0.0 if not then else 1 - recall.high / then
    if gain.high < 0 or loss >= config.retrain_at:
        return "retrain"
    return "moved" if loss >= config.moved_at else "steady"


def _recall_at_training(version: dict[str, Any]) -> float | None:
    found = json.loads(version.get("metrics") or "{}").get("valid", {}).get(f"recall@{K}")
    return float(found) if isinstance(found, int | float) else None
