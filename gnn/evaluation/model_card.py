"""A run in words: what its figures say about texts and baselines, and a model card in Markdown.

Says nothing that was not computed; what was not measured is named as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kinfolio.gnn.evaluation.ablations import FUSION, GRAPH_ONLY
from kinfolio.gnn.evaluation.bootstrap import Interval
from kinfolio.gnn.evaluation.evaluate import Evaluation
from kinfolio.records import SPLITS, Snapshot

_NOT_CHOSEN = ("config", "metrics", "history", "epochs", "seconds", "data", "versions")
_BASELINES = ("popularity", "ties' mean", "text mean", "EASE", "EASE+text")
_USE = """It ranks products for the users of the graph it was trained on, and for users who come
later by what they hold and whom they are tied to. Its scores fall apart exactly into what a user
holds, whom they are tied to, what they wrote and how popular a product is, so that every list can
be explained.

It is not advice, says nothing of what a product will be worth or whether it suits a person, and was
not measured for any decision about people. What may not be offered has to be a rule: the model
knows none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one comparison shows in one group."""

    group: str
    what: str
    interval: Interval
    text: str


def told(interval: Interval) -> str:
    """An interval as text, such as `+.0123 (+.0051 to +.0190)`."""
    return f"{interval.difference:+.4f} ({interval.low:+.4f} to {interval.high:+.4f})"


def text_verdicts(found: Evaluation) -> list[Verdict]:
    """What texts do in each group, by NDCG@20; empty when no control was trained."""
    ndcg = f"ndcg@{found.k}"
    verdicts = []
    for group in found.users:
        if found.kinfolio == FUSION and GRAPH_ONLY in found.differences:
            one = found.differences[GRAPH_ONLY][group][ndcg]
        elif FUSION in found.differences:
            ahead = found.differences[FUSION][group][ndcg]
            one = Interval(difference=-ahead.difference, low=-ahead.high, high=-ahead.low)
        else:
            return []
        verdicts.append(
            Verdict(group=group, what=GRAPH_ONLY, interval=one, text=_without_texts(one))
        )
        if found.kinfolio == FUSION and "shuffled text" in found.differences:
            one = found.differences["shuffled text"][group][ndcg]
            verdicts.append(
                Verdict(group=group, what="shuffled text", interval=one, text=_shuffled(one))
            )
    return verdicts


def _without_texts(one: Interval) -> str:
    if one.low == one.high == 0:
        return "text changes nothing here"
    if not one.is_clear:
        return "text does not help here, as far as can be seen: the interval holds 0"
    return "text helps here" if one.difference > 0 else "text does harm here"


def _shuffled(one: Interval) -> str:
    if not one.is_clear:
        return "no better than the texts of others, as far as can be seen"
    return f"{'better' if one.difference > 0 else 'worse'} than with the texts of others"


def baseline_verdicts(found: Evaluation) -> list[Verdict]:
    """Kinfolio beside the best baseline of each group, by NDCG@20."""
    present = [name for name in _BASELINES if name in found.models]
    verdicts = []
    for group in found.users if present else ():
        best = max(present, key=lambda name: found.models[name][group].ndcg)
        one = found.differences[best][group][f"ndcg@{found.k}"]
        text = "kinfolio is ahead" if one.difference > 0 else "kinfolio is behind"
        if one.low == one.high == 0:
            text = "the same for every user"
        elif not one.is_clear:
            text = "no difference that so many users could show"
        verdicts.append(Verdict(group=group, what=best, interval=one, text=text))
    return verdicts


def data_of(snapshot: Snapshot) -> dict[str, int]:
    """Counts of what the run learned from and was measured on."""
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


def chosen_and_tried(
    info: dict[str, Any],
) -> tuple[list[list[str]], dict[str, list[dict[str, Any]]]]:
    """Rows of name and value of what a training chose, and its trials by name.

    Args:
        info: content of `run.json`; of it, all that is not config, data or measurement.
    """
    chosen: list[list[str]] = []
    tried: dict[str, list[dict[str, Any]]] = {}

    def add(name: str, value: object) -> None:
        if isinstance(value, dict):
            for inner, one in value.items():
                add(inner if name == "choice" else f"{name} {inner}".strip(), one)
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            tried[name.replace("_", " ")] = value
        elif value not in ([], None):
            chosen.append([name.replace("_", " "), plain(value)])

    for name, value in info.items():
        if name not in _NOT_CHOSEN:
            add(name, value)
    return chosen, tried


def model_card(found: Evaluation, info: dict[str, Any], data: dict[str, int], command: str) -> str:
    """The card, Markdown.

    Args:
        found: an evaluation with baselines.
        info: content of `run.json`.
        data: what `data_of` says.
        command: what was typed to get it.
    """
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
        "## What it is for",
        _USE,
        f"## Figures on `{found.split}`",
        _table(["model", "group", "users", recall, ndcg], figures),
        "## Beside the best baseline",
        _verdicts(baseline_verdicts(found), "no baseline was measured."),
        "## Whether texts help",
        _verdicts(
            text_verdicts(found),
            "Not measured: `kinfolio evaluate --controls` trains the model without texts and "
            "with shuffled ones.",
        ),
        "## What was chosen, and from how much",
        _table(["choice", "value"], chosen),
        f"{sum(map(len, tried.values()))} trials on the validation part; on it, the model has "
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
    """What the figures do not show, or show to be weak."""
    known = [
        "One training: intervals are over users, not over seeds.",
        "A product that comes after the training is not listed before the next one.",
    ]
    absent = [name for name in ("new", "unseen") if name not in found.users]
    if absent:
        known.append(f"Not measured, since `{found.split}` has none: {', '.join(absent)}.")
    weak = [one.group for one in baseline_verdicts(found) if one.interval.low <= 0]
    if weak:
        known.append(f"Not clearly ahead of the best baseline: {', '.join(weak)}.")
    if found.split == "valid":
        known.append("Measured on `valid`, which choices were made by: too good by some amount.")
    return known


def _verdicts(verdicts: list[Verdict], without: str) -> str:
    if not verdicts:
        return without
    rows = [[one.group, one.what, told(one.interval), one.text] for one in verdicts]
    return _table(["group", "less", "NDCG@20 ahead by (95 %)", "so"], rows)


def plain(value: object) -> str:
    """A value of `run.json` for people: numbers short, lists with commas."""
    if isinstance(value, list):
        return ", ".join(plain(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)
