"""Contributions to a product's score, or to a whole list, summed over evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kinfolio.llm_explain.conversation.phrases import join_words, percent, phrase
from kinfolio.llm_explain.explanation import Evidence, Explanation


@dataclass(frozen=True, slots=True)
class Influence:
    """One cause of a score; a person behind a tie has no name."""

    kind: str
    words: str
    share: float
    """Of the absolute sum of all contributions; negative lowers the score."""


def influences_of(explanations: Sequence[Explanation]) -> list[Influence]:
    """Average the influences on the products of explanations with all evidence, largest first."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for explanation in explanations:
        for piece in explanation.evidence:
            sums[piece.kind, _words(piece)] += piece.share / len(explanations)
    found = [Influence(kind, words, share) for (kind, words), share in sums.items() if share]
    return sorted(found, key=lambda one: (-abs(one.share), one.words))


def shares_by_kind(explanations: Sequence[Explanation]) -> dict[str, float]:
    """Average the absolute share of each kind of evidence; the shares sum to 1."""
    shares: dict[str, float] = defaultdict(float)
    for explanation in explanations:
        for piece in explanation.evidence:
            shares[piece.kind] += abs(piece.share) / len(explanations)
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def describe(influences: Iterable[Influence]) -> str:
    """Return influences in words: Harbour Fund, which you hold (41 %), and ..."""
    return join_words(f"{one.words} ({percent(one.share)})" for one in influences)


def _words(piece: Evidence) -> str:
    facts = dict(piece.facts)
    if piece.kind == "tie" and "person" in facts:
        return str(facts["person"])
    return phrase(f"influence_by_{piece.kind}", name=facts.get("name", ""))
