"""Group evidence into sentences, and alternate the wordings of similar sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from kinfolio.llm_explain.explanation import Evidence

PARTLY_SHARE = 0.2
"""From this share on evidence is more than "a smaller reason"."""
MAX_SMALL_IN_SENTENCE = 3
"""Small reasons of one kind in one sentence, each with its numbers."""
_MERGED = {
    ("holding", "near"),
    ("holding", "category"),
    ("holding", "against"),
    ("tie", "holds"),
    ("tie", "near"),
    ("tie", "against"),
    ("text", "about"),
}
"""Claims of which several share a sentence."""
_MERGED_IF_SMALL = {("holding", "together")}
"""Claims with numbers of their own, of which several small ones share a sentence."""


class WordingRotation:
    """Gives sentences of one kind different wordings, the same for the same evidence of a pair.

    The order depends on the pair and the evidence of the sentence, not on the version or the
    place, so that a retraining that leaves the evidence as it is leaves the words.
    """

    def __init__(self, pair: str) -> None:
        self._pair = pair
        self._taken: dict[str, list[str]] = {}

    def take(self, key: str, texts: Iterable[str], num_sentences: int, evidence: str) -> list[str]:
        """Return the texts for one of `num_sentences` sentences that share `texts`."""
        texts = list(texts)
        taken = self._taken.setdefault(key, [])
        free = [text for text in texts if text not in taken] or texts
        ordered = sorted(free, key=lambda text: _rank(f"{self._pair}\0{evidence}\0{text}"))
        chosen = ordered[: max(1, len(texts) // max(1, num_sentences))]
        taken += chosen
        return chosen


def _rank(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def evidence_key(group: list[Evidence]) -> str:
    """Return what a group states, without its numbers and its share."""
    facts = [dict(piece.facts) for piece in group]
    named = [str(fact.get("name", fact.get("tie", ""))) for fact in facts]
    return "\0".join([*claim_key(group), *named])


def claim_key(group: list[Evidence]) -> tuple[str, str]:
    """Return kind and claim of a group; a claim of several pieces has a key of its own."""
    claim = str(dict(group[0].facts)["claim"])
    return group[0].kind, f"{claim}_several" if len(group) > 1 else claim


def weight_key(group: list[Evidence]) -> str:
    """Return "partly" or "little" by the share of a group."""
    return "partly" if sum(piece.share for piece in group) >= PARTLY_SHARE else "little"


def group_evidence(pieces: Iterable[Evidence]) -> list[list[Evidence]]:
    """Return the evidence of each sentence, largest share first."""
    groups: dict[tuple[object, ...], list[Evidence]] = {}
    for piece in pieces:
        key = _group_key(piece, is_first=not groups)
        while len(groups.get(key, ())) == MAX_SMALL_IN_SENTENCE and key[-1] == "small":
            key = ("more", *key)
        groups.setdefault(key, []).append(piece)
    return sorted(groups.values(), key=lambda group: -abs(sum(piece.share for piece in group)))


def _group_key(piece: Evidence, *, is_first: bool) -> tuple[object, ...]:
    facts = dict(piece.facts)
    claim = (piece.kind, str(facts["claim"]))
    if claim in _MERGED:
        return (*claim, facts.get("category"), facts.get("tie"), "name" in facts)
    if claim in _MERGED_IF_SMALL and piece.share < PARTLY_SHARE and not is_first:
        return (*claim, "small")
    return (piece.id,)
