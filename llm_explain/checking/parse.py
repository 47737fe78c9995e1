"""Parse a text for checking: mask names, split sentences, and parts with their citations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from kinfolio.llm_explain.explanation import Explanation

_FIRST_MASK = 0xE000
_CITATIONS = re.compile(r"(?:\s*\[\d+\])+")
_LATE_CITATION = re.compile(r"([.!?])((?:\s*\[\d+\])+)")
_END = re.compile(r"(?<=[.!?])\s+|\n+")
_QUOTES = (("“", "”"), ('"', '"'), ("‘", "’"), ("'", "'"), ("«", "»"), ("„", "“"))


@dataclass(frozen=True, slots=True)
class SentencePart:
    """A part of a sentence and the evidence cited right after it."""

    text: str
    cited: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ParsedSentence:
    """One sentence: as written, with names masked, and in parts."""

    text: str
    masked: str
    parts: tuple[SentencePart, ...]

    @property
    def cited(self) -> tuple[int, ...]:
        """Ids of all evidence that the sentence cites, in order."""
        return tuple(dict.fromkeys(number for part in self.parts for number in part.cited))


class NameMasks:
    """Masks the names of an explanation by one private-use character each."""

    def __init__(self, explanation: Explanation, ordinary: Iterable[str] = ()) -> None:
        self._ordinary = frozenset(ordinary)
        self._replaced = dict(explanation.replaced)
        words = "|".join(re.escape(word) for word, _ in explanation.replaced)
        self._words = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
        owners: dict[str, set[int]] = {_bare(explanation.label) or explanation.name: set()}
        for piece in explanation.evidence:
            for key, value in piece.facts:
                if key in ("name", "category"):
                    owners.setdefault(_bare(str(value)), set()).add(piece.id)
        self._owners = list(owners.items())
        self._index: dict[str, int] = {}
        patterns: list[str] = []
        for index in sorted(range(len(self._owners)), key=lambda i: -len(self._owners[i][0])):
            name = self._owners[index][0]
            patterns.extend(self._forms(name))
            for form in _variants(name):
                key = _unquoted(form)
                self._index.setdefault(key, index)
                self._index.setdefault(key.casefold(), index)
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def mask(self, text: str) -> tuple[str, list[str]]:
        """Return the text with every known name as one character, and the names as written."""
        written: list[str] = []

        def replace(match: re.Match[str]) -> str:
            written.append(match.group())
            key = _unquoted(match.group())
            return chr(_FIRST_MASK + self._index.get(key, self._index[key.casefold()]))

        return (self._pattern.sub(replace, text) if self._pattern else text), written

    def in_known_words(self, masked: str) -> str:
        """Return a masked text in the words that the check knows."""

        def replace(match: re.Match[str]) -> str:
            word = match.group()
            known = self._replaced.get(word) or self._replaced.get(
                word[:1].lower() + word[1:], word
            )
            return known[:1].upper() + known[1:] if word[0].isupper() else known

        return self._words.sub(replace, masked) if self._replaced else masked

    @staticmethod
    def is_mask(char: str) -> bool:
        """Return whether a character masks a name."""
        return _FIRST_MASK <= ord(char) < 0xF900

    def of(self, mask: str) -> str:
        """Return the name behind a mask."""
        return self._owners[ord(mask) - _FIRST_MASK][0]

    def evidence(self, mask: str) -> set[int]:
        """Return the ids of the evidence with that name; empty for the explained product."""
        return self._owners[ord(mask) - _FIRST_MASK][1]

    def is_product(self, mask: str) -> bool:
        """Return whether the name is that of the explained product."""
        return ord(mask) == _FIRST_MASK

    def _forms(self, name: str) -> Iterator[str]:
        """Patterns that match a name, in quotation marks or bare."""
        for form in _variants(name):
            inner = re.escape(form)
            yield "|".join(re.escape(left) + inner + re.escape(right) for left, right in _QUOTES)
            # A name of ordinary words is recognised only in quotation marks.
            if not is_ordinary(form, self._ordinary):
                is_long = " " in form and len(form) > 8
                yield rf"(?<!\w){f'(?i:{inner})' if is_long else inner}(?!\w)"


def is_ordinary(name: str, words: Container[str]) -> bool:
    """Return whether a name could pass for words of a text: it consists of these words."""
    return all(
        len(word) == 1 or word in words for word in re.findall(r"[^\W\d_]+", name.casefold())
    )


def clean(text: str) -> str:
    """Return the text without look-alike and invisible characters and marks of emphasis.

    Private-use characters (Co) go, too: they mask names.
    """
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Co"))
    return re.sub(r"\*\*|__", "", text).strip()


def parse_sentences(text: str, names: NameMasks) -> tuple[ParsedSentence, ...]:
    """Return the sentences of a text."""
    masked, written = names.mask(clean(text))
    sentences = []
    for piece in _END.split(_LATE_CITATION.sub(r"\2\1", masked)):
        sentence = piece.strip()
        shown = "".join(written.pop(0) if names.is_mask(c) else c for c in sentence)
        if re.search(r"\w", shown):
            known = names.in_known_words(sentence)
            sentences.append(ParsedSentence(shown, known, _parts(known)))
    return tuple(sentences)


def _parts(sentence: str) -> tuple[SentencePart, ...]:
    parts: list[SentencePart] = []
    start = 0
    for match in _CITATIONS.finditer(sentence):
        cited = tuple(int(number) for number in re.findall(r"\d+", match.group()))
        parts.append(SentencePart(sentence[start : match.start()].strip(), cited))
        start = match.end()
    rest = sentence[start:].strip(" .!?;,")
    if rest:
        # The last citation supports the rest too: "because of A [1] it fits you".
        parts.append(SentencePart(rest, parts[-1].cited if parts else ()))
    return tuple(parts)


def _unquoted(written: str) -> str:
    return written.strip("".join(mark for pair in _QUOTES for mark in pair))


def _bare(name: str) -> str:
    return name[1:-1] if name.startswith("“") and name.endswith("”") else name


def _variants(name: str) -> list[str]:
    flat = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    straight = flat.translate({ord(c): "'" for c in "“”"})
    cut = straight if len(straight) <= 120 else straight[:119].rstrip() + "…"
    forms = {name.strip(), flat, straight, cut}
    forms |= {unicodedata.normalize("NFKC", form) for form in forms}
    return sorted((form for form in forms if form), key=len, reverse=True)
