"""The choices of a training as sentences, and its trials as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinfolio.storage.run_info import Blend, RunInfo

_NOT_CHOSEN = (
    *("config", "metrics", "history", "epochs", "seconds", "data", "versions", "checksums"),
)
_LINKS = {"ridge": "ridge regression among products held together"}


def choice_sentences(info: RunInfo) -> list[str]:
    """Return one sentence for each choice of a training, from its `run.json`."""
    return [
        *_head_sentences(info),
        *_text_sentences(info),
        *_blend_sentences(info["blend"]),
        f"Budget: {info['budget']['spent']:,.0f} of {info['budget']['cpu_seconds']:,.0f} "
        "CPU seconds were used.",
    ]


def _head_sentences(info: RunInfo) -> list[str]:
    choice = info["choice"]
    steps = choice["final_steps"] or choice["steps"]
    dropout = choice["edge_dropout"]
    return [
        f"Heads: {choice['heads']} of {choice['dim']} dimensions, trained with different seeds; "
        "their scores are added.",
        f"Temperature: {info['tau']:g}. A lower value separates a held product more sharply from "
        "the most similar other products.",
        f"Training: up to {steps:,} steps for each head; the step with the best validation metrics "
        "was used.",
        f"Cold start: in each step {choice['cold']:.0%} of the users and products were treated as "
        "new, so that the model learns to score them.",
        f"Edge dropout: {dropout:.0%} of the edges were left out of each step."
        if dropout
        else "Edge dropout: none; it did not improve validation metrics.",
    ]


def _text_sentences(info: RunInfo) -> list[str]:
    if info["config"]["text"] == "off":
        return ["Texts: not used (--text off)."]
    weights = info["blend"]["text"]
    inside = (
        "an input of the heads"
        if info["choice"]["text"]
        else "not an input of the heads, since they did not improve validation metrics"
    )
    found = [f"Texts: {inside}."]
    if weights["seen"] or weights["unseen"]:
        found.append(
            f"Text similarity: added to the scores with weight {weights['seen']:.3g} for products "
            f"with holders and {weights['unseen']:.3g} for products without."
        )
    return found


def _blend_sentences(blend: Blend) -> list[str]:
    recipe, delta, offset = blend["recipe"], blend["delta"], blend["offset"]
    found = ["Links: none between products; they did not improve validation metrics."]
    if recipe:
        form = _LINKS.get(recipe["form"], "counts of products held together")
        found = [
            f"Links: from held to other products, by {form}, with strength {blend['strength']:g} "
            "relative to the heads."
        ]
    if blend["reviewers"]:
        found.append(
            "Reviewers: users similar to the reviewers of a product without holders add to its "
            f"score, with weight {blend['reviewers']:.3g}."
        )
    found.append(
        f"Popularity: weighted {'up' if delta > 0 else 'down'} by {abs(delta):g} for each factor e "
        "of holders."
        if delta
        else "Popularity: as the heads learned it."
    )
    if offset:
        direction = "raised" if offset > 0 else "lowered"
        found.append(f"Products without holders: scores {direction} by {abs(offset):g}.")
    return found


def chosen_and_tried(
    info: Mapping[str, object],
) -> tuple[list[list[str]], dict[str, list[dict[str, Any]]]]:
    """Return the choices in `run.json` as rows of name and value, and the trials by name."""
    chosen: list[list[str]] = []
    tried: dict[str, list[dict[str, Any]]] = {}

    def add(name: str, value: object) -> None:
        if isinstance(value, Mapping):
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


def plain(value: object) -> str:
    """Format a value of `run.json`: short numbers, lists with commas."""
    if isinstance(value, list):
        return ", ".join(plain(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
