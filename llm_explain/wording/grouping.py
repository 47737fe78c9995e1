"""Which pieces of evidence share a sentence, and which wordings a sentence may take.

Knows nothing of languages: a claim is a key, a wording a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kinfolio.llm_explain.explanation import Evidence

PARTLY = 0.2
"""From this share on a piece is more than a smaller reason."""
MOST_IN_A_ROW = 3
"""Small reasons of one kind that one sentence tells, each with its numbers."""
_MERGED = {
    ("holding", "near"),
    ("holding", "category"),
    ("holding", "against"),
    ("tie", "holds"),
    ("tie", "near"),
    ("tie", "against"),
    ("text", "about"),
}
"""Pieces of one claim that read better in one sentence."""
_MERGED_SMALL = {("holding", "together"), ("holding", "few")}
"""The same, when they are small: each has numbers of its own to be read."""


class Dealer:
    """Deals texts out so that sentences of one kind get different ones."""

    def __init__(self) -> None:
        self._turn: dict[str, int] = {}

    def deal(self, key: str, texts: Iterable[str], room: int) -> list[str]:
        """The texts for the next of `room` sentences that draw on the same ones."""
        turn = self._turn.get(key, 0)
        self._turn[key] = turn + 1
        texts = list(texts)
        step = max(1, min(room, len(texts)))
        return texts[turn % step :: step]


def claim_of(group: list[Evidence]) -> tuple[str, str]:
    """Kind and claim of a group; a claim told of several pieces has a key of its own."""
    claim = str(dict(group[0].facts)["claim"])
    return group[0].kind, f"{claim}_several" if len(group) > 1 else claim


def size_of(group: list[Evidence]) -> str:
    """How heavily a group counts: partly or little."""
    return "partly" if sum(piece.share for piece in group) >= PARTLY else "little"


def groups_of(pieces: Iterable[Evidence]) -> Iterator[list[Evidence]]:
    """Pieces that share a sentence, each group at the place of its strongest piece."""
    groups: dict[tuple[object, ...], list[Evidence]] = {}
    for piece in pieces:
        key = _key(piece, is_first=not groups)
        while len(groups.get(key, ())) == MOST_IN_A_ROW and key[-1] == "small":
            key = ("more", *key)
        groups.setdefault(key, []).append(piece)
    yield from groups.values()


def _key(piece: Evidence, *, is_first: bool) -> tuple[object, ...]:
    facts = dict(piece.facts)
    claim = (piece.kind, str(facts["claim"]))
    if claim in _MERGED:
        return (*claim, facts.get("category"), facts.get("tie"), "name" in facts)
    if claim in _MERGED_SMALL and piece.share < PARTLY and not is_first:
        return (*claim, "small")
    return (piece.id,)
