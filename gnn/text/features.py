"""Text features of users and products: reviews, names, descriptions, external vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.gnn.text.encoder import EMBEDDED, Encoder, Progress, encode, load_encoder, unit
from kinfolio.gnn.text.external_vectors import GivenVectors
from kinfolio.records import Snapshot


@dataclass(frozen=True, slots=True)
class TextRows:
    """Text inputs of one width; rows are unit, or zero where nothing is known."""

    mixed: NDArray[np.float32]
    """Shape (num_users + num_products, width): all kinds of text combined."""
    users: NDArray[np.float32]
    """Shape (kinds, num_users, width): reviews, external vectors; kinds without data are absent."""
    products: NDArray[np.float32]
    """Shape (kinds, num_products, width): reviews, names, descriptions, external vectors."""


class TextFeatures:
    """Text vectors of users and products; reviews of held-back pairs can be left out."""

    def __init__(
        self,
        snapshot: Snapshot,
        cache: Path,
        *,
        most: int,
        encoder: str = EMBEDDED,
        load: Callable[[str], Encoder] = load_encoder,
        given: GivenVectors | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Encode all texts that may be used.

        Only the `most` latest reviews of each user and each product are used. `given`: external
        vectors, an input of their own.
        """
        reviews = snapshot.reviews
        self._snapshot = snapshot
        self._given = given
        self._used = np.flatnonzero(
            _latest(reviews.user, reviews.at, reviews.describes_user, most)
            | _latest(reviews.product, reviews.at, reviews.describes_product, most)
        )
        whole = snapshot.product_texts
        names = [
            name if name and text.startswith(name) else ""
            for name, text in zip(snapshot.product_names, whole, strict=True)
        ]
        rest = [text[len(name) :].lstrip(". ") for name, text in zip(names, whole, strict=True)]
        texts = [reviews.text[row] for row in self._used] + [*whole, *names, *rest]
        distinct, position = np.unique(np.array(["", *texts], dtype=object), return_inverse=True)
        ends = np.cumsum([len(self._used), *[snapshot.num_products] * 2])
        self._reviews, self._whole, self._names, self._rest = np.split(position[1:], ends)
        written = [text for text in distinct if text.strip()]
        vectors = encode(written, cache, encoder=encoder, load=load, progress=progress)
        self._vectors = np.zeros((len(distinct), vectors.shape[1]), np.float32)
        self._vectors[[bool(text.strip()) for text in distinct]] = vectors

    def build(self, width: int, hidden: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Return the text inputs of all kinds combined: `rows(...).mixed`."""
        return self.rows(width, hidden).mixed

    def rows(self, width: int, hidden: NDArray[np.int64] | None = None) -> TextRows:
        """Return the text inputs, projected to `width` principal axes.

        A user is the mean of their reviews; a product its description plus the mean of its reviews.
        Each type is centred; the axes are those of the combined and the single kinds. Reviews of
        the pairs with keys user * num_products + product in `hidden` are left out.
        """
        user_kinds, product_kinds = self._kinds(hidden)
        combined = [user_kinds[0], product_kinds[0] + self._vectors[self._whole]]
        if self._given is not None:
            given = self._given.users, self._given.products
            combined = [
                np.concatenate([_centred(text), _centred(vectors)], axis=1)
                for text, vectors in zip(combined, given, strict=True)
            ]
            user_kinds, product_kinds = (
                _with_external(kinds, vectors)
                for kinds, vectors in zip((user_kinds, product_kinds), given, strict=True)
            )
        joined = np.concatenate([_centred(rows) for rows in combined])
        gram = joined.T @ joined
        for kinds in (user_kinds, product_kinds):
            if len(kinds) > 1:
                gram += sum(rows.T @ rows for rows in map(_centred, kinds))
        _, axes = np.linalg.eigh(gram)
        axes = axes[:, ::-1][:, :width].astype(np.float32)
        return TextRows(
            mixed=_projected(joined, axes, width),
            users=_stacked(user_kinds, axes, width),
            products=_stacked(product_kinds, axes, width),
        )

    def _kinds(
        self, hidden: NDArray[np.int64] | None
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
        """Return the kinds of text of users and of products, reviews first.

        Names and descriptions are two kinds if both exist, else one.
        """
        snapshot, reviews, vectors = self._snapshot, self._snapshot.reviews, self._vectors
        user, product = reviews.user[self._used], reviews.product[self._used]
        visible = np.ones(len(self._used), bool)
        if hidden is not None:
            visible = ~np.isin(user.astype(np.int64) * snapshot.num_products + product, hidden)
        by_user = self._mean(user, visible & reviews.describes_user[self._used], snapshot.num_users)
        by_product = self._mean(
            product, visible & reviews.describes_product[self._used], snapshot.num_products
        )
        has_both = vectors[self._rest].any() and vectors[self._names].any()
        own = [self._names, self._rest] if has_both else [self._whole]
        return [by_user], [by_product, *(vectors[place] for place in own)]

    def _mean(
        self, owner: NDArray[np.int32], visible: NDArray[np.bool_], count: int
    ) -> NDArray[np.float32]:
        ones = np.ones(int(visible.sum()), np.float32)
        ends = (owner[visible], self._reviews[visible])
        sums = csr_array((ones, ends), shape=(count, len(self._vectors)))
        number = np.maximum(sums.sum(axis=1), 1).reshape(-1, 1)
        mean: NDArray[np.float32] = (sums @ self._vectors / number).astype(np.float32)
        return mean


def has_texts(snapshot: Snapshot) -> bool:
    """Return whether any product or review has a text."""
    return any(snapshot.product_texts) or bool(snapshot.reviews.text)


def shuffled(rows: TextRows, seed: int) -> TextRows:
    """Permute the texts among users and among products: a control for what texts contribute."""
    rng = np.random.default_rng(seed)
    users = rng.permutation(rows.users.shape[1])
    products = rng.permutation(rows.products.shape[1])
    return TextRows(
        mixed=rows.mixed[np.concatenate([users, products + len(users)])],
        users=rows.users[:, users],
        products=rows.products[:, products],
    )


def _latest(
    owner: NDArray[np.int32], at: NDArray[np.int64], allowed: NDArray[np.bool_], most: int
) -> NDArray[np.bool_]:
    """Return which reviews are among the `most` latest allowed ones of their owner."""
    rows = np.flatnonzero(allowed)
    rows = rows[np.lexsort((-rows, -at[rows], owner[rows]))]
    owners = owner[rows]
    first = np.r_[True, owners[1:] != owners[:-1]] if len(rows) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    chosen = np.zeros(len(owner), bool)
    chosen[rows[place < most]] = True
    return chosen


def _with_external(
    kinds: list[NDArray[np.float32]], vectors: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Append external vectors as another kind, on axes of their own."""
    padded = [np.pad(rows, ((0, 0), (0, vectors.shape[1]))) for rows in kinds]
    empty = np.zeros((len(vectors), kinds[0].shape[1]), np.float32)
    return [*padded, np.concatenate([empty, vectors], axis=1)]


def _centred(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to unit length and subtract their mean; rows of zeros stay zero."""
    known = np.any(rows != 0, axis=1)
    if not known.any():
        return rows
    centred: NDArray[np.float32] = np.where(
        known[:, None], unit(rows) - unit(rows[known]).mean(axis=0), 0
    ).astype(np.float32)
    return centred


def _projected(
    rows: NDArray[np.float32], axes: NDArray[np.float32], width: int
) -> NDArray[np.float32]:
    found = np.zeros((len(rows), width), np.float32)
    found[:, : axes.shape[1]] = rows @ axes
    return unit(found)


def _stacked(
    kinds: list[NDArray[np.float32]], axes: NDArray[np.float32], width: int
) -> NDArray[np.float32]:
    """Centre and project each kind that has data: shape (kinds, num_nodes, width)."""
    present = [rows for rows in kinds if rows.any()] or kinds[:1]
    return np.stack([_projected(_centred(rows), axes, width) for rows in present])
