"""The intent of a line, by logistic regression on sentence embeddings.

Features: the MiniLM embedding of a line and its hashed word 1- to 3-grams (MiniLM alone hardly
separates "why" from "why not"), with names of products masked. Five-fold accuracy on the authored
examples: .73 with embeddings alone, .81 with names masked, .83 with word n-grams as well (.93 of
the lines answered without asking back). The fitted weights are cached in a file.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import zlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from kinfolio.errors import BadInput
from kinfolio.llm_explain.conversation.language.speech import language_of
from kinfolio.os_errors import optional_file
from kinfolio.run import whole_file
from kinfolio.texts.minilm import WIDTH, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

INTENTS = (
    *("recommend", "why_this", "why_not", "compare", "what_if", "influence", "similar"),
    *("dismiss", "my_data", "small_talk", "unsupported"),
)
_LANGUAGES = ("en", "de")
MIN_CONFIDENCE = 0.5
"""Below it the conversation asks back."""
MAX_LINE_CHARACTERS = 2_000
_INVERSE_REGULARISATION = 30.0
"""From 10 to 100 held-out accuracy is flat, but at 10 it asks back twice as often, and above 30 its
confidence is too high."""
_NGRAM_WEIGHT = 0.7
_NGRAM_BUCKETS = 2_048
_NUM_FEATURES = WIDTH + _NGRAM_BUCKETS
_NAME_INSIDE = re.compile(r"(?<=[\w,?“\"] )(?:[A-Z][\w&’'-]+ ?)+(?<! )|\b[a-z]\d+\b")
_NAME_FIRST = re.compile(r"^(?:[A-Z][a-z&]+ ){2,}")
_NAME_IN_GERMAN = re.compile(r"(?<!^)\b[A-Z][a-z]+(?: [A-Z][a-z]+)+\b|\b[a-z]\d+\b")
_ORDINARY_CAPITALS = {"I", "I'd", "I'm", "I've", "I’d", "I’m", "I’ve"}


@dataclass(frozen=True, slots=True)
class Route:
    """The intent of a line."""

    intent: str
    confidence: float
    """Probability of the intent, 0 to 1."""
    asks_back: bool
    topic: str | None = None
    """The fixed answer that the line has, as `careful.toml` names it."""


@dataclass(frozen=True, slots=True)
class Router:
    """Softmax regression over the intents."""

    weights: NDArray[np.float32]
    """Shape (num_intents, num_features)."""
    bias: NDArray[np.float32]
    """Shape (num_intents,)."""

    def route(self, text: str) -> Route:
        """Return the most probable intent of a line.

        Raises:
            BadInput: the line is empty or too long.
        """
        line = " ".join(text.split())
        if not line:
            raise BadInput("the line is empty; type a question, like: what do you recommend?")
        if len(line) > MAX_LINE_CHARACTERS:
            raise BadInput(
                f"the line has {len(line):,} characters; {MAX_LINE_CHARACTERS:,} is the most"
            )
        logits = self.weights @ features([line])[0] + self.bias
        probabilities = np.exp(logits - logits.max())
        probabilities /= probabilities.sum()
        best = int(probabilities.argmax())
        confidence = round(float(probabilities[best]), 4)
        return Route(INTENTS[best], confidence, confidence < MIN_CONFIDENCE)


def load_examples() -> dict[str, list[str]]:
    """Return the authored examples of each intent, of all languages."""
    folder = files("kinfolio.llm_explain.conversation.language")
    found: dict[str, list[str]] = {intent: [] for intent in INTENTS}
    for code in _LANGUAGES:
        content = tomllib.loads(folder.joinpath(f"intents_{code}.toml").read_text("utf-8"))
        assert tuple(content) == INTENTS
        for intent, lines in content.items():
            # "hi" is the same in both languages.
            found[intent] += [line for line in lines if line not in found[intent]]
    return found


def load_router(folder: Path) -> Router:
    """Read the router from the folder, or fit and save it where the examples have changed.

    Raises:
        NotReady: the encoder's package is missing.
    """
    examples = load_examples()
    settings = f"{examples}{_NAME_IN_GERMAN.pattern}{_INVERSE_REGULARISATION}{_NGRAM_WEIGHT}"
    file = folder / f"router-{hashlib.sha256(settings.encode()).hexdigest()[:16]}.npz"
    if (saved := _read(file)) is not None:
        return saved
    router = fit(examples)
    with optional_file(file), whole_file(file) as temporary, temporary.open("wb") as out:
        np.savez(out, weights=router.weights, bias=router.bias)
    return router


def _read(file: Path) -> Router | None:
    """Return the router in a file; None if there is none, or something else."""
    try:
        with file.open("rb") as opened, np.load(opened) as saved:
            router = Router(saved["weights"], saved["bias"])
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, NotImplementedError):
        return None
    shapes = {"weights": (len(INTENTS), _NUM_FEATURES), "bias": (len(INTENTS),)}
    for name, shape in shapes.items():
        found = getattr(router, name)
        if found.shape != shape or found.dtype != np.float32 or not np.isfinite(found).all():
            return None
    return router


def fit(examples: dict[str, list[str]]) -> Router:
    """Fit the router on examples of each intent."""
    from sklearn.linear_model import LogisticRegression

    texts = [text for intent in INTENTS for text in examples[intent]]
    labels = [row for row, intent in enumerate(INTENTS) for _ in examples[intent]]
    model = LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=1_000, class_weight="balanced")
    model.fit(features(texts), labels)
    return Router(model.coef_.astype(np.float32), model.intercept_.astype(np.float32))


def features(texts: list[str]) -> NDArray[np.float32]:
    """Return float32, shape (len(texts), num_features): embedding and n-grams, names masked."""
    masked = [mask_names(text) for text in texts]
    ngrams = np.stack([_ngrams(text) for text in masked])
    return np.hstack([encode(masked), _NGRAM_WEIGHT * ngrams]).astype(np.float32)


def mask_names(text: str) -> str:
    """Replace words in the form of a product's name or id by "Fund"."""
    if language_of(text) == "de":
        # German nouns have capitals, too.
        return _NAME_IN_GERMAN.sub("Fund", text)

    def fund(match: re.Match[str]) -> str:
        return match.group() if match.group().strip() in _ORDINARY_CAPITALS else "Fund"

    return _NAME_FIRST.sub("Fund ", _NAME_INSIDE.sub(fund, text))


def _ngrams(text: str) -> NDArray[np.float32]:
    words = ["^", *re.findall(r"\w+(?:n't)?|\?", text.lower().replace("’", "'")), "$"]
    counts = np.zeros(_NGRAM_BUCKETS, np.float32)
    for size in (1, 2, 3):
        for start in range(len(words) - size + 1):
            ngram = " ".join(words[start : start + size])
            # Not hash(): it differs between processes.
            counts[zlib.crc32(ngram.encode()) % _NGRAM_BUCKETS] += 1
    return counts / np.linalg.norm(counts)
