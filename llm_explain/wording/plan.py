"""The plan of an explanation: its sentences in order, each with the wordings to choose from.

What must not depend on a writer (excluding rules, the risk level, the notice) is fixed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from kinfolio.llm_explain.explanation import Attribution, Evidence, Refusal
from kinfolio.llm_explain.wording.clauses import Clauses, fields_of, load_clauses
from kinfolio.llm_explain.wording.grouping import (
    PARTLY_SHARE,
    WordingRotation,
    claim_key,
    evidence_key,
    group_evidence,
    weight_key,
)
from kinfolio.llm_explain.wording.rendering import Renderer

MAINLY_SHARE = 0.5
Length = Literal["short", "normal", "long"]
"""Short: the strongest reason. Normal: the strongest evidence for and against. Long: more evidence,
each with its weight, the largest negative contributions in any case, and the remainder."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One sentence to be written: its evidence and its wordings."""

    evidence: tuple[int, ...]
    wordings: tuple[str, ...]
    clauses: tuple[str, ...]
    """The bare reasons with citations, for a model that writes its own sentences around them."""
    is_against: bool
    plain: str
    """A sentence with names in quotation marks, for the case that the check refuses the others."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All sentences: fixed ones, those to be written, fixed ones."""

    opening: tuple[str, ...]
    slots: tuple[Slot, ...]
    closing: tuple[str, ...]
    lead: str
    """First words, for a model that writes its own sentences."""
    against: str
    """Words before a reason against, for such a model."""
    language: str
    """Name of the language in English."""
    refused_by: tuple[Refusal, ...]
    """Rules that exclude the product, in the words of the opening."""

    @property
    def choices(self) -> list[list[str]]:
        """The wordings of each sentence to be written, in order."""
        return [list(slot.wordings) for slot in self.slots]


def make_plan(
    attribution: Attribution, clauses: Clauses | None = None, length: Length = "normal"
) -> Plan:
    """Plan the sentences: reasons for the product, strongest first, then reasons against it."""
    return _Planner(attribution, clauses or load_clauses(), length).plan()


