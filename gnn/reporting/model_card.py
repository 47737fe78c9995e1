"""A model card in Markdown, and conclusions from an evaluation about texts and baselines.

States only computed results, and names those that were not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinfolio.gnn.evaluation.ablations import FUSION, GRAPH_ONLY, SHUFFLED
from kinfolio.gnn.evaluation.bootstrap import Interval
from kinfolio.gnn.evaluation.evaluate import Evaluation
from kinfolio.gnn.reporting.choices import choice_sentences, chosen_and_tried, plain
from kinfolio.records import SPLITS, Snapshot
from kinfolio.storage.run_info import RunInfo

_BASELINES = ("popularity", "ties' mean", "text mean", "EASE", "EASE+text")
_TEXT_RESULTS = (
    "texts change nothing",
    "no significant difference: the interval contains 0",
    "texts improve NDCG",
    "texts reduce NDCG",
)
"""Wording of a difference that is: 0 for every user, not significant, positive, negative."""
_SHUFFLED_RESULTS = (
    "no significant difference from shuffled texts",
    "no significant difference from shuffled texts",
    "better than with shuffled texts",
    "worse than with shuffled texts",
)
_BASELINE_RESULTS = (
    "equal for every user",
    "no significant difference",
    "kinfolio is better",
    "kinfolio is worse",
)
_USE = """The model ranks products for the users of the graph it was trained on, and for new users
by their holdings and ties. A score is the exact sum of contributions of the user's holdings, ties
and texts and of the product's popularity, so every list can be explained.

It is not advice, does not predict the value of a product or whether it suits a person, and was not
evaluated for decisions about people. Products that must not be offered need a rule: the model
contains none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of one comparison in one group."""

    group: str
    other: str
    interval: Interval
    text: str


def text_verdicts(found: Evaluation) -> list[Verdict]:
    """Return the effect of texts on NDCG@20 in each group; empty without ablations."""
    is_fusion, ndcg = found.kinfolio == FUSION, f"ndcg@{found.k}"
    without = found.differences.get(GRAPH_ONLY if is_fusion else FUSION)
    shuffled = found.differences.get(SHUFFLED)
    if without is None:
        return []
    verdicts = []
    for group in found.users:
        one = without[group][ndcg]
        if not is_fusion:
            one = Interval(difference=-one.difference, low=-one.high, high=-one.low)
        verdicts.append(_verdict(group, GRAPH_ONLY, one, _TEXT_RESULTS))
        if is_fusion and shuffled:
            verdicts.append(_verdict(group, SHUFFLED, shuffled[group][ndcg], _SHUFFLED_RESULTS))
    return verdicts


def baseline_verdicts(found: Evaluation) -> list[Verdict]:
    """Compare kinfolio with the best baseline of each group, by NDCG@20."""
    present = [name for name in _BASELINES if name in found.models]
    verdicts = []
    for group in found.users if present else ():
        best = max(present, key=lambda name: found.models[name][group].ndcg)
        one = found.differences[best][group][f"ndcg@{found.k}"]
        verdicts.append(_verdict(group, best, one, _BASELINE_RESULTS))
    return verdicts


def _verdict(group: str, other: str, one: Interval, results: tuple[str, str, str, str]) -> Verdict:
    equal, unclear, better, worse = results
    text = better if one.difference > 0 else worse
    if not one.is_clear:
        text = equal if one.low == one.high == 0 else unclear
    return Verdict(group=group, other=other, interval=one, text=text)


def data_of(snapshot: Snapshot) -> dict[str, int]:
    """Return counts of the data."""
    reviews = snapshot.reviews
    interactions = {
        f"{name} interactions": int((snapshot.holdings.split == place).sum())
        for place, name in enumerate(SPLITS)
    }
    return {
        "users": snapshot.num_users,
        "products": snapshot.num_products,
        **interactions,
        "ties used": int((snapshot.ties.split == 0).sum()),
        "reviews used": int(np.count_nonzero(reviews.describes_user | reviews.describes_product)),
        "products with a text": sum(bool(text.strip()) for text in snapshot.product_texts),
    }


def model_card(found: Evaluation, info: RunInfo, data: dict[str, int], command: str) -> str:
    """Return the card in Markdown; `data`: of `data_of`; `command`: ran the evaluation."""
    recall, ndcg = f"recall@{found.k}", f"ndcg@{found.k}"
    figures = [
        [model, group, f"{found.users[group]:,}", f"{one.recall:.4f}", f"{one.ndcg:.4f}"]
        for model, groups in found.models.items()
        for group, one in groups.items()
    ]
    chosen, tried = chosen_and_tried(info)
    parts = [
        "# Model card",
        f"A kinfolio model ({found.kinfolio}), trained by kinfolio {info['versions']['kinfolio']}; "
        f"this card is written by `{command}`.",
        "## Data",
        _table(["what", "number"], [[name, f"{count:,}"] for name, count in data.items()]),
        f"Snapshot `{info['data']['snapshot']}`.",
        "## Intended use",
        _USE,
        f"## Metrics on `{found.split}`",
        _table(["model", "group", "users", recall, ndcg], figures),
        "## Compared with the best baseline",
        _verdicts(baseline_verdicts(found), "No baseline was measured."),
        "## Effect of texts",
        _verdicts(
            text_verdicts(found),
            "Not measured: `kinfolio evaluate --controls` trains the model without texts and "
            "with shuffled ones.",
        ),
        "## Choices",
        "\n".join(f"- {sentence}" for sentence in choice_sentences(info)),
        _table(["choice", "value"], chosen),
        f"{sum(map(len, tried.values()))} trials on the validation split, on which the model has "
        f"recall@20 {info['metrics']['valid']['recall@20']:.4f} and NDCG@20 "
        f"{info['metrics']['valid']['ndcg@20']:.4f}.",
        "## Config",
        _table(
            ["option", "value"], [[name, plain(value)] for name, value in info["config"].items()]
        ),
        "## Limits",
        "\n".join(f"- {limit}" for limit in limits(found)),
    ]
    return "\n\n".join(parts) + "\n"


def limits(found: Evaluation) -> list[str]:
    """Return the limits of the evaluation and the weaknesses of the model."""
    sentences = [
        "One training: intervals are over users, not over seeds.",
        "A product added after the training is listed by its text or reviews only, until the next.",
    ]
    absent = [name for name in ("new", "unseen") if name not in found.users]
    if absent:
        sentences.append(f"Not measured, since `{found.split}` has none: {', '.join(absent)}.")
    weak = [one.group for one in baseline_verdicts(found) if one.interval.low <= 0]
    if weak:
        sentences.append(f"Not significantly better than the best baseline: {', '.join(weak)}.")
    if found.split == "valid":
        sentences.append(
            "Measured on `valid`, which the choices were made on: the metrics are optimistic."
        )
    return sentences


def _verdicts(verdicts: list[Verdict], without: str) -> str:
    if not verdicts:
        return without
    rows = [[one.group, one.other, _interval(one.interval), one.text] for one in verdicts]
    return _table(["group", "compared with", "NDCG@20 difference (95 %)", "result"], rows)


def _interval(one: Interval) -> str:
    return f"{one.difference:+.4f} ({one.low:+.4f} to {one.high:+.4f})"


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)
