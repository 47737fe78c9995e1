"""Vector, bias and message of products that the training did not see, by the version's recipe.

Such a product gets what a product of the snapshot without interactions got: its texts on the axes
of the training, in each head by the head's matrix; the weighted text block; its reviewers' vectors;
the popularity term of degree 0. Nothing is trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinfolio.gnn.recipe import Recipe
from kinfolio.gnn.text.encoder import unit
from kinfolio.gnn.text.projection import ProductTexts

_HOPS = 2
"""Of the propagation, see `gnn/model/head.py`: a product without interactions has one layer of
three."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NewVectors:
    """What is stored of some new products."""

    vectors: NDArray[np.float32]
    """Shape (num_products, blocks * dim)."""
    messages: NDArray[np.float32]
    """Shape (num_products, blocks * dim)."""
    bias: NDArray[np.float32]
    """Shape (num_products,)."""


def embed_new_products(
    recipe: Recipe, texts: ProductTexts | None, reviewers: NDArray[np.float32]
) -> NewVectors:
    """Compute new products.

    Args:
        recipe: of the version.
        texts: vectors of their texts; None if the recipe takes none.
        reviewers: float32, shape (num_products, heads * dim); the sum of the unit vectors of the
            users who reviewed each product.
    """
    number, heads = len(reviewers), len(recipe.taus)
    inputs = np.zeros((heads, number, recipe.dim), np.float32)
    if recipe.texts is not None and texts is not None and len(recipe.turns):
        stacked = recipe.texts.stacked(texts, recipe.dim)
        weighted = np.tensordot(recipe.gates, stacked, axes=1)
        inputs = (weighted @ recipe.turns).astype(np.float32)
    vectors = [unit(one) / np.float32(tau) for one, tau in zip(inputs, recipe.taus, strict=True)]
    messages = [one / np.float32(_HOPS + 1) for one in inputs]
    weight = np.float32(recipe.reviewers)
    for block, part in zip(vectors, np.split(reviewers, heads, axis=1), strict=True):
        block += weight * part
    if recipe.block is not None and recipe.texts is not None and texts is not None:
        mixed = recipe.texts.mixed(texts, recipe.dim)
        vectors.append(np.float32(recipe.block) * mixed)
        messages.append(mixed)
    return NewVectors(
        vectors=np.concatenate(vectors, axis=1),
        messages=np.concatenate(messages, axis=1),
        bias=np.full(number, recipe.bias, np.float32),
    )
