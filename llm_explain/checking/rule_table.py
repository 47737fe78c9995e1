"""The claims of a sentence checked by the table of a language, `[[rule]]` in `check_*.toml`.

In a pattern NAME matches a name of the evidence, PRODUCT the explained product, and a key of
`[macro]` its pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kinfolio.llm_explain.checking.number_claims import Fraction, NumberClaims
from kinfolio.llm_explain.checking.parse import NameMasks
from kinfolio.llm_explain.explanation import Evidence

_PATTERNS = (
    *("ignored", "held", "held_before", "written", "fewer_than", "roughly", "whole", "part"),
    *("this", "share", "percent", "of_yours", "not_only", "against", "weak_against", "denial"),
    *("negation", "for", "but", "mainly", "strongest", "little", "only_reason"),
    *("base", "ratio", "of_all"),
)


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """A claim, and the cited evidence that supports it.

    Evidence is named by its kind, its claim, both joined by a dot, its tie with or without the
    direction, or `often.` and how often its holders hold the product.
    """

    pattern: re.Pattern[str]
    reason: str
    """The problem; `{said}` is replaced by the words found."""
    ignored: re.Pattern[str]
    """Removed from the text before."""
    needs: frozenset[str]
    """Evidence that supports the claim; empty: none does."""
    num: int
    """Number of pieces of such evidence needed."""
    only_if: frozenset[str]
    """The rule applies only where some of this evidence is cited; empty: always."""
    among: frozenset[str]
    """The rule applies only where nothing but this evidence is cited; empty: always."""

    def problem(self, text: str, cited: Sequence[frozenset[str]]) -> str | None:
        """Return the problem if the text makes the claim and no cited evidence supports it."""
        is_supported = sum(bool(names & self.needs) for names in cited) >= self.num
        applies = (not self.among or all(names & self.among for names in cited)) and (
            not self.only_if or any(names & self.only_if for names in cited)
        )
        found = self.pattern.search(self.ignored.sub(" ", text))
        if is_supported or not applies or found is None:
            return None
        return self.reason.format(said=repr(found.group().strip()))


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The patterns of a language; the fields are the keys of its file."""

    rules: tuple[ClaimRule, ...]
    patterns: dict[str, re.Pattern[str]]
    mentions: dict[str, re.Pattern[str]]
    """By kind: words that mention evidence without a name."""
    numbers: NumberClaims

    def problems_of_part(
        self,
        text: str,
        before: str,
        cited: Sequence[Evidence],
        evidence: Sequence[Evidence],
        names: NameMasks,
    ) -> Iterator[str]:
        """Yield the claims of a part of a sentence that the evidence it cites does not support.

        `text` and `before`, the sentence before the part, have masked names.
        """
        text = self.patterns["ignored"].sub(" ", text)
        yield from self._names(text, cited, names)
        yield from self._mentions(before + text, cited, names)
        yield from self.numbers.problems(text, cited)
        terms = [_terms(piece) for piece in cited]
        for rule in self.rules:
            if problem := rule.problem(text, terms):
                yield problem
        yield from self._direction(text, before, cited)
        yield from self._weight(text, cited, evidence)

    def _names(self, text: str, cited: Sequence[Evidence], names: NameMasks) -> Iterator[str]:
        ids = {piece.id for piece in cited}
        for char in filter(names.is_mask, text):
            if not names.is_product(char) and not names.evidence(char) & ids:
                where = min(names.evidence(char))
                yield f"{names.of(char)!r} is in evidence [{where}], which is not cited"
        for key, kind, verb in (
            ("held", "holding", "hold"),
            ("held_before", "holding", "hold"),
            ("written", "text", "wrote about"),
        ):
            of_kind = {piece.id for piece in cited if piece.kind == kind}
            for match in self.patterns[key].finditer(text):
                for char in filter(names.is_mask, match.group()):
                    if not names.is_product(char) and not names.evidence(char) & of_kind:
                        yield f"it states that you {verb} {names.of(char)!r}, and no evidence does"

    def _mentions(self, text: str, cited: Sequence[Evidence], names: NameMasks) -> Iterator[str]:
        """Evidence that is cited together with others and not mentioned."""
        named = {n for char in filter(names.is_mask, text) for n in names.evidence(char)}
        for piece in cited if len(cited) > 1 else ():
            facts = dict(piece.facts)
            if "name" in facts and piece.kind != "text" and facts["claim"] != "itself":
                is_mentioned = piece.id in named
            else:
                is_mentioned = bool(self.mentions[piece.kind].search(text))
            if not is_mentioned:
                yield f"evidence [{piece.id}] is cited, but not mentioned"

    def _direction(self, text: str, before: str, cited: Sequence[Evidence]) -> Iterator[str]:
        """A reason against the product stated as one for it, or the other way round."""
        signs = {piece.contribution > 0 for piece in cited if piece.contribution}
        bare = self.patterns["not_only"].sub(" ", text)
        against = self.patterns["against"].search(bare)
        if self.patterns["denial"].search(bare):
            yield "it denies what speaks against"
        elif signs == {True}:
            if against:
                yield f"it states as a reason against ({against.group()!r}) a reason for it"
            elif found := self.patterns["negation"].search(bare):
                yield f"it denies something ({found.group()!r}) that the evidence affirms"
        elif signs == {False}:
            if found := self.patterns["for"].search(bare):
                yield f"it states as a reason for ({found.group()!r}) a reason against it"
            elif not (
                against
                or self.patterns["weak_against"].search(bare)
                or self.patterns["against"].search(before)
            ):
                yield "it does not state that this speaks against the product"
        elif signs and not (against or self.patterns["but"].search(before + bare)):
            yield "it mixes what speaks for and against without stating it"

    def _weight(
        self, text: str, cited: Sequence[Evidence], evidence: Sequence[Evidence]
    ) -> Iterator[str]:
        share = sum(abs(piece.share) for piece in cited)
        largest = max((abs(p.share) for p in evidence if p.contribution > 0), default=0.0)
        is_largest = share >= largest - 1e-9
        if self.patterns["mainly"].search(text) and share < 0.35 and not is_largest:
            yield "it calls a small share of the score the main reason"
        if self.patterns["strongest"].search(text) and not is_largest:
            yield "it calls strongest a reason that is not"
        if self.patterns["little"].search(text) and share > 0.4:
            yield "it calls a large share of the score small"
        if self.patterns["only_reason"].search(text) and share < 0.99:
            yield "it calls one of several reasons the only one"


