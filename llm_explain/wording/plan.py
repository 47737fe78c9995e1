"""The plan of an explanation: its sentences in order, each with the wordings to choose from.

What must not depend on a writer (excluding rules, the risk level, the notice) is fixed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from kinfolio.llm_explain.explanation import Attribution, Evidence
from kinfolio.llm_explain.wording.clauses import Clauses, fields_of, load_clauses
from kinfolio.llm_explain.wording.grouping import (
    PARTLY_SHARE,
    WordingRotation,
    claim_key,
    group_evidence,
    weight_key,
)

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
        self._fields = self._this | {
            "product": attribution.label or clauses.display_name(attribution.name),
            "risk": str(attribution.risk),
            "tolerance": str(attribution.tolerance),
        }
        stated = [
            piece
            for place, piece in enumerate(attribution.evidence)
            if place < attribution.num_stated or piece.id in attribution.also_stated
        ]
        self._for = group_evidence(piece for piece in stated if piece.contribution > 0)
        self._against = group_evidence(piece for piece in stated if piece.contribution < 0)
        self._left_out = (0, 0)
        if length == "short":
            num_for = 1 if self._for else 0
            self._left_out = (len(self._for) - num_for, len(self._against) - 1 + num_for)
            self._for, self._against = self._for[:1], self._against[: 1 - num_for]
        self._rotation = WordingRotation()

    def plan(self) -> Plan:
        slots = [
            self._slot(group, self._next(group) if number else self._lead(group))
            for number, group in enumerate(self._for)
        ]
        for number, group in enumerate(self._against):
            key = "more" if number else "first"
            num_sentences = len(self._against) - 1 if number else 1
            frames = self._rotation.take(key, self._clauses.against[key], num_sentences)
            slots.append(self._slot(group, frames))
        lead = self._lead(self._for[0])[0] if self._for else "{reason}"
        return Plan(
            opening=tuple(self._opening()),
            slots=tuple(slots),
            closing=tuple(self._closing()),
            lead=lead.format_map(self._fields | {"reason": ""}).strip(),
            against=self._clauses.words["against"],
            language=self._clauses.words["language"],
        )

    def _fixed(self, key: str, **fields: str) -> str:
        return self._clauses.fixed[key].format_map(self._fields | fields)

    def _opening(self) -> Iterator[str]:
        if self._attribution.refused_by:
            rules = [self._fixed(key) for _, key in self._attribution.refused_by]
            yield self._fixed("not_for_you", rules=self._clauses.listed(rules))
        elif not self._for:
            yield self._fixed("nothing_for")

    def _closing(self) -> Iterator[str]:
        attribution = self._attribution
        if attribution.basis != "holdings":
            yield self._fixed(f"only_{attribution.basis}")
        if attribution.known_by:
            words = [self._clauses.words[f"known_{kind}"] for kind in attribution.known_by]
            yield self._fixed("new", known=self._clauses.listed(words))
        yield from self._rest()
        if attribution.risk is not None and "risk" not in dict(attribution.refused_by):
            yield self._fixed("risk")
        yield self._clauses.fixed["notice"]

    def _rest(self) -> Iterator[str]:
        """The sentence about evidence that is not stated."""
        attribution, number = self._attribution, self._clauses.number
        if self._length == "short":
            num_for, num_against = self._left_out
            if num_for or num_against or attribution.num_unstated:
                yield self._fixed("more_against" if num_against else "more")
            return
        # With `--all-evidence` the remainder is 0, so it is computed from what is stated.
        stated = sum(p.contribution for group in (*self._for, *self._against) for p in group)
        rest = attribution.score - stated
        is_long = self._length == "long"
        if not attribution.num_unstated or (is_long and not round(abs(rest), 3)):
            return
        yield self._fixed(
            ("rest_long" if is_long else "rest") + ("_against" if rest < 0 else ""),
            amount=number(round(abs(rest), 3)),
            score=number(round(attribution.score, 3)),
        )

    def _lead(self, group: list[Evidence]) -> list[str]:
        if self._attribution.refused_by:
            key = "refused"
        elif self._attribution.score <= 0:
            key = "weak"
        else:
            share = sum(piece.share for piece in group)
            key = "several" if share < PARTLY_SHARE else "partly"
            key = "mainly" if share >= MAINLY_SHARE else key
        return list(self._clauses.lead[key])

    def _next(self, group: list[Evidence]) -> list[str]:
        key = weight_key(group)
        num_sentences = sum(1 for other in self._for[1:] if weight_key(other) == key)
        return self._rotation.take(f"next {key}", self._clauses.next[key], num_sentences)

    def _slot(self, group: list[Evidence], frames: list[str]) -> Slot:
        kind, claim = claim_key(group)
        if claim not in self._clauses.reason[kind]:
            claim = claim.removesuffix("_several")
        fields = self._fields_of(group)
        possible = [
            text
            for text in self._clauses.reason[kind][claim]
            if fields_of(text) <= fields.keys() | self._this.keys()
        ]
        groups = (*self._for, *self._against)
        num_sentences = sum(1 for other in groups if claim_key(other) == claim_key(group))
        texts = self._rotation.take(f"{kind} {claim}", possible, num_sentences)
        return Slot(
            evidence=tuple(piece.id for piece in group),
            wordings=_without_leading_digits(
                self._sentence(frame, text, group, fields) for frame in frames for text in texts
            ),
            clauses=tuple(self._reason(text, group, fields | self._this) for text in texts),
            is_against=group[0].contribution < 0,
        )

    def _sentence(
        self, frame: str, text: str, group: list[Evidence], fields: dict[str, str]
    ) -> str:
        this = self._this
        if "{this" in frame and group[0].contribution < 0:
            # Named just before: "What speaks against this bond: only 23 people hold it".
            pairs = {key: key.replace("this", "it") for key in this if key.startswith("this")}
            this = this | {key: this[it] for key, it in pairs.items() if it in this}
        reason = self._reason(text, group, fields | this)
        if frame.startswith("{reason}"):
            reason = capitalized(reason)
        return capitalized(frame.format_map(self._fields | {"reason": reason})) + "."

    def _reason(self, text: str, group: list[Evidence], fields: dict[str, str]) -> str:
        reason = text.format_map(fields)
        if "{items}" in text:
            return reason
        weight = round(100 * abs(sum(piece.share for piece in group)))
        if self._length == "long" and weight:
            percent = self._clauses.number(weight)
            reason += f" ({self._clauses.words['weight'].format(percent=percent)})"
        return reason + " " + "".join(f"[{piece.id}]" for piece in group)

    def _fields_of(self, group: list[Evidence]) -> dict[str, str]:
        """The facts of a group as text, numbers in the format of the language."""
        facts = [
            {
                key: value if isinstance(value, str) else self._clauses.number(value)
                for key, value in piece.facts
            }
            for piece in group
        ]
        fields = dict(facts[0])
        names = list(dict.fromkeys(fact["name"] for fact in facts if "name" in fact))
        if names:
            fields["names"] = self._clauses.listed(names)
        if item := self._clauses.reason[group[0].kind].get(f"{facts[0]['claim']}_item"):
            items = [
                f"{item[0].format_map(fact)} [{piece.id}]"
                for piece, fact in zip(group, facts, strict=True)
            ]
            fields["items"] = self._clauses.listed(items)
        if "tie" in fields:
            fields["person"] = self._person(group, fields["tie"])
        return fields

    def _person(self, group: list[Evidence], tie: str) -> str:
        names = [str(name) for piece in group if (name := dict(piece.facts).get("name"))]
        if names:
            return self._clauses.listed(names)
        one, another, several = self._clauses.people[tie]
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


def capitalized(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]
