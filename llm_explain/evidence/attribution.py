"""Attribute a score to evidence: contributions, and the paths in the graph that carry them.

All statements run in one transaction. Other people appear without id or name unless the deployment
names people, small numbers of people without the number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from kinfolio.errors import NotReady, quoted
from kinfolio.gnn.serving.not_found import product_not_found
from kinfolio.gnn.serving.recommend import score_for
from kinfolio.gnn.serving.user_state import UserState, read_user_state
from kinfolio.gnn.serving.verdicts import violated_rules, violations
from kinfolio.llm_explain.display import Display, flat_name
from kinfolio.llm_explain.evidence.components import read_components
from kinfolio.llm_explain.evidence.contributions import LinearScore, num_covering, rank_by_size
from kinfolio.llm_explain.evidence.paths import Contribution, read_evidence
from kinfolio.llm_explain.explanation import Attribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kinfolio.cypher.graph import Graph, Reads

MAX_DEVIATION = 1e-4
"""Difference of the score and the sum of its contributions, of 1 or of a larger score: vectors are
stored in 32 bits."""
MIN_COVERED = 0.8
MAX_STATED = 5
MIN_COVERED_LONG = 0.95
MAX_STATED_LONG = 9
_LONGEST_FACT = 80
NUM_AGAINST_LONG = 2
"""A long text states so many of the largest negative contributions, however small they are."""


def read_attribution(
    graph: Graph,
    user_id: str,
    product_id: str,
    display: Display,
    *,
    all_evidence: bool = False,
    is_long: bool = False,
) -> tuple[Attribution, LinearScore]:
    """Attribute the score of a product to evidence, largest contribution first.

    With `all_evidence` every contribution is returned, so that the remainder is 0; with `is_long`
    the text states more evidence, and the largest negative contributions in any case.

    Returns:
        The attribution, and the score as a function of components; evidence n is the n-th largest.

    Raises:
        NotReady: nothing was written back, or the product has no vector yet.
        NotFound: there is no such user or product.
        VersionDamaged: the contributions do not add up to the score.
    """
    with graph.snapshot_reads() as reads:
        state = read_user_state(reads, user_id)
        pair = _read_pair(reads, state, product_id, display)
        score = _read_score(reads, state, product_id)
        components, linear_score, basis = read_components(reads, state, pair)
        values = linear_score.contributions()
        _check_sum(state, product_id, score, float(values.sum()))
        order, shares = rank_by_size(values)
        values, shares = values[order], shares[order]
        num_stated, also_stated = _stated(values, shares, is_long)
        places = range(len(order)) if all_evidence else (*range(num_stated), *also_stated)
        chosen = [
            Contribution(n + 1, components[order[n]], float(shares[n]), float(values[n]))
            for n in places
        ]
        # "Ember Income fits you like your Ember Income" would explain nothing.
        names = {one.id: str(one.name) for one in components if one.id}
        names = display.distinct_names(names | {pair["product"]: str(pair["name"])})
        evidence = read_evidence(reads, pair, chosen, display, names)
    return Attribution(
        user=user_id,
        product=product_id,
        name=str(pair["name"]) if flat_name(str(pair["name"])) else product_id,
        label=names[pair["product"]],
        score=score,
        version=str(state.version),
        basis=basis,
        evidence=evidence,
        remainder=score - sum(item.contribution for item in evidence),
        num_stated=num_stated,
        num_unstated=int(np.count_nonzero(values)) - num_stated - len(also_stated),
        also_stated=frozenset(place + 1 for place in also_stated),
        own_rules=violated_rules(graph, user_id, product_id, display.rules),
        **_product_fields(pair, display),
    ), linear_score


def _product_fields(pair: dict[str, Any], display: Display) -> dict[str, Any]:
    """The fields of `Attribution` that do not depend on the score; Any: values of a row."""
    return {
        "kind": pair["kind"] if isinstance(pair["kind"], str) else None,
        "refused_by": tuple(violations(pair).items()),
        "risk": pair["risk"],
        "most_risk": max(pair[key] or 0 for key in ("most_risk", "risk", "risk_tolerance")),
        "tolerance": pair["risk_tolerance"],
        "known_by": tuple(pair["known_by"] or ()),
        "about": _facts_of(pair, display),
    }


def _facts_of(pair: dict[str, Any], display: Display) -> tuple[str, ...]:
    """The categories of a product and the facts that the deployment tells, in words."""
    categories = [display.display_name(name) for name in map(str, pair["categories"])]
    found = [f"{display.words['category']} {display.listed(categories)}"] if categories else []
    for text, value in zip(display.facts.values(), pair["facts"], strict=True):
        shown = flat_name(value or "", _LONGEST_FACT)
        if shown:
            found.append(text.format(value=shown))
    # A citation or a slot in a value would be read as one of the text.
    return tuple(text for text in found if not re.search(r"[\[\]{}]", text))


def _check_sum(state: UserState, product_id: str, score: float, total: float) -> None:
    if not abs(total - score) <= MAX_DEVIATION * max(1.0, abs(score)):
        raise state.damaged(
            f"the contributions to the score of {quoted(product_id)} for {quoted(state.user)} add "
            f"up to {total:.4f} and not to {score:.4f}, so it is not explained"
        )


def _stated(
    values: NDArray[np.float64], shares: NDArray[np.float64], is_long: bool
) -> tuple[int, list[int]]:
    """Number of the first contributions that the text states, and places of others it states."""
    if not is_long:
        return num_covering(shares, MIN_COVERED, MAX_STATED), []
    num_stated = num_covering(shares, MIN_COVERED_LONG, MAX_STATED_LONG)
    negative = np.flatnonzero(values < 0)[:NUM_AGAINST_LONG]
    return num_stated, [int(place) for place in negative if place >= num_stated]


def _read_pair(reads: Reads, state: UserState, product_id: str, display: Display) -> dict[str, Any]:
    """The row of `explain_pair`; Any: values of a row."""
    pair = reads.read(
        "explain_pair",
        slot=state.slot,
        user_id=state.user,
        product_id=product_id,
        version=state.version,
        harmless=state.harmless,
        facts=list(display.facts),
    )[0]
    if pair["product"] is None:
        raise product_not_found(reads, product_id)
    if state.version is None:
        raise NotReady(
            "the graph has no embeddings yet, so there is no score to explain; "
            "type: kinfolio writeback"
        )
    return pair


def _read_score(reads: Reads, state: UserState, product_id: str) -> float:
    score = score_for(reads, state, product_id)
    if score is None:
        raise NotReady(
            f"product {quoted(product_id)} came after version {quoted(state.version)} and has no "
            "score yet; type: kinfolio refresh --new-only, or export, train and write back again"
        )
    return score
