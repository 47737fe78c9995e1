"""Products by the meaning of a wish, with the text encoder, among those that fit a user best."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kinfolio.errors import NotReady
from kinfolio.llm_explain.conversation.language.patterns import meanings
from kinfolio.records import Recommended
from kinfolio.texts.minilm import encode
from kinfolio.texts.product_text import joined_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kinfolio.cypher.graph import Graph

MAX_CANDIDATES = 40
"""Texts encoded for one wish: an encoder of one thread takes some 8 ms each."""
_MAX_TOKENS = 32
_MIN_SIMILARITY = 0.25
_MIN_OF_BEST = 0.8
"""Cosines: below the first nothing fits; below this part of the best a product does not."""


def of_meaning(graph: Graph, wish: str, candidates: Sequence[Recommended]) -> list[Recommended]:
    """Return the candidates whose texts are nearest to a wish, in their order; empty for none."""
    rows = graph.read("facts_products", ids=[one.product for one in candidates])
    texts = {
        row["product"]: joined_text(
            [*(str(row[key] or "") for key in ("name", "kind", "sector", "text"))]
            + [str(category or "") for category in row["categories"]]
        )
        for row in rows
    }
    ids = [one.product for one in candidates if texts.get(one.product)]
    if not ids:
        return []
    try:
        query = _vector(" ".join(meanings().get(word, word) for word in wish.split()))
        similar = np.stack([_vector(texts[one]) for one in ids]) @ query
    except NotReady:
        return []
    if similar.max() < _MIN_SIMILARITY:
        return []
    near = {
        one
        for one, cosine in zip(ids, similar, strict=True)
        if cosine >= similar.max() * _MIN_OF_BEST
    }
    return [one for one in candidates if one.product in near]


@lru_cache(maxsize=4_096)
def _vector(text: str) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = encode([text], _MAX_TOKENS)[0]
    return vector
