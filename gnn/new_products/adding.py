"""Give products that came after the training vectors in all versions that serve or could serve.

Encodes their texts with the version's encoder, computes them by the version's recipe, and writes
them into its slot. Products of which nothing is known are left out. Idempotent, and safe to
interrupt: each batch is one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, RunBroken
from kinfolio.gnn.new_products.embedding import embed_new_products
from kinfolio.gnn.new_products.inputs import (
    NewProduct,
    find_new_products,
    read_new_products,
    reviewer_sums,
    text_vectors,
    texts_of,
)
from kinfolio.gnn.new_products.storing import store_new_products
from kinfolio.gnn.publishing.versions import Found, found_versions
from kinfolio.gnn.recipe import Recipe, from_bytes, read_content
from kinfolio.gnn.text.encoder import Encoder, encode, load_encoder, load_light_encoder, weights_of
from kinfolio.gnn.version_state import problem_of
from kinfolio.records import Progress, no_progress
from kinfolio.tabular import Tabular

AT_ONCE = 1_000
"""Products in one transaction."""
FEW_TEXTS = 1_000
"""Up to this number of texts, an encoder without torch is faster than importing torch."""
_SERVABLE = ("active", "ready")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProducts(Tabular):
    """Products that came after the training and got vectors in one version."""

    version: str
    added: int
    updated: int
    """Those that had a vector, and of which something else is known now."""
    problem: str | None
    """Why products that came after the training have no vector; None: nothing prevents it."""
    seconds: float

    def sentences(self) -> tuple[str, ...]:
        """Return what was done, for a message; empty if nothing was."""
        done = (
            f"version {self.version} lists {self.added:,} new products"
            + (f" and knows {self.updated:,} better" if self.updated else "")
            + f" ({self.seconds:.1f} s)"
        )
        problem = f"new products are not listed: {self.problem}"
        return (
            *((done,) if self.added or self.updated else ()),
            *((problem,) if self.problem else ()),
        )


def add_new_products(
    graph: Graph,
    cache: Path,
    *,
    load: Callable[[str], Encoder] | None = None,
    note: Callable[[str], None] = lambda _: None,
    progress: Progress = no_progress,
) -> tuple[NewProducts, ...]:
    """Write the vectors of new products; return what was done for each version, active first.

    Args:
        graph: with any number of versions.
        cache: file of text vectors encoded before.
        load: returns the text encoder; None is the lightest one for the number of texts.
        note: called with what was done, in sentences.
        progress: called with step, texts encoded and texts in total.
    """
    versions = [
        version
        for version in found_versions(graph)
        if version.get("state") in _SERVABLE and problem_of(version) is None
    ]
    versions.sort(key=lambda version: _SERVABLE.index(version["state"]))
    done = tuple(_add_to(graph, version, cache, load, progress) for version in versions)
    for one in done:
        for sentence in one.sentences():
            note(sentence)
    return done


def _add_to(
    graph: Graph,
    version: Found,
    cache: Path,
    load: Callable[[str], Encoder] | None,
    progress: Progress,
) -> NewProducts:
    started = time.perf_counter()
    added = updated = 0
    problem = None
    try:
        encoder = _TextEncoder(cache, load, progress)
        for recipe, products in _batches(graph, version):
            if _write(graph, version, recipe, products, encoder):
                added += sum(product.stored is None for product in products)
                updated += sum(product.stored is not None for product in products)
    except (NotReady, RunBroken) as error:
        problem = str(error)
    return NewProducts(
        version=version["name"],
        added=added,
        updated=updated,
        problem=problem,
        seconds=round(time.perf_counter() - started, 3),
    )


def _batches(graph: Graph, version: Found) -> Iterator[tuple[Recipe, list[NewProduct]]]:
    rows = find_new_products(graph, version["slot"])
    if not rows:
        return
    recipe = _recipe(graph, version)
    products = [
        product
        for product in read_new_products(graph, version, recipe, rows)
        if not product.is_current
    ]
    for first in range(0, len(products), AT_ONCE):
        yield recipe, products[first : first + AT_ONCE]


def _recipe(graph: Graph, version: Found) -> Recipe:
    """Return the recipe of a version.

    Raises:
        NotReady: it has none.
        RunBroken: it is damaged.
    """
    if not version.get("hash_recipe"):
        raise NotReady(
            f"version {version['name']} has no recipe for products that came after its training; "
            "to list them, type: kinfolio export, kinfolio train and kinfolio writeback"
        )
    if (content := read_content(graph, version)) is None:
        raise RunBroken(
            f"the recipe of version {version['name']} is damaged; type: kinfolio writeback"
        )
    return from_bytes(content)


class _TextEncoder:
    """Encodes the texts of products with the encoder of a recipe."""

    def __init__(
        self, cache: Path, load: Callable[[str], Encoder] | None, progress: Progress
    ) -> None:
        self._cache = cache
        self._load = load
        self._progress = partial(progress, "reading the texts of new products")

    def __call__(self, encoder: str, texts: Sequence[str]) -> NDArray[np.float32]:
        light = load_light_encoder if len(texts) <= FEW_TEXTS else load_encoder
        return encode(
            texts,
            self._cache,
            encoder=encoder,
            load=self._load or light,
            progress=self._progress,
        )


def _write(
    graph: Graph,
    version: Found,
    recipe: Recipe,
    products: Sequence[NewProduct],
    encoder: _TextEncoder,
) -> bool:
    texts = None
    if recipe.texts is not None:
        if recipe.texts.weights != weights_of(recipe.texts.encoder):
            raise NotReady(
                f"the text encoder {recipe.texts.encoder!r} is not the one that version "
                f"{version['name']} was trained with; install that one, or train again"
            )
        known = texts_of(products)
        vectors = encoder(recipe.texts.encoder, known)
        texts = text_vectors(
            products, dict(zip(known, vectors, strict=True)), recipe.texts.text_width
        )
    width = len(recipe.taus) * recipe.dim
    if recipe.reviewers:
        reviewers = reviewer_sums(graph, version, products, width)
    else:
        reviewers = np.zeros((len(products), width), np.float32)
    found = embed_new_products(recipe, texts, reviewers)
    return store_new_products(graph, version, products, found)
