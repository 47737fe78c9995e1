"""Claims of a sentence held against its evidence by the table of a language.

English has rooms of code for this; any other language has `[[rule]]` entries and patterns in its
`check_*.toml`. In a pattern NAME stands for a name of the evidence, PRODUCT for the product
explained. Coarser than the rooms for English, and stricter; docs/decisions/explanations.md has its
figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kinfolio.llm_explain.checking.parse import NameMasks
from kinfolio.llm_explain.explanation import Evidence

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """What a pattern claims and which cited evidence may carry it; none: nothing can."""

    pattern: re.Pattern[str]
    reason: str
    kinds: frozenset[str]
    claims: frozenset[str]
    tie: str
    """How the key of a cited tie must begin."""
    num_ties: int
    among: frozenset[str]
    """The rule holds only where all that is cited is of these kinds; empty: always."""

    def is_broken(self, text: str, cited: Sequence[Evidence]) -> bool:
        """Whether the text claims it and the cited evidence does not."""
        if self.among and not {piece.kind for piece in cited} <= self.among:
            return False
        if not self.pattern.search(text):
            return False
        carried = [piece for piece in cited if self._carries(piece)]
        return len(carried) < max(1, self.num_ties)

    def _carries(self, piece: Evidence) -> bool:
        facts = dict(piece.facts)
        if self.tie:
            return str(facts.get("tie", "")).startswith(self.tie)
        if self.num_ties:
            return piece.kind == "tie"
        return piece.kind in self.kinds or facts.get("claim") in self.claims


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The patterns of a language; the fields are the keys of its file."""

    rules: tuple[ClaimRule, ...]
    patterns: dict[str, re.Pattern[str]]
    numbers: dict[str, int]
    thousands: str
    decimal: str

    def problems_of_part(
        self,
        text: str,
        before: str,
        cited: Sequence[Evidence],
        told: Sequence[Evidence],
        names: NameMasks,
    ) -> Iterator[str]:
        """What the part says and the evidence it cites does not; as `claims.problems_of_part`."""
        text = self.patterns["ignored"].sub(" ", text)
        facts = [dict(piece.facts) for piece in cited]
        yield from self._names(text, before, cited, names)
        for rule in self.rules:
            if rule.is_broken(text, cited):
                yield rule.reason
        yield from self._numbers(text, cited, facts)
        yield from self._direction(text, before, cited)
        yield from self._weight(text, cited, told)

    def _names(
        self, text: str, before: str, cited: Sequence[Evidence], names: NameMasks
    ) -> Iterator[str]:
        numbers = {piece.id for piece in cited}
        of_kind = {
            kind: {piece.id for piece in cited if piece.kind == kind}
            for kind in ("holding", "text")
        }
        for char in filter(names.is_mask, text):
            if not names.is_product(char) and not names.evidence(char) & numbers:
                where = min(names.evidence(char))
                yield f"{names.of(char)!r} stands in evidence [{where}], not in what is cited"
        for key, kind, said in (("held", "holding", "hold"), ("written", "text", "wrote about")):
            for match in self.patterns[key].finditer(text):
                for char in filter(names.is_mask, match.group()):
                    if not names.is_product(char) and not names.evidence(char) & of_kind[kind]:
                        yield f"it says that you {said} {names.of(char)!r}, and no evidence does"
        spoken = {n for char in before + text if names.is_mask(char) for n in names.evidence(char)}
        for piece in cited if len(cited) > 1 else ():
            if "name" in dict(piece.facts) and piece.kind == "holding" and piece.id not in spoken:
                yield f"evidence [{piece.id}] is cited, but nothing of it is told"

    def _numbers(
        self, text: str, cited: Sequence[Evidence], facts: list[dict[str, Any]]
    ) -> Iterator[str]:
        # Any: a fact is a text or a number.
        found = [(self._plain(m.group()), m.start(), m.end()) for m in _NUMBER.finditer(text)]
        word = re.compile(rf"\b(?:{'|'.join(self.numbers)})\b", re.IGNORECASE)
        found += [
            (str(self.numbers[m.group().lower()]), m.start(), m.end()) for m in word.finditer(text)
        ]
        values = [value for fact in facts for value in fact.values()]
        exact = {_flat(value) for value in values if isinstance(value, int | float)}
        withheld = {n for v in values if isinstance(v, str) for n in re.findall(r"\d+", v)}
        counted = [fact for fact in facts if fact.get("claim") == "together"]
        for number, start, end in found:
            ahead, shown = text[:start], text[start:end]
            if re.match(r"\s*(?:%|Prozent\b)", text[end:]):
                if not self._is_percent(number, text, cited, counted):
                    yield f"{shown} percent stands in no evidence that is cited"
            elif self.patterns["fewer_than"].search(ahead):
                if number not in withheld:
                    yield f"{shown} stands in no evidence that is cited"
            elif self.patterns["roughly"].search(ahead) or number not in exact:
                yield f"{shown} stands in no evidence that is cited"
            elif len(counted) == len(facts) == 1:
                role = f"{ahead}#{text[end:]}"
                is_both = not self.patterns["whole"].search(role) and bool(
                    self.patterns["part"].search(role) or self.patterns["this"].search(text)
                )
                expected = counted[0]["both" if is_both else "holders"]
                if number != _flat(expected):
                    yield f"{shown} is told in another role than the evidence has it"

    def _is_percent(
        self, number: str, text: str, cited: Sequence[Evidence], counted: list[dict[str, Any]]
    ) -> bool:
        share = 100 * abs(sum(piece.share for piece in cited))
        if self.patterns["share"].search(text):
            return abs(float(number) - share) <= 0.51
        return any(abs(float(number) - 100 * f["both"] / f["holders"]) <= 0.51 for f in counted)

    def _direction(self, text: str, before: str, cited: Sequence[Evidence]) -> Iterator[str]:
        signs = {piece.contribution > 0 for piece in cited if piece.contribution}
        bare = self.patterns["not_only"].sub(" ", text)
        against = self.patterns["against"].search(bare)
        denied = self.patterns["negation"].search(bare)
        if signs == {True} and (against or denied):
            yield "it denies or tells as speaking against what speaks for the product"
        if signs == {False}:
            if self.patterns["for"].search(bare):
                yield "it tells as a reason for what speaks against the product"
            elif denied and against:
                yield "it denies what speaks against"
            elif not (
                against
                or self.patterns["but"].search(bare)
                or self.patterns["against"].search(before)
            ):
                yield "it does not say that this speaks against the product"
        if len(signs) == 2 and not (against or self.patterns["but"].search(before + bare)):
            yield "it mixes what speaks for and against without saying so"

    def _weight(
        self, text: str, cited: Sequence[Evidence], told: Sequence[Evidence]
    ) -> Iterator[str]:
        share = sum(abs(piece.share) for piece in cited)
        largest = max((abs(p.share) for p in told if p.contribution > 0), default=0.0)
        is_largest = share >= largest - 1e-9
        if self.patterns["mainly"].search(text) and share < 0.35 and not is_largest:
            yield "it calls main what is a small share of the score"
        if self.patterns["strongest"].search(text) and not is_largest:
            yield "it calls strongest what is not"
        if self.patterns["little"].search(text) and share > 0.4:
            yield "it calls small what is a large share of the score"

    def _plain(self, number: str) -> str:
        plain = number.replace(self.thousands, "").replace(self.decimal, ".")
        return _flat(plain)


