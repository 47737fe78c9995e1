"""Group evidence into sentences, and alternate the wordings of similar sentences."""

from __future__ import annotations

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
_MERGED_IF_SMALL = {("holding", "together"), ("holding", "few")}
"""Claims with numbers of their own, of which several small ones share a sentence."""


class WordingRotation:
    """Gives sentences of one kind different wordings."""

    def __init__(self) -> None:
        self._num_taken: dict[str, int] = {}

    def take(self, key: str, texts: Iterable[str], num_sentences: int) -> list[str]:
        """Return the texts for the next of `num_sentences` sentences that share `texts`."""
        number = self._num_taken.get(key, 0)
        self._num_taken[key] = number + 1
        texts = list(texts)
        step = max(1, min(num_sentences, len(texts)))
        return texts[number % step :: step]


def claim_key(group: list[Evidence]) -> tuple[str, str]:
    """Return kind and claim of a group; a claim of several pieces has a key of its own."""
    claim = str(dict(group[0].facts)["claim"])
    return group[0].kind, f"{claim}_several" if len(group) > 1 else claim


def weight_key(group: list[Evidence]) -> str:
    """Return "partly" or "little" by the share of a group."""
    return "partly" if sum(piece.share for piece in group) >= PARTLY_SHARE else "little"


def group_evidence(pieces: Iterable[Evidence]) -> list[list[Evidence]]:
    """Return the evidence of each sentence, in the order of its strongest piece."""
    groups: dict[tuple[object, ...], list[Evidence]] = {}
    for piece in pieces:
        key = _group_key(piece, is_first=not groups)
        while len(groups.get(key, ())) == MAX_SMALL_IN_SENTENCE and key[-1] == "small":
            key = ("more", *key)
        groups.setdefault(key, []).append(piece)
    return list(groups.values())


def _group_key(piece: Evidence, *, is_first: bool) -> tuple[object, ...]:
    facts = dict(piece.facts)
    claim = (piece.kind, str(facts["claim"]))
    if claim in _MERGED:
        return (*claim, facts.get("category"), facts.get("tie"), "name" in facts)
    if claim in _MERGED_IF_SMALL and piece.share < PARTLY_SHARE and not is_first:
        return (*claim, "small")
    return (piece.id,)