def _terms(piece: Evidence) -> frozenset[str]:
    """The terms by which rules refer to a piece of evidence."""
    facts = dict(piece.facts)
    claim, tie = str(facts.get("claim", "")), str(facts.get("tie", ""))
    often = str(facts.get("often", ""))
    terms = {piece.kind, claim, f"{piece.kind}.{claim}", tie, tie.rpartition("_")[0]}
    terms |= {"often", f"often.{often}"} if often else set()
    return frozenset(terms | {f"{piece.kind}.named"} if "name" in facts else terms)


def read_table(content: dict[str, Any]) -> RuleTable:
    """Read the table in the content of a `check_*.toml`; Any: TOML values.

    Raises:
        KeyError: a key is missing.
        re.error: a pattern is not valid.
    """
    macros = {"NAME": "[\ue001-\uf8ff]", "PRODUCT": "\ue000"} | content.get("macro", {})

    def pattern(text: str | list[str]) -> re.Pattern[str]:
        text = text if isinstance(text, str) else "|".join(text)
        for key in reversed(macros):
            text = text.replace(key, macros[key])
        return re.compile(text, re.IGNORECASE)

    patterns = {key: pattern(content["pattern"][key]) for key in _PATTERNS}
    word = "|".join(content["numbers"])
    unit, joint = content["unit"], content["joint"]
    return RuleTable(
        rules=tuple(
            ClaimRule(
                pattern=pattern(rule["says"]),
                reason=rule["reason"],
                ignored=pattern(rule.get("ignored", "(?!)")),
                needs=frozenset(rule.get("needs", ())),
                num=rule.get("num", 1),
                only_if=frozenset(rule.get("only_if", ())),
                among=frozenset(rule.get("among", ())),
            )
            for rule in content["rule"]
        ),
        patterns=patterns,
        mentions={kind: pattern(text) for kind, text in content["mention"].items()},
        numbers=NumberClaims(
            patterns=patterns,
            fractions=tuple(
                Fraction(
                    pattern=pattern(fraction["says"]),
                    lowest=fraction["lowest"],
                    highest=fraction["highest"],
                    is_number=fraction.get("is_number", False),
                )
                for fraction in content.get("fraction", ())
            ),
            words=content["numbers"],
            spelled=re.compile(
                rf"\b(?:(?:{word}|{unit})(?:{joint}))*(?:{word})(?:[ -]one)?\b", re.IGNORECASE
            ),
            thousands=content["thousands"],
            decimal=content["decimal"],
        ),
    )
