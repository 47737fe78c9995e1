"""Facts and path of one piece of evidence.

People other than the asker come out without id or name unless the clauses allow it, small
numbers of people without the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kinfolio.llm_explain.wording.clauses import Clauses
from kinfolio.records import Kind, Step

Facts = tuple[tuple[str, str | int | float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What adds to a score: a held product, a tied person, own text, or popularity."""

    kind: Kind
    gid: int = -1
    id: str = ""
    name: str = ""
    linked: float = 0.0
    """What a link from a held product adds to the score besides its message."""
    form: str = ""
    """Of kind text: "own" the user's own text, "about" a product written about."""
    is_general: bool = False
    """Of kind popularity: more of it comes from how near the product is to what people hold in
    general than from how many hold it."""


_PERSON = Step(label="User")


class Pathfinder:
    """Facts and path of one piece; the fact `claim` says which clause it can carry."""

    def __init__(self, user_id: str, pair: dict[str, Any], clauses: Clauses) -> None:
        self._you = Step(label="User", id=user_id)
        self._it = Step(label="Product", id=pair["product"])
        self._pair = pair
        self._clauses = clauses

    def holding(
        self, piece: Piece, value: float, row: dict[str, Any] | None
    ) -> tuple[Facts, tuple[Step, ...]]:
        """Of a held product; `row` has the counts, None where they were not read."""
        name = self._clauses.shown_name(piece.name)
        held = (self._you, _out("HOLDS"), Step(label="Product", id=piece.id))
        together = (*held, _in("HOLDS"), _PERSON, _out("HOLDS"), self._it)
        if piece.id == self._it.id:
            claim = "itself" if value >= 0 else "against"
            return (("claim", claim), ("name", name)), held
        if value < 0 or row is None:
            return (("claim", "against" if value < 0 else "near"), ("name", name)), held
        if row["both"] >= self._clauses.fewest:
            numbers = (("holders", row["holders"]), ("both", row["both"]))
            return (("claim", "together"), ("name", name), *numbers), together
        if row["category"] is not None:
            category = self._clauses.shown_name(str(row["category"]))
            shared = Step(label="Category", id=str(row["category"]))
            path = (*held, _out("IN_CATEGORY"), shared, _in("IN_CATEGORY"), self._it)
            return (("claim", "category"), ("name", name), ("category", category)), path
        if row["both"]:
            both = self._count(row["both"])
            return (("claim", "few"), ("name", name), ("both", both)), together
        return (("claim", "near"), ("name", name)), held

    def tie(self, value: float, row: dict[str, Any]) -> tuple[Facts, tuple[Step, ...]]:
        """Of a tied person, who stays unnamed unless the clauses name people."""
        direction = "out" if row["is_out"] else "in"
        key = self._clauses.tie(row["kind"], direction)
        tied = (
            self._you,
            (_out if row["is_out"] else _in)("TIED_TO"),
            Step(label="User", id=row["id"]),
        )
        who: Facts = (("person", self._clauses.people[key][0]), ("tie", key))
        if row["name"] is not None:
            who = (("name", self._clauses.shown_name(row["name"])), *who)
        if value < 0:
            return (("claim", "against"), *who), tied
        if not row["holds"]:
            return (("claim", "near"), *who), tied
        path = (*tied, _out("HOLDS"), self._it)
        rating, mean = row["rating"], self._pair["mean_rating"]
        # A rating below what others gave would sound like a reason against.
        if rating is None or mean is None or rating < mean:
            return (("claim", "holds"), *who), path
        number = int(rating) if float(rating).is_integer() else round(float(rating), 2)
        return (("claim", "rated"), *who, ("rating", number)), path

    def text(
        self, piece: Piece, value: float, written: dict[str, Any]
    ) -> tuple[Facts, tuple[Step, ...]]:
        """Of the user's own text, for which the review `written` stands, or a reviewed product."""
        about = piece if piece.form == "about" else None
        product_id = about.id if about else written.get("id")
        name = self._clauses.shown_name(about.name if about else str(written.get("name", "")))
        claim = "against" if value < 0 else piece.form
        if product_id is None:
            return (("claim", claim),), (self._you,)
        step = Step(label="Review", id=None if about else written["review"])
        path = (self._you, _out("WROTE"), step, _out("ABOUT"))
        return (("claim", claim), ("name", name)), (*path, Step(label="Product", id=product_id))

    def popularity(self, piece: Piece, value: float) -> tuple[Facts, tuple[Step, ...]]:
        """Of what a product has whoever asks: how many hold it, or what people hold in general."""
        if piece.is_general:
            return (("claim", "general" if value >= 0 else "against_general"),), (self._it,)
        number = self._pair["holders"]
        if value >= 0:
            claim = "many"
        elif number < self._clauses.fewest:
            claim = "fewest"
        else:
            claim = "few" if number < self._pair["mean_holders"] else "against_many"
        path = (self._it, _in("HOLDS"), _PERSON) if number else (self._it,)
        return (("claim", claim), ("holders", self._count(number))), path

    def _count(self, number: int) -> int | str:
        return self._clauses.count(number)


def _out(kind: str) -> Step:
    return Step(type=kind, direction="out")


def _in(kind: str) -> Step:
    return Step(type=kind, direction="in")