class _Planner:
    def __init__(self, attribution: Attribution, clauses: Clauses, length: Length) -> None:
        self._attribution = attribution
        self._clauses = clauses
        self._length = length
        self._this = clauses.this(attribution.kind)
        self._fields = (
            clauses.domain
            | self._this
            | {
                "product": attribution.label or clauses.display_name(attribution.name),
                "risk": str(attribution.risk),
                "most": str(attribution.most_risk),
                "tolerance": str(attribution.tolerance),
            }
        )
        stated = [
            piece
            for place, piece in enumerate(attribution.evidence)
            if place < attribution.num_stated or piece.id in attribution.also_stated
        ]
        self._for = group_evidence(piece for piece in stated if piece.contribution > 0)
        self._against = group_evidence(piece for piece in stated if piece.contribution < 0)
        self._left_out: list[Evidence] = []
        if length == "short":
            num_for = 1 if self._for else 0
            cut = (*self._for[1:], *self._against[1 - num_for :])
            self._left_out = [piece for group in cut for piece in group]
            self._for, self._against = self._for[:1], self._against[: 1 - num_for]
        self._renderer = Renderer(clauses, self._fields, self._this, is_long=length == "long")
        self._rotation = WordingRotation(f"{attribution.user}\0{attribution.product}")

    def plan(self) -> Plan:
        slots = [
            self._slot(group, self._next(group) if number else self._lead(group))
            for number, group in enumerate(self._for)
        ]
        for number, group in enumerate(self._against):
            key = "more" if number else "first"
            num_sentences = len(self._against) - 1 if number else 1
            frames = self._rotation.take(
                key, self._clauses.against[key], num_sentences, evidence_key(group)
            )
            slots.append(self._slot(group, frames))
        lead = self._lead(self._for[0])[0] if self._for else "{reason}"
        return Plan(
            opening=tuple(self._opening()),
            slots=tuple(slots),
            closing=tuple(self._closing()),
            lead=lead.format_map(self._fields | {"reason": ""}).strip(),
            against=self._clauses.words["against"],
            language=self._clauses.words["language"],
            refused_by=tuple(self._refusals()),
        )

    def _fixed(self, key: str, **fields: str) -> str:
        return self._clauses.fixed[key].format_map(self._fields | fields)

    def _opening(self) -> Iterator[str]:
        if self._attribution.is_refused:
            rules = [refusal.reason for refusal in self._refusals()]
            yield self._fixed("not_for_you", rules=self._clauses.listed(rules))
        elif not self._for:
            yield self._fixed("nothing_for")

    def _refusals(self) -> Iterator[Refusal]:
        for rule, key in self._attribution.refused_by:
            yield Refusal(rule=rule, code=key.upper(), reason=self._fixed(key))
        for own in self._attribution.own_rules:
            reason = own.sentence(self._clauses.language) or self._fixed("own_rule")
            yield Refusal(rule=own.name, code=own.code, reason=reason)

    def _closing(self) -> Iterator[str]:
        attribution = self._attribution
        if attribution.basis != "holdings":
            yield self._fixed(f"only_{attribution.basis}")
        if attribution.known_by:
            words = [self._clauses.words[f"known_{kind}"] for kind in attribution.known_by]
            yield self._fixed("new", known=self._clauses.listed(words))
        yield from self._rest()
        pieces = [piece for group in (*self._for, *self._against) for piece in group]
        if any("holders" in dict(piece.facts) for piece in pieces):
            yield self._fixed("counts")
        if attribution.about and self._length != "short":
            yield self._fixed("about", facts=self._clauses.listed(list(attribution.about)))
        if attribution.risk is not None and "risk" not in dict(attribution.refused_by):
            yield self._fixed("risk")
        yield self._clauses.fixed["notice"]

    def _rest(self) -> Iterator[str]:
        """The sentence about evidence that is not stated."""
        attribution, number = self._attribution, self._clauses.number
        if any(piece.contribution < 0 for piece in self._left_out):
            yield self._fixed("more_against")
            return
        groups = (*self._for, *self._against)
        left = attribution.num_unstated + len(self._left_out)
        percent = round(100 * (1 - sum(abs(p.share) for group in groups for p in group)))
        if not left or percent < 1:
            return
        # With `--all-evidence` the remainder is 0, so the sign is that of what is not stated.
        stated = sum(piece.contribution for group in groups for piece in group)
        one = "_one" if left == 1 else ""
        against = "_against" if attribution.score < stated else ""
        yield self._fixed(f"rest{one}{against}", number=number(left), percent=number(percent))

    def _lead(self, group: list[Evidence]) -> list[str]:
        if self._attribution.is_refused:
            key = "refused"
        elif self._attribution.score <= 0:
            key = "weak"
        else:
            share = sum(piece.share for piece in group)
            key = "several" if share < PARTLY_SHARE else "partly"
            key = "mainly" if share >= MAINLY_SHARE else key
        return self._rotation.take("lead", self._clauses.lead[key], 1, evidence_key(group))

    def _next(self, group: list[Evidence]) -> list[str]:
        key = weight_key(group)
        num_sentences = sum(1 for other in self._for[1:] if weight_key(other) == key)
        return self._rotation.take(
            f"next {key}", self._clauses.next[key], num_sentences, evidence_key(group)
        )

    def _slot(self, group: list[Evidence], frames: list[str]) -> Slot:
        kind, claim = claim_key(group)
        if claim not in self._clauses.reason[kind]:
            claim = claim.removesuffix("_several")
        person = self._person(group)
        fields = self._renderer.fields_of(group, person)
        possible = [
            text
            for text in self._clauses.reason[kind][claim]
            if fields_of(text) <= fields.keys() | self._this.keys()
        ]
        groups = (*self._for, *self._against)
        num_sentences = sum(1 for other in groups if claim_key(other) == claim_key(group))
        texts = self._rotation.take(f"{kind} {claim}", possible, num_sentences, evidence_key(group))
        plain = self._renderer.fields_of(group, person, are_quoted=True)
        return Slot(
            evidence=tuple(piece.id for piece in group),
            wordings=_without_leading_digits(
                self._renderer.sentence(frame, text, group, fields)
                for frame in frames
                for text in texts
            ),
            clauses=tuple(
                self._renderer.reason(text, group, fields | self._this) for text in texts
            ),
            is_against=group[0].contribution < 0,
            plain=self._renderer.sentence(self._plain_frame(group), possible[0], group, plain),
        )

    def _plain_frame(self, group: list[Evidence]) -> str:
        if group[0].contribution < 0:
            return self._clauses.against["first"][0]
        if group is not self._for[0]:
            return self._clauses.next["partly"][0]
        return self._clauses.lead["refused" if self._attribution.is_refused else "weak"][0]

    def _person(self, group: list[Evidence]) -> str:
        tie = dict(group[0].facts).get("tie")
        if tie is None:
            return ""
        one, another, several = self._clauses.people[str(tie)]
        if len(group) > 1:
            return several
        groups = [*self._for, *self._against]
        before = groups[: groups.index(group)]
        is_repeated = any(dict(other[0].facts).get("tie") == tie for other in before)
        return another if is_repeated else one


def _without_leading_digits(sentences: Iterable[str]) -> tuple[str, ...]:
    """Each sentence once; those that begin with a digit only where all do."""
    unique = tuple(dict.fromkeys(sentences))
    return tuple(text for text in unique if not text[0].isdigit()) or unique
