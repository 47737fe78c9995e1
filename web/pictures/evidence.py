"""The evidence of a score as a layered picture: you, what you hold, people, the product.

An edge is as wide as its share; one that lowers the score is dashed as well as coloured. There are
two drawings of the same lanes: a wide one from left to right, and one column for a narrow screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from kinfolio.llm_explain.explanation import Explanation
from kinfolio.web.pictures import svg
from kinfolio.web.pictures.lanes import Lane, lanes

_WIDTH = 840.0
_LANE = 62.0
_BOX = 44.0
_YOU = (0.0, 64.0)
"""Left and right edge of a column."""
_FIRST = (118.0, 342.0)
_SECOND = (382.0, 524.0)
_BEND = 600.0
"""Where the edges, straight so far to carry their share, begin to bend to the product."""
_PRODUCT = (684.0, 840.0)
_WIDEST = 18.0
"""Pixels of an edge whose share is 1, and at least `_THINNEST`."""
_THINNEST = 1.5

_NARROW = 340.0
_NARROW_LANE = 64.0
_NARROW_HEAD = 40.0


def evidence_pictures(explanation: Explanation, name: str = "evidence") -> str:
    """Return both drawings; the style sheet shows the one that fits the screen."""
    found = lanes(explanation)
    words = (f"Why {explanation.name} has its score", _description(explanation, found))
    return _wide(explanation, found, name, words) + _narrow(explanation, found, name, words)


def _description(explanation: Explanation, found: Sequence[Lane]) -> str:
    parts = [
        f"{one.label}{f', {one.connection}' if one.via else ''}: {svg.percent(one.share)}"
        for one in found
    ]
    return f"{'; '.join(parts)}. The score is {explanation.score:.3f}. The table has every number."


def _edge_width(share: float) -> float:
    return max(_THINNEST, abs(share) * _WIDEST)


def _wide(
    explanation: Explanation, found: Sequence[Lane], name: str, words: tuple[str, str]
) -> str:
    height = max(2, len(found)) * _LANE
    middle = height / 2
    from_you = _stacked([one for one in found if one.starts_at_user], middle)
    to_product = _stacked(found, middle)
    parts, shares = [], []
    for place, one in enumerate(found):
        y = _LANE * (place + 0.5)
        class_, width = f"edge {one.sign}", _edge_width(one.share)
        last = _FIRST[1]
        if one.starts_at_user:
            start = (_YOU[1], from_you[one.numbers])
            parts.append(svg.curve(start, (_FIRST[0], y), width, class_))
            parts += _box_of(one, y)
        if one.via:
            if one.starts_at_user:
                parts.append(svg.curve((_FIRST[1], y), (_SECOND[0], y), width, class_))
            parts += _via_of(one.via, y)
            last = _SECOND[1]
        end = (_PRODUCT[0], to_product[one.numbers])
        d = f"M{last:g} {y:g}H{_BEND:g}"
        parts.append(svg.element("path", d=d, class_=class_, stroke_width=width))
        parts.append(svg.curve((_BEND, y), end, width, class_))
        share = svg.percent(one.share)
        shares.append(svg.label(_SECOND[1] + 10, y - width / 2 - 5, share, f"share {one.sign}"))
    parts += _ends(explanation, middle) + shares
    return svg.picture(
        parts, (_WIDTH, height), name=f"{name}-wide", words=words, class_="picture wide"
    )


def _stacked(found: Sequence[Lane], middle: float) -> dict[tuple[int, ...], float]:
    """Return where each edge touches a box whose centre is `middle`, side by side."""
    gap = 3.0
    y = middle - (sum(_edge_width(one.share) for one in found) + gap * (len(found) - 1)) / 2
    places = {}
    for one in found:
        width = _edge_width(one.share)
        places[one.numbers] = y + width / 2
        y += width + gap
    return places


def _box_of(one: Lane, y: float) -> list[str]:
    left, right = _FIRST
    indent = 36.0 if one.mark else 12.0
    parts = [svg.box(left, y - _BOX / 2, right - left, _BOX, f"node {one.kind or 'sum'}")]
    if one.mark:
        parts.append(svg.label(left + 12, y + 4, one.mark, "mark"))
    parts.append(svg.name_in(left + indent, y, one.label, right - left - indent - 8))
    return parts


def _via_of(via: tuple[str, str], y: float) -> list[str]:
    left, right = _SECOND
    inside = right - left - 12
    centre = (left + right) / 2
    frame = svg.box(left, y - _BOX / 2, right - left, _BOX, "node via")
    if not via[1]:
        words = svg.cut(via[0], inside, svg.SMALL_LETTER)
        return [frame, svg.label(centre, y + 4, words, "small", "middle")]
    return [
        frame,
        svg.label(centre, y - 2, svg.cut(via[0], inside, svg.LETTER), "name", "middle"),
        svg.label(centre, y + 14, svg.cut(via[1], inside, svg.SMALL_LETTER), "small", "middle"),
    ]


def _ends(explanation: Explanation, middle: float) -> list[str]:
    left, right = _PRODUCT
    centre = (left + right) / 2
    lines = svg.wrap(explanation.name, right - left - 20, 3)
    height = 20.0 * len(lines) + 44
    top = middle - height / 2
    parts = [
        svg.box(_YOU[0], middle - 28, _YOU[1] - _YOU[0], 56, "node you"),
        svg.label((_YOU[0] + _YOU[1]) / 2, middle + 5, "You", "name", "middle"),
        svg.box(left, top, right - left, height, "node product"),
    ]
    for place, line in enumerate(lines):
        parts.append(svg.label(centre, top + 26 + 20 * place, line, "name", "middle"))
    parts.append(
        svg.label(centre, top + height - 14, f"score {explanation.score:.3f}", "small", "middle")
    )
    return parts


def _narrow(
    explanation: Explanation, found: Sequence[Lane], name: str, words: tuple[str, str]
) -> str:
    left, right = 28.0, _NARROW - 28.0
    rows = [_NARROW_HEAD + 20 + _NARROW_LANE * (place + 0.5) for place in range(len(found))]
    bottom = _NARROW_HEAD + 20 + _NARROW_LANE * len(found) + 8
    centre = _NARROW / 2
    parts = []
    starts = [y for y, one in zip(rows, found, strict=True) if one.starts_at_user]
    if starts:
        parts.append(_trunk(8.0, _NARROW_HEAD / 2, starts[-1]))
        parts.append(svg.element("path", d=f"M8 {_NARROW_HEAD / 2:g}H{centre:g}", class_="trunk"))
    if rows:
        end = bottom + _BOX / 2 + 8
        parts.append(_trunk(_NARROW - 8, rows[0], end))
        parts.append(svg.element("path", d=f"M{_NARROW - 8:g} {end:g}H{centre:g}", class_="trunk"))
    for y, one in zip(rows, found, strict=True):
        width, class_ = _edge_width(one.share), f"edge {one.sign}"
        if one.starts_at_user:
            parts.append(
                svg.element("path", d=f"M8 {y:g}H{left:g}", class_=class_, stroke_width=width)
            )
        parts.append(
            svg.element(
                "path", d=f"M{right:g} {y:g}H{_NARROW - 8:g}", class_=class_, stroke_width=width
            )
        )
        parts += _narrow_box(one, y, left, right)
    you = svg.box(centre - 48, 0, 96, _NARROW_HEAD, "node you")
    parts += [you, svg.label(centre, 25, "You", "name", "middle")]
    parts.append(svg.box(left, bottom, right - left, _BOX + 16, "node product"))
    title = svg.cut(explanation.name, right - left - 20)
    parts.append(svg.label(centre, bottom + 26, title, "name", "middle"))
    parts.append(
        svg.label(centre, bottom + 46, f"score {explanation.score:.3f}", "small", "middle")
    )
    return svg.picture(
        parts,
        (_NARROW, bottom + _BOX + 17),
        name=f"{name}-narrow",
        words=words,
        class_="picture narrow",
    )


def _trunk(x: float, top: float, bottom: float) -> str:
    return svg.element("path", d=f"M{x:g} {top:g}V{bottom:g}", class_="trunk")


def _narrow_box(one: Lane, y: float, left: float, right: float) -> list[str]:
    top = y - 25
    indent = 34.0 if one.mark else 12.0
    share = svg.percent(one.share)
    inside = right - left - 24
    parts = [svg.box(left, top, right - left, 50, f"node {one.kind or 'sum'}")]
    if one.mark:
        parts.append(svg.label(left + 12, top + 21, one.mark, "mark"))
    parts.append(
        svg.label(left + indent, top + 21, svg.cut(one.label, inside - indent + 12), "name")
    )
    parts.append(svg.label(right - 12, top + 40, share, f"share {one.sign}", "end"))
    if one.via:
        words = svg.cut(one.connection, inside - 80, svg.SMALL_LETTER)
        parts.append(svg.label(left + 12, top + 40, words, "small"))
    return parts
