"""A model card in Markdown, and conclusions from an evaluation about texts and baselines.

States only what was computed; what was not measured is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kinfolio.gnn.evaluation.ablations import FUSION, GRAPH_ONLY
from kinfolio.gnn.evaluation.bootstrap import Interval
from kinfolio.gnn.evaluation.evaluate import Evaluation
from kinfolio.gnn.reporting.choices import choice_sentences, chosen_and_tried, plain
from kinfolio.records import SPLITS, Snapshot

_BASELINES = ("popularity", "ties' mean", "text mean", "EASE", "EASE+text")
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


def format_interval(interval: Interval) -> str:
    """Format an interval, such as `+0.0123 (+0.0051 to +0.0190)`."""
    return f"{interval.difference:+.4f} ({interval.low:+.4f} to {interval.high:+.4f})"


def text_verdicts(found: Evaluation) -> list[Verdict]:
    """Return what texts change in each group, by NDCG@20; empty without ablations."""
    ndcg = f"ndcg@{found.k}"
    verdicts = []
    for group in found.users:
        if found.kinfolio == FUSION and GRAPH_ONLY in found.differences:
            one = found.differences[GRAPH_ONLY][group][ndcg]
        elif FUSION in found.differences:
            difference = found.differences[FUSION][group][ndcg]
            one = Interval(
                difference=-difference.difference, low=-difference.high, high=-difference.low
            )
        else:
            return []
        verdicts.append(
            Verdict(group=group, other=GRAPH_ONLY, interval=one, text=_without_texts(one))
        )
        if found.kinfolio == FUSION and "shuffled text" in found.differences:
            one = found.differences["shuffled text"][group][ndcg]
            verdicts.append(
                Verdict(group=group, other="shuffled text", interval=one, text=_shuffled(one))
            )
    return verdicts


def _without_texts(one: Interval) -> str:
    if one.low == one.high == 0:
        return "texts change nothing"
    if not one.is_clear:
        return "no significant difference: the interval contains 0"
    return "texts improve NDCG" if one.difference > 0 else "texts reduce NDCG"


def _shuffled(one: Interval) -> str:
    if not one.is_clear:
        return "no significant difference from shuffled texts"
    return f"{'better' if one.difference > 0 else 'worse'} than with shuffled texts"


def baseline_verdicts(found: Evaluation) -> list[Verdict]:
    """Compare kinfolio with the best baseline of each group, by NDCG@20."""
    present = [name for name in _BASELINES if name in found.models]
    verdicts = []
    for group in found.users if present else ():
        best = max(present, key=lambda name: found.models[name][group].ndcg)
        one = found.differences[best][group][f"ndcg@{found.k}"]
        text = "kinfolio is better" if one.difference > 0 else "kinfolio is worse"
        if one.low == one.high == 0:
            text = "equal for every user"
        elif not one.is_clear:
            text = "no significant difference"
        verdicts.append(Verdict(group=group, other=best, interval=one, text=text))
    return verdicts


def data_of(snapshot: Snapshot) -> dict[str, int]:
    """Return counts of the data."""
    held = {
        f"{name} interactions": int((snapshot.holdings.split == place).sum())
        for place, name in enumerate(SPLITS)
    }
    reviews = snapshot.reviews
    return {
        "users": snapshot.num_users,
        "products": snapshot.num_products,
        **held,
        "ties used": int((snapshot.ties.split == 0).sum()),
        "reviews used": int(np.count_nonzero(reviews.describes_user | reviews.describes_product)),
        "products with a text": sum(bool(text.strip()) for text in snapshot.product_texts),
    }


def model_card(found: Evaluation, info: dict[str, Any], data: dict[str, int], command: str) -> str:
    """Return the card, Markdown; `data` is of `data_of`, `command` made the evaluation."""
    recall, ndcg = f"recall@{found.k}", f"ndcg@{found.k}"
    figures = [
        [model, group, f"{found.users[group]:,}", f"{one.recall:.4f}", f"{one.ndcg:.4f}"]
        for model, groups in found.models.items()
        for group, one in groups.items()
    ]
    chosen, tried = chosen_and_tried(info)
    parts = [
        "# Model card",
        f"A kinfolio model ({found.kinfolio}), made by kinfolio {info['versions']['kinfolio']}; "
        f"this card by `{command}`.",
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
    """Return what was not measured, and where the model is weak."""
    known = [
        "One training: intervals are over users, not over seeds.",
        "A product added after the training is not recommended before the next training.",
    ]
    absent = [name for name in ("new", "unseen") if name not in found.users]
    if absent:
        known.append(f"Not measured, since `{found.split}` has none: {', '.join(absent)}.")
    weak = [one.group for one in baseline_verdicts(found) if one.interval.low <= 0]
    if weak:
        known.append(f"Not significantly better than the best baseline: {', '.join(weak)}.")
    if found.split == "valid":
        known.append(
            "Measured on `valid`, which the choices were made on: the metrics are optimistic."
        )
    return known


def _verdicts(verdicts: list[Verdict], without: str) -> str:
    if not verdicts:
        return without
    rows = [[one.group, one.other, format_interval(one.interval), one.text] for one in verdicts]
    return _table(["group", "compared with", "NDCG@20 difference (95 %)", "result"], rows)


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)
