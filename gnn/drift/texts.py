"""How far the texts of products have moved: new and changed ones, in the space of the encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import NotReady
from kinfolio.gnn.drift.distributions import Comparison
from kinfolio.gnn.drift.measures import mean_shift
from kinfolio.gnn.drift.records import Measure
from kinfolio.gnn.recipe import Recipe
from kinfolio.gnn.reference import checksums
from kinfolio.gnn.text.encoder import Encoder, encode, load_light_encoder, weights_of
from kinfolio.gnn.text.projection import NAME, REST, WHOLE
from kinfolio.texts.product_text import name_and_rest

MOST_TEXTS = 500
"""Texts that are encoded; of more, a sample."""


def texts_measure(
    comparison: Comparison,
    recipe: Recipe | None,
    cache: Path,
    note: Callable[[str], None],
    load: Callable[[str], Encoder] = load_light_encoder,
) -> Measure | None:
    """Return how far the mean of the texts has moved; None with a note if that is not known.

    Texts that did not change need no encoder: the shift of the mean is that of the new and changed
    texts, times their share of all.
    """
    if recipe is None or recipe.texts is None:
        note("texts: the version takes no texts of products")
        return None
    texts = recipe.texts
    kind = next((one for one in (REST, WHOLE, NAME) if one in texts.kinds), None)
    if kind is None:
        note("texts: the training had no texts of products")
        return None
    found, number = _changed_texts(comparison, kind)
    total = sum(1 for text in comparison.present.texts if text.strip())
    shift = 0.0
    if found:
        if texts.weights != weights_of(texts.encoder):
            note(f"texts: the encoder {texts.encoder!r} is not the one of the training")
            return None
        try:
            vectors = encode(
                _sample(found, comparison.config.seed), cache, encoder=texts.encoder, load=load
            )
        except NotReady as error:
            note(f"texts: {error}")
            return None
        mean = texts.means[texts.kinds.index(kind)][: texts.text_width]
        shift = mean_shift(mean, comparison.reference.products, vectors) or 0.0
    value = shift * number / max(total, 1)
    return Measure(
        name="texts",
        kind="mean_shift",
        value=round(value, 4),
        chance=None,
        distance=None,
        verdict=comparison.verdict(value),
        detail=f"{number:,} of {total:,} texts are new or changed, {shift:.2f} from the others",
    )


def _changed_texts(comparison: Comparison, kind: str) -> tuple[list[str], int]:
    """Return the new and changed texts of one kind, and the number of all of them."""
    present, reference = comparison.present, comparison.reference
    then = reference.product_texts[comparison.place_then]
    is_same = (comparison.place_then >= 0) & (then == checksums(present.texts))
    changed = [row for row in np.flatnonzero(~is_same) if present.texts[row].strip()]
    texts = [_of_kind(present.names[row], present.texts[row], kind) for row in changed]
    return [text for text in texts if text.strip()], len(changed)


def _of_kind(name: str, whole: str, kind: str) -> str:
    name, rest = name_and_rest(name, whole)
    return {NAME: name, REST: rest}.get(kind, whole)


def _sample(texts: Sequence[str], seed: int) -> list[str]:
    order: NDArray[np.int64] = np.random.default_rng(seed).permutation(len(texts))[:MOST_TEXTS]
    return [texts[place] for place in sorted(order.tolist())]
