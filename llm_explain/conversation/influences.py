"""Evidence as causes: what counts for a product or a whole list, and how much.

People behind ties stay "someone you follow"; shares are those of the evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kinfolio.llm_explain.conversation.phrases import listed, percent, say
from kinfolio.llm_explain.explanation import Evidence, Explanation


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that counts, for or against."""

    kind: str
    words: str
    share: float
    """Of the sizes of all contributions; negative speaks against."""


def causes(explanations: Sequence[Explanation]) -> list[Cause]:
    """What counts on average for some products, strongest first; made from all their evidence."""
    sums: dict[tuple[str, str], float] = {}
    for explanation in explanations:
        for piece in explanation.evidence:
            key = (piece.kind, _words(piece))
            sums[key] = sums.get(key, 0.0) + piece.share / len(explanations)
    found = [Cause(kind, words, share) for (kind, words), share in sums.items() if share]
    return sorted(found, key=lambda cause: (-abs(cause.share), cause.words))


def by_kind(explanations: Sequence[Explanation]) -> dict[str, float]:
    """The part of each kind of evidence in all that counts, for or against; sums to 1."""
    parts: dict[str, float] = {}
    for explanation in explanations:
        for piece in explanation.evidence:
            parts[piece.kind] = parts.get(piece.kind, 0.0) + abs(piece.share) / len(explanations)
    return dict(sorted(parts.items(), key=lambda item: (-item[1], item[0])))


def told(found: Iterable[Cause]) -> str:
    """Causes in words: Harbour Fund, which you hold (41 %), and ..."""
    return listed(f"{cause.words} ({percent(cause.share)})" for cause in found)


def _words(piece: Evidence) -> str:
    facts = dict(piece.facts)
    if piece.kind == "holding":
        return say("cause_holding", name=facts.get("name", ""))
    if piece.kind == "tie":
        return str(facts.get("person", say("cause_tie")))
    return say(f"cause_{piece.kind}")
