"""Text features of users and products: reviews, names, descriptions, external vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.errors import BadInput
from kinfolio.gnn.text.encoder import (
    EMBEDDED,
    Encoder,
    Progress,
    encode,
    load_encoder,
    weights_of,
)
from kinfolio.gnn.text.projection import (
    EXTERNAL,
    NAME,
    REST,
    REVIEWS,
    WHOLE,
    TextProjection,
    centred,
    mean_of,
    projected,
)
from kinfolio.os_errors import refusal
from kinfolio.records import Snapshot
from kinfolio.texts.product_text import name_and_rest

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class TextRows:
    """Text inputs of one width; rows are unit, or zero without data."""

    mixed: NDArray[np.float32]
    """Shape (num_users + num_products, width): all kinds of text combined."""
    users: NDArray[np.float32]
    """Shape (kinds, num_users, width): reviews, external vectors; kinds without data are absent."""
    products: NDArray[np.float32]
    """Shape (kinds, num_products, width): reviews, names, descriptions, external vectors."""
    projection: TextProjection | None = None
    """How the products' rows were computed; None of permuted texts."""


@dataclass(frozen=True, slots=True)
class ExternalVectors:
    """External vectors: shape (num_nodes, width); rows of zeros where the file has none."""

    users: NDArray[np.float32]
    products: NDArray[np.float32]


