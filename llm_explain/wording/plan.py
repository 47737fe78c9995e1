"""The plan of an explanation: what is said in which order, with every wording that may be chosen.

A writer chooses among the wordings and adds nothing. What must not depend on a writer (a rule's
verdict, the risk level, the notice) is fixed here. Knows nothing of graphs or models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Literal

from kinfolio.llm_explain.evidence.evidence import Grounds
from kinfolio.llm_explain.explanation import Evidence
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from kinfolio.llm_explain.wording.grouping import PARTLY, Dealer, claim_of, groups_of, size_of

MAINLY = 0.5
Length = Literal["short", "normal", "long"]
"""Short: the strongest reason. Normal: the strongest pieces, what speaks against among them. Long:
more of them, each with its weight, what speaks against however small, and the remainder."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One sentence to be written: its evidence and its wordings."""

    evidence: tuple[int, ...]
    wordings: tuple[str, ...]
    clauses: tuple[str, ...]
    """The bare reasons with their citations, for a model that writes what stands between."""
    speaks_against: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All sentences: fixed ones, those to be written, fixed ones."""

    opening: tuple[str, ...]
    slots: tuple[Slot, ...]
    closing: tuple[str, ...]
    lead: str
    """How a model that writes freely should begin."""
    against: str
    """What such a model writes before a reason against."""
    language: str
    """The language of the clauses, in English."""

    @property
    def choices(self) -> list[list[str]]:
        """The wordings of each sentence to be written, in order."""
        return [list(slot.wordings) for slot in self.slots]


def make_plan(grounds: Grounds, clauses: Clauses | None = None, length: Length = "normal") -> Plan:
    """The plan for some evidence: strongest first, then what speaks against it."""
    clauses = clauses or load_clauses()
    return _Planner(grounds, clauses, length).plan()


class _Planner:
    def __init__(self, grounds: Grounds, clauses: Clauses, length: Length) -> None:
        self._grounds = grounds
        self._clauses = clauses
        self._length = length
        self._this = clauses.this(grounds.kind)
        self._product = clauses.shown_name(grounds.name)
        self._fixed = self._this | {
            "product": self._product,
            "risk": str(grounds.risk),
            "tolerance": str(grounds.tolerance),
        }
        told = [
            piece
            for place, piece in enumerate(grounds.evidence)
            if place < grounds.num_told or piece.id in grounds.told_besides
        ]
        self._for = list(groups_of(piece for piece in told if piece.contribution > 0))
        self._against = list(groups_of(piece for piece in told if piece.contribution < 0))
        self._left_out: tuple[int, int] = (0, 0)
        if length == "short":
            shown = 1 if self._for else 0
            self._left_out = (len(self._for) - shown, len(self._against) - 1 + shown)
            self._for, self._against = self._for[:1], self._against[: 1 - shown]
        self._dealt = Dealer()

    def plan(self) -> Plan:
        slots = [
            self._slot(group, self._lead(group) if not number else self._next(group))
            for number, group in enumerate(self._for)
        ]
        for number, group in enumerate(self._against):
            key = "more" if number else "first"
            room = len(self._against) - 1 if number else 1
            frames = self._dealt.deal(key, self._clauses.against[key], room)
            slots.append(self._slot(group, frames))
        lead = self._lead(self._for[0])[0] if self._for else "{reason}"
        return Plan(
            opening=tuple(self._opening()),
            slots=tuple(slots),
            closing=tuple(self._closing()),
            lead=lead.format_map(self._fixed | {"reason": ""}).strip(),
            against=self._clauses.words["against"],
            language=self._clauses.words["language"],
        )

    def _opening(self) -> Iterator[str]:
        fixed = self._clauses.fixed
        if self._grounds.refused_by:
            rules = [
                fixed[verdict.reason].format_map(self._fixed)
                for verdict in self._grounds.refused_by
            ]
            listed = self._clauses.listed(rules)
            yield fixed["not_for_you"].format_map(self._fixed | {"rules": listed})
        elif not self._for:
            yield fixed["nothing_for"].format_map(self._fixed)

    def _closing(self) -> Iterator[str]:
        grounds, fixed = self._grounds, self._clauses.fixed
        if grounds.basis != "holdings":
            yield fixed[f"only_{grounds.basis}"]
        yield from self._rest()
        if grounds.risk is not None and "risk" not in {v.rule for v in grounds.refused_by}:
            yield fixed["risk"].format_map(self._fixed)
        yield fixed["notice"]

    def _rest(self) -> Iterator[str]:
        """What is said of the pieces that are not told."""
        grounds, number = self._grounds, self._clauses.number
        if self._length == "short":
            speaks_for, against = self._left_out
            if speaks_for or against or grounds.num_untold:
                key = "more_against" if against else "more"
                yield self._clauses.fixed[key].format_map(self._fixed)
            return
        if not grounds.num_untold:
            return
        key = "rest_long" if self._length == "long" else "rest"
        # All pieces may be shown (`--all-evidence`), so the remainder is of those told.
        told = sum(p.contribution for group in (*self._for, *self._against) for p in group)
        left = grounds.score - told
        amounts = {
            "amount": number(round(abs(left), 3)),
            "score": number(round(grounds.score, 3)),
        }
        key += "_against" if left < 0 else ""
        if self._length == "long" and not round(abs(left), 3):
            return
        yield self._clauses.fixed[key].format_map(self._fixed | amounts)

    def _lead(self, group: list[Evidence]) -> list[str]:
        if self._grounds.refused_by:
            key = "refused"
        elif self._grounds.score <= 0:
            key = "weak"
        else:
            share = sum(piece.share for piece in group)
            key = "mainly" if share >= MAINLY else "partly" if share >= PARTLY else "several"
        return list(self._clauses.lead[key])

    def _next(self, group: list[Evidence]) -> list[str]:
        key = size_of(group)
        room = sum(1 for other in self._for[1:] if size_of(other) == key)
        return self._dealt.deal(f"next {key}", self._clauses.next[key], room)

    def _slot(self, group: list[Evidence], frames: list[str]) -> Slot:
        kind, claim = claim_of(group)
        if claim not in self._clauses.reason[kind]:
            claim = claim.removesuffix("_several")
        fields = self._fields(group)
        known = [
            text
            for text in self._clauses.reason[kind][claim]
            if _fields_of(text) <= fields.keys() | self._this.keys()
        ]
        room = sum(
            1 for other in (*self._for, *self._against) if claim_of(other) == claim_of(group)
        )
        dealt = self._dealt.deal(f"{kind} {claim}", known, room)
        return Slot(
            evidence=tuple(piece.id for piece in group),
            wordings=_well_begun(
                self._sentence(frame, text, group, fields) for frame in frames for text in dealt
            ),
            clauses=tuple(self._reason(text, group, fields | self._this) for text in dealt),
            speaks_against=group[0].contribution < 0,
        )

    def _sentence(
        self, frame: str, text: str, group: list[Evidence], fields: dict[str, str]
    ) -> str:
        this = self._this
        if "{this" in frame and group[0].contribution < 0:
            # Named right before: "What speaks against this bond: only 23 people hold it".
            pairs = {key: key.replace("this", "it") for key in this if key.startswith("this")}
            this = this | {key: this[it] for key, it in pairs.items() if it in this}
        reason = self._reason(text, group, fields | this)
        if frame.startswith("{reason}"):
            reason = _capital(reason)
        return _capital(frame.format_map(self._fixed | {"reason": reason})) + "."

    def _reason(self, text: str, group: list[Evidence], fields: dict[str, str]) -> str:
        reason = text.format_map(fields)
        if "{items}" in text:
            return reason
        weight = round(100 * abs(sum(piece.share for piece in group)))
        if self._length == "long" and weight:
            percent = self._clauses.number(weight)
            reason += f" ({self._clauses.words['weight'].format(percent=percent)})"
        return reason + " " + "".join(f"[{piece.id}]" for piece in group)

    def _fields(self, group: list[Evidence]) -> dict[str, str]:
        facts = [self._written(piece) for piece in group]
        fields = dict(facts[0])
        names = [fact["name"] for fact in facts if "name" in fact]
        if names:
            fields["names"] = self._clauses.listed(list(dict.fromkeys(names)))
        if item := self._clauses.reason[group[0].kind].get(f"{facts[0]['claim']}_item"):
            items = [
                f"{item[0].format_map(fact)} [{piece.id}]"
                for piece, fact in zip(group, facts, strict=True)
            ]
            fields["items"] = self._clauses.listed(items)
        if "tie" in fields:
            fields["person"] = self._person(group, fields["tie"])
        return fields

    def _written(self, piece: Evidence) -> dict[str, str]:
        """The facts as they stand in a text, numbers in the language's own way."""
        return {
            key: value if isinstance(value, str) else self._clauses.number(value)
            for key, value in piece.facts
        }

    def _person(self, group: list[Evidence], tie: str) -> str:
        names = [str(name) for piece in group if (name := dict(piece.facts).get("name"))]
        if names:
            return self._clauses.listed(names)
        one, another, several = self._clauses.people[tie]
        if len(group) > 1:
            return several
        groups = [*self._for, *self._against]
        before = groups[: groups.index(group)]
        is_known = any(dict(other[0].facts).get("tie") == tie for other in before)
        return another if is_known else one


def _well_begun(sentences: Iterable[str]) -> tuple[str, ...]:
    """Each sentence once; those that begin with a digit only where all do."""
    different = tuple(dict.fromkeys(sentences))
    return tuple(text for text in different if not text[0].isdigit()) or different


def _fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
