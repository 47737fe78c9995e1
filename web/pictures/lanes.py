"""Evidence in words: the lanes of a picture and the rows of the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kinfolio.llm_explain.explanation import Evidence, Explanation
from kinfolio.records import Kind

_TIED = {"holds": "holds it", "against": "counts against it", "near": "has similar holdings"}
_TEXT = {"own": "reads like it", "about": "you reviewed it", "against": "reads unlike it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One contribution, or the sum of the small ones, as it is drawn."""

    numbers: tuple[int, ...]
    """Ids of the evidence; empty for the remainder."""
    kind: Kind | None
    """None for a sum of several."""
    label: str
    """Where it starts: a held product, a tied person, a text."""
    via: tuple[str, str] | None
    """What connects it with the product, in two short lines."""
    share: float
    contribution: float

    @property
    def starts_at_user(self) -> bool:
        """Whether the user is at its beginning: popularity does not depend on the user."""
        return self.kind != "popularity"

    @property
    def connection(self) -> str:
        """`via` on one line."""
        return " ".join(self.via or ()).strip()

    @property
    def sign(self) -> str:
        """Class of its colour."""
        return "minus" if self.contribution < 0 else "plus"

    @property
    def mark(self) -> str:
        """The evidence's number, as the sentences cite it."""
        return str(self.numbers[0]) if len(self.numbers) == 1 else ""


def lanes(explanation: Explanation, most: int = 7) -> tuple[Lane, ...]:
    """Return the strongest evidence, one lane each, and the rest as one lane: `most` at most."""
    pieces = [piece for piece in explanation.evidence if piece.contribution]
    first = pieces if len(pieces) <= most else pieces[: most - 1]
    found = [_lane(piece) for piece in first]
    rest = pieces[len(first) :]
    if rest:
        found.append(_sum(rest))
    if abs(explanation.remainder) > 0.0005:
        found.append(_remainder(explanation))
    return tuple(found)


def _lane(piece: Evidence) -> Lane:
    facts = dict(piece.facts)
    claim = str(facts.get("claim", ""))
    if piece.kind == "holding":
        name, via = str(facts["name"]), _holding_via(claim, facts)
    elif piece.kind == "tie":
        name = _capital(str(facts.get("name") or facts["person"]))
        rated = ("rated it", str(facts["rating"])) if claim == "rated" else None
        via = rated or (_TIED[claim], "")
    elif piece.kind == "popularity":
        is_prior = "general" in claim
        name = "People in general" if is_prior else "Popularity"
        via = ("people in general", "")
        if not is_prior:
            holders = facts.get("holders")
            via = ("the same for all", "") if holders is None else (_people(holders), "hold it")
    else:
        about = facts.get("name")
        name = f"Your review of {about}" if about is not None else "What you wrote"
        via = (_TEXT.get(claim, "similar"), "")
    return Lane(
        numbers=(piece.id,),
        kind=piece.kind,
        label=name,
        via=via,
        share=piece.share,
        contribution=piece.contribution,
    )


def _holding_via(claim: str, facts: dict[str, str | int | float]) -> tuple[str, str] | None:
    if claim == "together":
        return _people(facts["both"]), "hold both"
    if claim == "category":
        return "same category", str(facts["category"])
    return None


def _people(number: str | int | float) -> str:
    return str(number) if isinstance(number, str) else f"{number:,} people"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sum(pieces: Sequence[Evidence]) -> Lane:
    return Lane(
        numbers=tuple(piece.id for piece in pieces),
        kind=None,
        label=f"{len(pieces)} smaller reasons" if len(pieces) > 1 else "1 smaller reason",
        via=None,
        share=sum(piece.share for piece in pieces),
        contribution=sum(piece.contribution for piece in pieces),
    )


def _remainder(explanation: Explanation) -> Lane:
    sizes = [abs(one.contribution / one.share) for one in explanation.evidence if one.share]
    total = sizes[0] if sizes else abs(explanation.remainder)
    return Lane(
        numbers=(),
        kind=None,
        label="Reasons not listed",
        via=None,
        share=explanation.remainder / total,
        contribution=explanation.remainder,
    )
