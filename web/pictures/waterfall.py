"""The contributions to a score as a waterfall: each bar starts where the last one ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kinfolio.llm_explain.explanation import Explanation
from kinfolio.web.pictures import svg
from kinfolio.web.pictures.lanes import Lane, lanes

_MOST = 10


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Measures of one drawing."""

    name: str
    width: float
    row: float
    plot: tuple[float, float]
    """Left and right edge of the bars."""
    label_width: float
    bar_top: float
    """From the top of the row."""
    baseline: float
    """Of the label and the value, from the top of the row."""


_WIDE = _Drawing("wide", 800.0, 36.0, (276.0, 712.0), 260.0, 8.0, 23.0)
_NARROW = _Drawing("narrow", 340.0, 50.0, (1.0, 338.0), 240.0, 24.0, 16.0)
_BAR = 20.0
_INDENT = 6.0
"""Of labels: the axis of a narrow drawing is at its left edge."""


def waterfall_pictures(explanation: Explanation, name: str = "shares") -> str:
    """Return a wide and a narrow drawing; the style sheet shows the one that fits the screen."""
    found = lanes(explanation, _MOST)
    return "".join(_draw(explanation, found, one, name) for one in (_WIDE, _NARROW))


def _draw(explanation: Explanation, found: Sequence[Lane], drawing: _Drawing, name: str) -> str:
    stops = [0.0]
    for one in found:
        stops.append(stops[-1] + one.contribution)
    low, high = min(*stops, explanation.score), max(*stops, explanation.score)
    left, right = drawing.plot
    scale = (right - left) / ((high - low) or 1.0)

    def x(value: float) -> float:
        return left + (value - low) * scale

    bottom = drawing.row * (len(found) + 1)
    parts = [svg.element("path", d=f"M{x(0):.1f} 0V{bottom:g}", class_="axis")]
    rows: list[str] = []
    for place, one in enumerate(found):
        top = drawing.row * place
        start, end = x(stops[place]), x(stops[place + 1])
        words = f"{one.mark}  {one.label}" if one.mark else one.label
        rows += _row(drawing, top, (words, svg.signed(one.contribution)), (start, end, one.sign))
        next_top = top + drawing.row + drawing.bar_top
        d = f"M{end:.1f} {top + drawing.bar_top + _BAR:g}V{next_top:g}"
        parts.append(svg.element("path", d=d, class_="step"))
    total = ("Score", f"{explanation.score:.3f}".replace("-", "−"))
    rows += _row(drawing, drawing.row * len(found), total, (x(0), x(explanation.score), "total"))
    return svg.picture(
        parts + rows,
        (drawing.width, bottom),
        name=f"{name}-{drawing.name}",
        words=("Contributions to the score", _description(explanation, found)),
        class_=f"picture {drawing.name}",
    )


def _row(
    drawing: _Drawing, top: float, words: tuple[str, str], bar: tuple[float, float, str]
) -> list[str]:
    start, end, class_ = bar
    rect = svg.element(
        "rect",
        x=min(start, end),
        y=top + drawing.bar_top,
        width=max(1.5, abs(end - start)),
        height=_BAR,
        rx=3.0,
        class_=f"bar {class_}",
    )
    y = top + drawing.baseline
    strong = " strong" if class_ == "total" else ""
    return [
        svg.label(_INDENT, y, svg.cut(words[0], drawing.label_width), f"name over{strong}"),
        rect,
        svg.label(drawing.width, y, words[1], f"value over{strong}", "end"),
    ]


def _description(explanation: Explanation, found: Sequence[Lane]) -> str:
    parts = [f"{one.label} {svg.signed(one.contribution)}" for one in found]
    return f"{'; '.join(parts)}; together {explanation.score:.3f}."