def read_table(content: dict[str, Any]) -> RuleTable:
    """The table in the content of a `check_*.toml`; Any: TOML values.

    Raises:
        KeyError: something is missing.
        re.error: a pattern cannot be read.
    """
    keys = (
        *("ignored", "held", "written", "fewer_than", "roughly", "whole", "part", "this", "share"),
        *("not_only", "against", "negation", "for", "but", "mainly", "strongest", "little"),
    )
    return RuleTable(
        rules=tuple(
            ClaimRule(
                pattern=_pattern(rule["says"]),
                reason=rule["reason"],
                kinds=frozenset(rule.get("kinds", ())),
                claims=frozenset(rule.get("claims", ())),
                tie=rule.get("tie", ""),
                num_ties=rule.get("num_ties", 0),
                among=frozenset(rule.get("among", ())),
            )
            for rule in content["rule"]
        ),
        patterns={key: _pattern(content["pattern"][key]) for key in keys},
        numbers=content["numbers"],
        thousands=content["thousands"],
        decimal=content["decimal"],
    )


def _pattern(text: str) -> re.Pattern[str]:
    text = text.replace("NAME", "[\ue001-\uf8ff]").replace("PRODUCT", "\ue000")
    return re.compile(text, re.IGNORECASE)


def _flat(number: object) -> str:
    return str(number).removesuffix(".0")