class TextFeatures:
    """Text vectors of users and products; can exclude reviews of held-back pairs."""

    def __init__(
        self,
        snapshot: Snapshot,
        cache: Path,
        *,
        most: int,
        encoder: str = EMBEDDED,
        load: Callable[[str], Encoder] = load_encoder,
        external: ExternalVectors | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Encode all texts that may be used.

        Only the `most` latest reviews of each user and each product are used. External vectors are
        an input of their own.
        """
        reviews = snapshot.reviews
        self._snapshot = snapshot
        self._external = external
        self._encoder, self._most = encoder, most
        self._used = np.flatnonzero(
            _latest(reviews.user, reviews.at, reviews.describes_user, most)
            | _latest(reviews.product, reviews.at, reviews.describes_product, most)
        )
        whole = snapshot.product_texts
        parts = [*map(name_and_rest, snapshot.product_names, whole)]
        names, rest = [name for name, _ in parts], [rest for _, rest in parts]
        texts = [reviews.text[row] for row in self._used] + [*whole, *names, *rest]
        distinct, position = np.unique(np.array(["", *texts], dtype=object), return_inverse=True)
        ends = np.cumsum([len(self._used), *[snapshot.num_products] * 2])
        self._reviews, self._whole, self._names, self._rest = np.split(position[1:], ends)
        written = [text for text in distinct if text.strip()]
        vectors = encode(written, cache, encoder=encoder, load=load, progress=progress)
        self._vectors = np.zeros((len(distinct), vectors.shape[1]), np.float32)
        self._vectors[[bool(text.strip()) for text in distinct]] = vectors

    def rows(self, width: int, hidden: NDArray[np.int64] | None = None) -> TextRows:
        """Return the text inputs, projected to `width` principal axes.

        A user is the mean of their reviews; a product its description plus the mean of its reviews.
        Each type is centred; the axes are those of the combined and the single kinds. Excludes
        reviews of the pairs with keys user * num_products + product in `hidden`.
        """
        user_kinds, product_kinds, names = self._kinds(hidden)
        combined = [user_kinds[0], product_kinds[0] + self._vectors[self._whole]]
        text_mean = np.zeros(0, np.float32)
        if self._external is not None:
            text_mean = mean_of(combined[1])
            external = self._external.users, self._external.products
            combined = [
                np.concatenate([centred(text), centred(vectors)], axis=1)
                for text, vectors in zip(combined, external, strict=True)
            ]
            user_kinds, product_kinds = (
                _with_external(kinds, vectors)
                for kinds, vectors in zip((user_kinds, product_kinds), external, strict=True)
            )
            names = [*names, EXTERNAL]
        joined = np.concatenate([centred(rows) for rows in combined])
        gram = joined.T @ joined
        for kinds in (user_kinds, product_kinds):
            if len(kinds) > 1:
                gram += sum(rows.T @ rows for rows in map(centred, kinds))
        _, axes = np.linalg.eigh(gram)
        axes = axes[:, ::-1][:, :width].astype(np.float32)
        has_data = [bool(rows.any()) for rows in product_kinds]
        means = [
            mean_of(rows) for rows, found in zip(product_kinds, has_data, strict=True) if found
        ]
        return TextRows(
            mixed=projected(joined, axes, width),
            users=_stacked(user_kinds, axes, width),
            products=_stacked(product_kinds, axes, width),
            projection=TextProjection(
                encoder=self._encoder,
                weights=weights_of(self._encoder),
                most=self._most,
                kinds=tuple(name for name, found in zip(names, has_data, strict=True) if found),
                means=np.array(means, np.float32).reshape(-1, len(axes)),
                mixed_mean=mean_of(combined[1]),
                text_mean=text_mean,
                axes=axes,
            ),
        )

    def _kinds(
        self, hidden: NDArray[np.int64] | None
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]], list[str]]:
        """Return the kinds of text of users and of products, reviews first, and the latter's names.

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
        own = {NAME: self._names, REST: self._rest} if has_both else {WHOLE: self._whole}
        products = [by_product, *(vectors[place] for place in own.values())]
        return [by_user], products, [REVIEWS, *own]

    def _mean(
        self, owner: NDArray[np.int32], visible: NDArray[np.bool_], count: int
    ) -> NDArray[np.float32]:
        ones = np.ones(int(visible.sum()), np.float32)
        ends = (owner[visible], self._reviews[visible])
        sums = csr_array((ones, ends), shape=(count, len(self._vectors)))
        number = np.maximum(sums.sum(axis=1), 1).reshape(-1, 1)
        mean: NDArray[np.float32] = (sums @ self._vectors / number).astype(np.float32)
        return mean


def read_vectors(file: Path, snapshot: Snapshot) -> ExternalVectors:
    """Read external vectors.

    The file has a column `vector` of lists of numbers, all of one length, and a column `user` or
    `product` with ids, or both, one of them empty in each row. Ids that are not in the snapshot
    are ignored.

    Raises:
        BadInput: the file cannot be read, has another format, or none of its ids is in the
            snapshot.
        FileError: the operating system refuses to read it.
    """
    import pyarrow as pa
    from pyarrow import compute, parquet

    expected = (
        "expected a Parquet file with a column vector (lists of numbers, all of one length) and "
        "a column user or product (ids)"
    )
    try:
        table = parquet.read_table(file)
        ids = {name: table[name] for name in ("user", "product") if name in table.column_names}
        lists = table["vector"].combine_chunks()
        lengths = compute.unique(compute.list_value_length(lists)).to_pylist()
        flat = compute.list_flatten(lists).cast(pa.float32()).to_numpy(zero_copy_only=False)
    except (OSError, pa.ArrowException, KeyError, UnicodeDecodeError) as error:
        if refused := refusal(error, file):
            raise refused from error
        raise BadInput(
            f"--vectors {file} cannot be used ({str(error).splitlines()[0]}); {expected}"
        ) from error
    if not ids or len(lengths) != 1 or not lengths[0]:
        found = f"lists of {len(lengths)} lengths" if ids else f"columns {table.column_names}"
        raise BadInput(f"--vectors {file} has {found}; {expected}")
    if not np.isfinite(flat).all():
        raise BadInput(f"--vectors {file} has numbers that are not finite; {expected}")
    rows = flat.reshape(-1, lengths[0])
    users = _aligned(ids.get("user"), rows, snapshot.user_ids)
    products = _aligned(ids.get("product"), rows, snapshot.product_ids)
    if not (users.any() or products.any()):
        raise BadInput(
            f"--vectors {file} has no id of a user or product of the snapshot; expected the ids "
            "they were loaded with"
        )
    return ExternalVectors(users=users, products=products)


def has_texts(snapshot: Snapshot) -> bool:
    """Return whether any product or review has a text."""
    return any(snapshot.product_texts) or bool(snapshot.reviews.text)


def shuffled(rows: TextRows, seed: int) -> TextRows:
    """Permute the texts among users and among products: a control for the effect of texts."""
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


def _stacked(
    kinds: list[NDArray[np.float32]], axes: NDArray[np.float32], width: int
) -> NDArray[np.float32]:
    """Centre and project each kind that has data: shape (kinds, num_nodes, width)."""
    present = [rows for rows in kinds if rows.any()] or kinds[:1]
    return np.stack([projected(centred(rows), axes, width) for rows in present])


def _aligned(
    column: pa.ChunkedArray | None, vectors: NDArray[np.float32], ids: Sequence[str]
) -> NDArray[np.float32]:
    """Return the vector of each id; zeros where the column does not have it."""
    aligned = np.zeros((len(ids), vectors.shape[1]), np.float32)
    row_of = {name: row for row, name in enumerate(ids)}
    for vector, name in zip(
        vectors, column.to_pylist() if column is not None else (), strict=False
    ):
        if name is not None and str(name) in row_of:
            aligned[row_of[str(name)]] = vector
    return aligned
