"""Diversity and reading ease of texts; names and numbers are masked, so only wording counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kinfolio.llm_explain.explanation import Explanation

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def wordings(explanation: Explanation) -> list[str]:
    """Return the sentences that cite evidence, with names as N and numbers as 0."""
    names = {explanation.name}
    for piece in explanation.evidence:
        names |= {str(value) for key, value in piece.facts if key in ("name", "category")}
    ordered = sorted(names, key=len, reverse=True)
    masked = []
    for sentence in explanation.sentences:
        if sentence.evidence:
            text = re.sub(r"\s*\[\d+\]", "", sentence.text)
            for name in ordered:
                text = text.replace(name, "N")
            masked.append(re.sub(r"\d+(?:\.\d+)?", "0", text))
    return masked


def distinct_n(texts: Iterable[str], n: int) -> float:
    """Return the share of distinct n-grams (Li et al., arXiv 1510.03055)."""
    ngrams = [
        tuple(words[at : at + n])
        for text in texts
        for words in [_WORD.findall(text.casefold())]
        for at in range(len(words) - n + 1)
    ]
    return len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def reading_ease(texts: Sequence[str]) -> float:
    """Return Flesch's reading ease of English texts: 60 to 70 is plain, higher is easier.

    206.835 - 1.015 words per sentence - 84.6 syllables per word; syllables are groups of vowels.
    """
    words = [word for text in texts for word in _WORD.findall(text)]
    sentences = sum(max(1, len(re.findall(r"[.!?](?:\s|$)", text))) for text in texts)
    if not words:
        return 0.0
    syllables = sum(_syllables(word) for word in words)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


def _syllables(word: str) -> int:
    lower = word.casefold()
    groups = len(re.findall(r"[aeiouy]+", lower))
    is_mute = lower.endswith("e") and not lower.endswith(("le", "ee"))
    return max(1, groups - is_mute)
