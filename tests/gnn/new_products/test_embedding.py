"""Products that training did not see, by the recipe: equal to what a training stores of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kinfolio.errors import RunBroken
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.new_products.embedding import embed_new_products
from kinfolio.gnn.publishing.stored_rows import product_rows, row_length
from kinfolio.gnn.recipe import Recipe, from_bytes
from kinfolio.gnn.text.projection import ProductTexts
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.records import NO_TIME, Reviews, Snapshot
from kinfolio.snapshot import with_hash
from kinfolio.texts.product_text import name_and_rest
from tests.gnn.blend.test_reviewers import OF_EVEN, OF_ODD, tastes
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, Words, trained


def with_cold_products() -> tuple[Snapshot, tuple[int, ...]]:
    """Return products of which three have no holder: with text and reviews, a name, nothing."""
    snapshot = make_snapshot(seed=3)
    texts = [f"Product {row}. {'even' if row < 7 else 'odd'} number{row}" for row in range(15)]
    writers = sorted([(user, 14) for user in (0, 2, 4, 6)] + [(user, user) for user in range(8)])
    users, products = np.array(writers).T
    whole = with_hash(
        replace(
            snapshot,
            product_ids=tuple(f"p{row}" for row in range(17)),
            product_gids=np.arange(17),
            product_names=tuple(f"Product {row}" for row in range(17)),
            product_texts=(*texts, "Product 15", ""),
            reviews=Reviews(
                user=users.astype(np.int32),
                product=products.astype(np.int32),
                at=np.full(len(users), NO_TIME),
                text=tuple(f"word{user % 2} said of {product}" for user, product in writers),
                describes_user=products < 14,
                describes_product=np.ones(len(users), np.bool_),
            ),
        )
    )
    return whole, (14, 15, 16)


def with_tastes() -> tuple[Snapshot, tuple[int, ...]]:
    """Return a snapshot in which texts and reviewers tell who will hold two cold products."""
    snapshot = tastes((range(0, 20, 2), range(1, 20, 2)))
    texts = tuple(
        f"{'even' if row < 9 or row == OF_EVEN else 'odd'} number{row}"
        for row in range(snapshot.num_products)
    )
    return with_hash(replace(snapshot, product_texts=texts)), (OF_EVEN, OF_ODD)


def texts_of(snapshot: Snapshot, rows: tuple[int, ...]) -> ProductTexts:
    """Vectors of the texts of some products, by the tests' encoder."""
    encode = Words("")
    whole = [snapshot.product_texts[row] for row in rows]
    parts = [
        name_and_rest(snapshot.product_names[row], text)
        for row, text in zip(rows, whole, strict=True)
    ]
    reviews = np.zeros((len(rows), encode([""]).shape[1]), np.float32)
    for place, row in enumerate(rows):
        own = np.flatnonzero(snapshot.reviews.product == row)
        if len(own):
            reviews[place] = encode([snapshot.reviews.text[one] for one in own]).mean(axis=0)
    return ProductTexts(
        reviews=reviews,
        whole=encode(whole),
        name=encode([name for name, _ in parts]),
        rest=encode([rest for _, rest in parts]),
    )


def reviewers_of(
    stored: Embeddings, snapshot: Snapshot, cold: tuple[int, ...], recipe: Recipe
) -> NDArray[np.float32]:
    width = len(recipe.taus) * recipe.dim
    sums = np.zeros((len(cold), width), np.float32)
    for user, product in zip(snapshot.reviews.user, snapshot.reviews.product, strict=True):
        if product in cold:
            sums[cold.index(product)] += stored.user_vectors[user, :width]
    return sums


@pytest.mark.parametrize(
    ("config", "world"),
    [
        (SMALL, "reviewed"),
        (replace(SMALL, heads=2, dim=16), "reviewed"),
        (replace(SMALL, steps=1), "tastes"),
        (replace(SMALL, text="off", links="off"), "tastes"),
    ],
    ids=["texts", "two heads", "block and reviewers", "reviewers without texts"],
)
def test_the_recipe_gives_what_the_training_stored(
    tmp_path: Path, config: TrainConfig, world: str
) -> None:
    snapshot, cold = with_cold_products() if world == "reviewed" else with_tastes()
    stored = read_embeddings(trained(tmp_path, snapshot, config))
    recipe = from_bytes(stored.recipe.tobytes())
    assert (recipe.reviewers > 0) == (world == "tastes")
    assert (recipe.block is not None) == (config.steps == 1)
    found = embed_new_products(
        recipe, texts_of(snapshot, cold), reviewers_of(stored, snapshot, cold, recipe)
    )
    rows = np.array(cold)
    assert np.abs(found.vectors - stored.product_vectors[rows]).max() < 1e-4
    assert np.abs(found.messages - stored.product_messages[rows]).max() < 1e-4
    assert np.abs(found.bias - stored.bias[rows]).max() < 1e-4
    assert row_length(product_rows(stored)) ** 2 >= recipe.square - 1e-3
    assert found.vectors.any(axis=1).tolist() == [True, True, False][: len(cold)]


def test_a_recipe_that_was_changed_is_refused(tmp_path: Path) -> None:
    stored = read_embeddings(trained(tmp_path, with_cold_products()[0]))
    for content in (b"", stored.recipe.tobytes()[:-9], b"\0" * 64):
        with pytest.raises(RunBroken, match="writeback"):
            from_bytes(content)
