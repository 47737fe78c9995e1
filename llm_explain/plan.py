"""The plan of an explanation: what is said in which order, with every wording that may be chosen.

A writer chooses among the wordings and adds nothing. What must not depend on a writer (a rule's
verdict, the risk level, the notice) is fixed here. Knows nothing of graphs or models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import Formatter

from kinfolio.llm_explain.clauses import Clauses, load_clauses
from kinfolio.llm_explain.evidence import Grounds
from kinfolio.records import Evidence

MAINLY = 0.5
PARTLY = 0.2
_MERGED = {
    ("holding", "near"),
    ("holding", "category"),
    ("holding", "against"),
    ("tie", "holds"),
    ("tie", "near"),
    ("tie", "against"),
    ("text", "about"),
}
"""Pieces of one claim that read better in one sentence."""


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

    @property
    def choices(self) -> list[list[str]]:
        """The wordings of each sentence to be written, in order."""
        return [list(slot.wordings) for slot in self.slots]


def make_plan(grounds: Grounds, clauses: Clauses | None = None) -> Plan:
    """The plan for some evidence: strongest first, then what speaks against it."""
    clauses = clauses or load_clauses()
    return _Planner(grounds, clauses).plan()


class _Planner:
    def __init__(self, grounds: Grounds, clauses: Clauses) -> None:
        self._grounds = grounds
        self._clauses = clauses
        self._this = clauses.this(clauses.noun(grounds.kind))
        self._product = clauses.shown_name(grounds.name)
        self._fixed = {
            "product": self._product,
            "risk": grounds.risk,
            "tolerance": grounds.tolerance,
        }
        told = grounds.evidence[: grounds.num_told]
        self._for = list(_groups(piece for piece in told if piece.contribution > 0))
        self._against = list(_groups(piece for piece in told if piece.contribution < 0))
        self._dealt = _Dealer()

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
            lead=lead.format(product=self._product, reason="").strip(),
        )

    def _opening(self) -> Iterator[str]:
        fixed = self._clauses.fixed
        if self._grounds.refused_by:
            rules = [
                fixed[verdict.reason].format_map(self._fixed)
                for verdict in self._grounds.refused_by
            ]
            listed = self._clauses.listed(rules)
            yield fixed["not_for_you"].format(product=self._product, rules=listed)
        elif not self._for:
            yield fixed["nothing_for"].format(product=self._product)

    def _closing(self) -> Iterator[str]:
        grounds, fixed = self._grounds, self._clauses.fixed
        if grounds.basis != "holdings":
            yield fixed[f"only_{grounds.basis}"]
        if grounds.num_untold:
            yield fixed["rest"]
        if grounds.risk is not None and "risk" not in {v.rule for v in grounds.refused_by}:
            yield fixed["risk"].format_map(self._fixed)
        yield fixed["notice"]

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
        key = _size(group)
        room = sum(1 for other in self._for[1:] if _size(other) == key)
        return self._dealt.deal(f"next {key}", self._clauses.next[key], room)

    def _slot(self, group: list[Evidence], frames: list[str]) -> Slot:
        kind, claim = _claim(group)
        if len(group) > 1 and f"{claim}_several" in self._clauses.reason[kind]:
            claim = f"{claim}_several"
        fields = self._fields(group)
        known = [
            text
            for text in self._clauses.reason[kind][claim]
            if {name for _, name, _, _ in Formatter().parse(text) if name} <= fields.keys()
        ]
        room = sum(1 for other in (*self._for, *self._against) if _claim(other) == _claim(group))
        cited = " " + "".join(f"[{piece.id}]" for piece in group)
        reasons = [
            text.format_map(fields) + cited
            for text in self._dealt.deal(f"{kind} {claim}", known, room)
        ]
        wordings = [
            _sentence(frame, reason, self._product) for frame in frames for reason in reasons
        ]
        evidence = tuple(piece.id for piece in group)
        wordings = list(dict.fromkeys(wordings))
        return Slot(evidence, tuple(wordings), tuple(reasons), group[0].contribution < 0)

    def _fields(self, group: list[Evidence]) -> dict[str, str | int | float]:
        facts = [dict(piece.facts) for piece in group]
        fields = facts[0] | {"this": self._this}
        names = [str(fact["name"]) for fact in facts if "name" in fact]
        if names:
            fields["names"] = self._clauses.listed(list(dict.fromkeys(names)))
        if "tie" in fields:
            fields["person"] = self._person(group, str(fields["tie"]))
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
        is_known = any(dict(other[0].facts).get("tie") == tie for other in before)
        return another if is_known else one


class _Dealer:
    """Deals texts out so that sentences of one kind get different ones."""

    def __init__(self) -> None:
        self._turn: dict[str, int] = {}

    def deal(self, key: str, texts: Iterable[str], room: int) -> list[str]:
        turn = self._turn.get(key, 0)
        self._turn[key] = turn + 1
        texts = list(texts)
        step = max(1, min(room, len(texts)))
        return texts[turn % step :: step]


def _claim(group: list[Evidence]) -> tuple[str, str]:
    return group[0].kind, str(dict(group[0].facts)["claim"])


def _size(group: list[Evidence]) -> str:
    return "partly" if sum(piece.share for piece in group) >= PARTLY else "little"


def _groups(pieces: Iterable[Evidence]) -> Iterator[list[Evidence]]:
    """Pieces that share a sentence, each group at the place of its strongest piece."""
    groups: dict[tuple[object, ...], list[Evidence]] = {}
    for piece in pieces:
        facts = dict(piece.facts)
        claim = (piece.kind, facts["claim"])
        key = (
            (*claim, facts.get("category"), facts.get("tie"), "name" in facts)
            if claim in _MERGED
            else (piece.id,)
        )
        groups.setdefault(key, []).append(piece)
    yield from groups.values()


def _sentence(frame: str, reason: str, product: str) -> str:
    before = frame.split("{reason}", 1)[0]
    if not before:
        reason = _capital(reason)
    return _capital(frame.format(reason=reason, product=product)) + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
