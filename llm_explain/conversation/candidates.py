"""Products whose names are close to words of a line: names in part or with typos."""

from __future__ import annotations

from difflib import SequenceMatcher

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.conversation.language.folding import content_words, fold, parts_of
from kinfolio.llm_explain.conversation.mention import ProductRef

_MAX_ROWS = 400
_MIN_RATIO = 0.75
_TOLERANCE = 0.3
"""Products whose words match that much worse than the best are no candidates."""


def close_names(graph: Graph, line: str, most: int = 3) -> list[ProductRef]:
    """Return the products whose names are closest to words of a line, best first."""
    words = content_words(line)
    if not words:
        return []
    rows = graph.read("facts_close_names", parts=parts_of(words), most=_MAX_ROWS)
    scored = []
    for row in rows:
        own = fold(row["name"]).split()
        ratios = [max((_ratio(word, one) for one in own), default=0.0) for word in words]
        matched = [ratio for ratio in ratios if ratio >= _MIN_RATIO]
        if matched:
            missing = len(own) - len(matched)
            scored.append((-sum(matched), missing, ProductRef(row["product"], row["name"])))
    scored.sort(key=lambda one: (one[0], one[1], one[2].id))
    return [one[2] for one in scored if one[0] <= scored[0][0] + _TOLERANCE][:most]


def _ratio(word: str, other: str) -> float:
    if word == other:
        return 1.0
    if len(word) >= 4 and other.startswith(word):
        return 0.9
    return SequenceMatcher(None, word, other, autojunk=False).ratio()
