"""Numbers of a text, each in its role: all holders, those who hold both, ratings, percentages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kinfolio.llm_explain.explanation import Evidence

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_PERCENT_TOLERANCE = 0.51
_NOT_CITED = "is in no cited evidence"
_NO_NUMBERS = ("ratio", "base")
"""Facts that are percentages."""


@dataclass(frozen=True, slots=True)
class Fraction:
    """A fraction in words and the range of shares of the holders that it covers."""

    pattern: re.Pattern[str]
    lowest: float
    highest: float
    is_number: bool
    """Whether it contains a word for a number, like "three quarters"."""


@dataclass(frozen=True, slots=True)
class NumberClaims:
    """Compares the numbers of a text with the facts of the cited evidence."""

    patterns: dict[str, re.Pattern[str]]
    fractions: tuple[Fraction, ...]
    words: dict[str, int]
    spelled: re.Pattern[str]
    """A number in words, like "thirty-one" or "two hundred and five"."""
    thousands: str
    decimal: str

    def problems(self, text: str, cited: Sequence[Evidence]) -> Iterator[str]:
        """Yield the numbers that no cited evidence contains, or contains in another role."""
        facts = [dict(piece.facts) for piece in cited]
        together = [fact for fact in facts if fact.get("claim") == "together"]
        ratios = [float(fact["both"]) / float(fact["holders"]) for fact in together]
        for fraction in self.fractions:
            if fraction.pattern.search(text):
                if not any(fraction.lowest <= ratio <= fraction.highest for ratio in ratios):
                    yield f"the fraction of the holders {_NOT_CITED}"
                if fraction.is_number:
                    text = fraction.pattern.sub(lambda match: "_" * len(match.group()), text)
        values = [v for fact in facts for key, v in fact.items() if key not in _NO_NUMBERS]
        bases = {str(fact["base"]) for fact in facts if "base" in fact}
        exact = {_flat(value) for value in values if isinstance(value, int | float)}
        withheld = {n for v in values if isinstance(v, str) for n in re.findall(r"\d+", v)}
        found = self._numbers(text)
        for number, start, end in found:
            before, shown, after = text[:start], text[start:end], text[end:]
            if self.patterns["percent"].match(after):
                is_base = self.patterns["base"].search(f"{before}#{after}") is not None
                if self.patterns["fewer_than"].search(before):
                    is_cited = any(number in re.findall(r"\d+", base) for base in bases) and is_base
                elif is_base:
                    is_cited = number in bases
                else:
                    is_cited = self._is_percent(number, text, after, cited, ratios)
                if not is_cited:
                    yield f"{shown} percent {_NOT_CITED}"
            elif self.patterns["fewer_than"].search(before):
                if number not in withheld:
                    yield f"{shown} {_NOT_CITED}"
            elif self.patterns["roughly"].search(before):
                yield f"{shown} is approximate, but the evidence contains exact numbers"
            elif len(cited) > 1 and self.patterns["of_yours"].match(after):
                if number != str(sum(piece.kind == "holding" for piece in cited)):
                    yield f"{shown} {_NOT_CITED}"
            elif number not in exact:
                yield f"{shown} {_NOT_CITED}"
            elif any(
                "people" in fact and _flat(fact["people"]) == number != _flat(fact["holders"])
                for fact in facts
            ):
                if not self.patterns["of_all"].search(f"{before}#{after}"):
                    yield f"{shown} has another role in the evidence"
            elif len(together) == len(facts) == 1:
                expected = self._expected(f"{before}#{after}", text, together[0], len(found))
                if expected not in (None, number):
                    yield f"{shown} has another role in the evidence"

    def _numbers(self, text: str) -> list[tuple[str, int, int]]:
        """Each number without separators, with its start and end."""
        found = []
        for match in _NUMBER.finditer(text):
            plain = match.group().replace(self.thousands, "").replace(self.decimal, ".")
            found.append((_flat(plain), *match.span()))
        for match in self.spelled.finditer(text):
            total = 0
            for word in re.findall(r"\w+", match.group().lower()):
                value = self.words.get(word, 1 if word in ("one", "a") else 0)
                total = max(total, 1) * value if value >= 100 else total + value
            found.append((str(total), *match.span()))
        return sorted(found, key=lambda item: item[1])

    def _expected(
        self, text: str, whole_text: str, fact: dict[str, Any], num_numbers: int
    ) -> str | None:
        """The number that belongs at the position of #; None if its role is unclear."""
        if self.patterns["whole"].search(text):
            return _flat(fact["holders"])
        if self.patterns["part"].search(text):
            return _flat(fact["both"])
        if num_numbers > 1:
            return None
        return _flat(fact["both" if self.patterns["this"].search(whole_text) else "holders"])

    def _is_percent(
        self, number: str, text: str, after: str, cited: Sequence[Evidence], ratios: list[float]
    ) -> bool:
        shares = [abs(sum(piece.share for piece in cited))]
        # "38 % of the 32 others hold it (20 % of the weight)": the words after a number decide.
        is_ratio = bool(ratios) and self.patterns["ratio"].match(after) is not None
        expected = shares if self.patterns["share"].search(text) and not is_ratio else ratios
        return any(abs(float(number) - 100 * one) <= _PERCENT_TOLERANCE for one in expected)


def _flat(number: object) -> str:
    return str(number).removesuffix(".0")
