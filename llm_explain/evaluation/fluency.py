"""How texts read: how many different wordings there are, and how easy they are.

Names and numbers are taken out first, so that only the wording counts. English only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kinfolio.llm_explain.explanation import Explanation

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def wordings(explanation: Explanation) -> list[str]:
    """The sentences that cite evidence, names as N and numbers as 0."""
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


def distinct(texts: Iterable[str], length: int) -> float:
    """Different runs of so many words over all of them (Li et al., arXiv 1510.03055)."""
    runs = [
        tuple(words[at : at + length])
        for text in texts
        for words in [_WORD.findall(text.casefold())]
        for at in range(len(words) - length + 1)
    ]
    return len(set(runs)) / len(runs) if runs else 0.0


def reading_ease(texts: Sequence[str]) -> float:
    """Flesch's reading ease: 60 to 70 is plain English, more is easier.

    206.835 - 1.015 words a sentence - 84.6 syllables a word; syllables are groups of vowels.
    """
    words = [word for text in texts for word in _WORD.findall(text)]
    sentences = sum(max(1, len(re.findall(r"[.!?](?:\s|$)", text))) for text in texts)
    if not words:
        return 0.0
    syllables = sum(_syllables(word) for word in words)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


def _syllables(word: str) -> int:
    low = word.casefold()
    groups = len(re.findall(r"[aeiouy]+", low))
    is_mute = low.endswith("e") and not low.endswith(("le", "ee"))
    return max(1, groups - is_mute)
