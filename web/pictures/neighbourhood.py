"""The part of the graph around one user, in columns: people, the user, holdings, recommendations.

Only holdings and recommendations that fit are drawn; the tables beside the picture have all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kinfolio.web.pictures import svg

_WIDTH, _PITCH, _BOX = 840.0, 50.0, 40.0
_PEOPLE = (0.0, 216.0)
_YOU = (246.0, 304.0)
_HELD = (336.0, 552.0)
_WANTED = (640.0, 840.0)
_HEAD = 34.0
_MOST = {"people": 8, "held": 10, "wanted": 6}
_WIDEST = 14.0
_NARROW = 340.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A product that the user holds."""

    product: str
    name: str
    rating: float | None
    is_reviewed: bool

    @property
    def note(self) -> str:
        """What the user said about it."""
        rated = "" if self.rating is None else f"rated {self.rating:g}"
        return ", ".join(filter(None, (rated, "reviewed" if self.is_reviewed else "")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A recommended product, and the holdings that speak for it."""

    product: str
    name: str
    rank: int
    score: float
    shares: tuple[tuple[str, float], ...]
    """Held products and their shares of the score, largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """What is around a user."""

    people: tuple[tuple[str, int], ...]
    """Tied people in words, and how many of them."""
    held: tuple[Held, ...]
    wanted: tuple[Wanted, ...]


def neighbourhood_pictures(around: Neighbourhood, name: str = "graph") -> str:
    """Return a wide and a narrow drawing; the style sheet shows the one that fits the screen."""
    words = ("The user's part of the graph", _description(around))
    return _wide(around, name, words) + _narrow(around, name, words)


def _description(around: Neighbourhood) -> str:
    people = sum(number for _, number in around.people)
    return (
        f"The user is tied to {people:,} people, holds {len(around.held):,} products and is "
        f"recommended {len(around.wanted):,}. The tables list them."
    )


def drawn_holdings(around: Neighbourhood) -> tuple[Held, ...]:
    """Return the holdings to draw: those with the largest shares of the drawn recommendations."""
    weight: dict[str, float] = {}
    for one in around.wanted[: _MOST["wanted"]]:
        for product, share in one.shares:
            weight[product] = weight.get(product, 0.0) + abs(share)
    ordered = sorted(around.held, key=lambda one: -weight.get(one.product, 0.0))
    return tuple(ordered[: _MOST["held"]])


def _wide(around: Neighbourhood, name: str, words: tuple[str, str]) -> str:
    people = around.people[: _MOST["people"]]
    held, wanted = drawn_holdings(around), around.wanted[: _MOST["wanted"]]
    rows = max(len(people), len(held), len(wanted), 2) + 1
    middle = _HEAD + rows * _PITCH / 2
    ys = {
        key: _spread(len(column), middle)
        for key, column in (("people", people), ("held", held), ("wanted", wanted))
    }
    parts = [
        svg.label((left + right) / 2, 16, text, "heading", "middle")
        for (left, right), text in (
            (_PEOPLE, "Tied to"),
            (_HELD, "Holds"),
            (_WANTED, "Recommended"),
        )
    ]
    parts += [
        svg.curve((_PEOPLE[1], y), (_YOU[0], middle), 1.5, "edge plain") for y in ys["people"]
    ]
    parts += [svg.curve((_YOU[1], middle), (_HELD[0], y), 1.5, "edge plain") for y in ys["held"]]
    places = {one.product: y for one, y in zip(held, ys["held"], strict=True)}
    for one, y in zip(wanted, ys["wanted"], strict=True):
        for product, share in one.shares:
            if product in places:
                sign = "minus" if share < 0 else "plus"
                width = max(1.0, abs(share) * _WIDEST)
                start = (_HELD[1], places[product])
                parts.append(svg.curve(start, (_WANTED[0], y), width, f"edge {sign}"))
    parts += [
        _node(_PEOPLE, y, (text, _times(number)), "tie")
        for (text, number), y in zip(people, ys["people"], strict=True)
    ]
    parts += [
        _node(_HELD, y, (one.name, one.note), "holding")
        for one, y in zip(held, ys["held"], strict=True)
    ]
    parts += [
        _node(_WANTED, y, (one.name, f"score {one.score:.3f}"), "product")
        for one, y in zip(wanted, ys["wanted"], strict=True)
    ]
    parts += [
        svg.box(_YOU[0], middle - 28, _YOU[1] - _YOU[0], 56, "node you"),
        svg.label((_YOU[0] + _YOU[1]) / 2, middle + 5, "You", "name", "middle"),
        *_omitted(around, (len(people), len(held), len(wanted)), _HEAD + rows * _PITCH),
    ]
    size = (_WIDTH, _HEAD + rows * _PITCH + 8)
    return svg.picture(parts, size, name=f"{name}-wide", words=words, class_="picture wide")


def _spread(number: int, middle: float) -> list[float]:
    return [middle + (place - (number - 1) / 2) * _PITCH for place in range(number)]


def _times(number: int) -> str:
    return "" if number == 1 else f"{number:,} people"


def _omitted(around: Neighbourhood, drawn: tuple[int, int, int], y: float) -> list[str]:
    """How many of each column are not drawn."""
    columns = ((_PEOPLE, around.people), (_HELD, around.held), (_WANTED, around.wanted))
    return [
        svg.label((left + right) / 2, y, f"and {len(all_of) - number} more", "small", "middle")
        for ((left, right), all_of), number in zip(columns, drawn, strict=True)
        if len(all_of) > number
    ]


def _node(column: tuple[float, float], y: float, words: tuple[str, str], class_: str) -> str:
    left, right = column
    inside, name, note = right - left - 20, words[0], words[1]
    frame = svg.box(left, y - _BOX / 2, right - left, _BOX, f"node {class_}")
    if not note:
        return frame + svg.name_in(left + 10, y, name, inside)
    return (
        frame
        + svg.label(left + 10, y - 2, svg.cut(name, inside), "name")
        + svg.label(left + 10, y + 14, svg.cut(note, inside, svg.SMALL_LETTER), "small")
    )


def _narrow(around: Neighbourhood, name: str, words: tuple[str, str]) -> str:
    groups: list[tuple[str, str, Sequence[tuple[str, str]]]] = [
        ("Tied to", "tie", [(text, _times(n)) for text, n in around.people[: _MOST["people"]]]),
        ("Holds", "holding", [(one.name, one.note) for one in drawn_holdings(around)]),
        (
            "Recommended",
            "product",
            [(one.name, f"score {one.score:.3f}") for one in around.wanted[: _MOST["wanted"]]],
        ),
    ]
    parts = [
        svg.box(0, 0, 96, _BOX, "node you"),
        svg.label(48, 25, "You", "name", "middle"),
    ]
    y = _BOX + 12
    boxes = []
    trunk_end = y
    for title, class_, rows in groups:
        if not rows:
            continue
        y += 18
        boxes.append(svg.label(32, y, title, "heading"))
        y += 12
        for text in rows:
            centre = y + _BOX / 2
            boxes.append(svg.element("path", d=f"M14 {centre:g}H32", class_="trunk"))
            boxes.append(_node((32.0, _NARROW - 2), centre, text, class_))
            trunk_end = centre
            y += _PITCH
    parts.append(svg.element("path", d=f"M14 {_BOX:g}V{trunk_end:g}", class_="trunk"))
    size = (_NARROW, y)
    return svg.picture(
        parts + boxes, size, name=f"{name}-narrow", words=words, class_="picture narrow"
    )
