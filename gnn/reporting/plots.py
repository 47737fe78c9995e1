"""Plots as SVG text inside a page: styled by its colours, so that they follow light and dark mode.

All panels of one figure share their scales. Legends are outside the plots.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

from kinfolio.gnn.evaluation.evaluate import Evaluation
from kinfolio.storage.run_info import Curve, Point

_WIDTH, _LABELS, _VALUES = 340, 92, 44
"""Width of a panel; room for names on the left and for numbers on the right."""
_ROW, _TITLE, _AXIS = 17, 24, 46
_HEIGHT = 150
"""Of the area of a line plot."""

Scale = Callable[[float], float]
Points = Sequence[tuple[float, float]]


def curves(history: Sequence[Sequence[Point]]) -> str:
    """Draw loss and validation metrics by step, one line for each head.

    Evaluations have `step`, `loss`, `recall` and `ndcg` (None: not measured).
    """

    def series(name: Curve) -> list[Points]:
        return [
            [(one["step"], value) for one in head if (value := one[name]) is not None]
            for head in history
        ]

    last = max((one["step"] for head in history for one in head), default=1)
    metrics = {"recall": series("recall"), "ndcg": series("ndcg")}
    top = max((y for lines in metrics.values() for line in lines for _, y in line), default=1.0)
    panels = {
        "training loss": (series("loss"), None),
        "validation recall@20": (metrics["recall"], top),
        "validation NDCG@20": (metrics["ndcg"], top),
    }
    marks = [(step, f"{step:g}") for step in _ticks(0, last)]
    return _figure(
        [_lines(title, lines, marks, limit) for title, (lines, limit) in panels.items()],
        [f"head {number}" for number in range(1, len(history) + 1)],
    )


def groups(evaluation: Evaluation) -> str:
    """Draw NDCG@20 of every model, one panel for each group."""
    limit = max(group.ndcg for model in evaluation.models.values() for group in model.values())
    x = _scale(0, limit or 1, _LABELS, _WIDTH - _VALUES)
    panels = []
    for group, users in evaluation.users.items():
        parts = []
        for row, (model, metrics) in enumerate(evaluation.models.items()):
            value, y = metrics[group].ndcg, _TITLE + _ROW * row
            kind = "ours" if model == "kinfolio" else "theirs"
            width = x(value) - _LABELS
            parts += [
                _text(model, _LABELS - 6, y + 12, "end"),
                f'<rect class="{kind}" x="{_LABELS}" y="{y + 2}" width="{width:.1f}" height="12"/>',
                _text(f"{value:.4f}", x(value) + 4, y + 12),
            ]
        title = f"{group.replace('_', ' ')} ({users:,} users)"
        panels.append(_svg(title, _TITLE + _ROW * len(evaluation.models) + 4, parts))
    return _figure(panels)


def forest(evaluation: Evaluation) -> str:
    """Draw kinfolio's NDCG@20 minus each other model's with intervals, one panel for each group."""
    metric = f"ndcg@{evaluation.k}"
    every = [one[metric] for groups in evaluation.differences.values() for one in groups.values()]
    low, high = min([0.0, *(one.low for one in every)]), max([0.0, *(one.high for one in every)])
    if low == high:
        low, high = -0.01, 0.01
    x = _scale(low, high, _LABELS + 4, _WIDTH - 12)
    bottom = _TITLE + _ROW * len(evaluation.differences)
    axis = [
        f'<line class="axis" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="{_TITLE}" y2="{bottom}"/>',
        *(_text(f"{tick:+.3g}", x(tick), bottom + 14, "middle") for tick in _ticks(low, high, 3)),
    ]
    panels = []
    for group in evaluation.users:
        parts = list(axis)
        for row, (model, groups) in enumerate(evaluation.differences.items()):
            one, y = groups[group][metric], _TITLE + _ROW * row + 8
            kind = "ours" if one.is_clear else "theirs"
            parts += [
                _text(model, _LABELS - 6, y + 4, "end"),
                f'<line class="{kind}" x1="{x(one.low):.1f}" x2="{x(one.high):.1f}" '
                f'y1="{y}" y2="{y}"/>',
                f'<circle class="{kind}" cx="{x(one.difference):.1f}" cy="{y}" r="3.5"/>',
            ]
        panels.append(_svg(group.replace("_", " "), bottom + 20, parts))
    return _figure(panels)


def bands(evaluation: Evaluation, models: Sequence[str]) -> str:
    """Draw the shares of lists and of hits by a product's number of holders."""
    marks = [(place, name) for place, name in enumerate(evaluation.bands)]
    held_out = list(enumerate(evaluation.by_band["kinfolio"]["held_out"]))
    listed, found = (
        [
            [(x, y) for x, y in enumerate(evaluation.by_band[model][key]) if not math.isnan(y)]
            for model in models
        ]
        for key in ("listed", "found")
    )
    limit = max(y for line in (*listed, *found, held_out) for _, y in line)
    panels = [
        _lines("share of all lists", listed, marks, limit, bars=held_out),
        _lines(f"found in {evaluation.k}, of the held-out", found, marks, limit),
    ]
    return _figure(panels, models, has_bars=True)


def _lines(
    title: str,
    lines: Sequence[Points],
    marks: Sequence[tuple[float, str]],
    limit: float | None = None,
    *,
    bars: Points = (),
) -> str:
    """Draw lines over a common x axis; y starts at 0, or at the smallest value without a limit."""
    values = [y for line in (*lines, bars) for _, y in line] or [0.0]
    low, high = (min(values), max(values)) if limit is None else (0.0, limit)
    x = _scale(0, max([1.0, *(place for place, _ in marks)]), 44, _WIDTH - 16)
    y = _scale(low, high if high > low else low + 1, _TITLE + _HEIGHT, _TITLE + 6)
    bottom = y(low)
    parts = [
        f'<line class="grid" x1="36" x2="{_WIDTH - 6}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        + _text(f"{tick:.3g}", 32, y(tick) + 4, "end")
        for tick in _ticks(low, high)
    ]
    parts += [
        f'<rect class="bar" x="{x(place) - 9:.1f}" y="{y(value):.1f}" width="18" '
        f'height="{bottom - y(value):.1f}"/>'
        for place, value in bars
    ]
    is_long = any(len(name) > 5 for _, name in marks)
    for place, name in marks:
        mark = _text(name, x(place) + 6 * is_long, bottom + 14, "end" if is_long else "middle")
        tilt = f'<g transform="rotate(-30 {x(place):.1f} {bottom + 14:.1f})">'
        parts.append(f"{tilt}{mark}</g>" if is_long else mark)
    for number, line in enumerate(lines):
        points = [(f"{x(one):.1f}", f"{y(other):.1f}") for one, other in line]
        path = " ".join(",".join(point) for point in points)
        parts.append(f'<polyline class="line c{number % 4}" points="{path}"/>')
        parts += [f'<circle class="c{number % 4}" cx="{a}" cy="{b}" r="2.5"/>' for a, b in points]
    return _svg(title, _TITLE + _HEIGHT + (_AXIS if is_long else 22), parts)


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _ticks(low: float, high: float, number: int = 4) -> list[float]:
    """Return about `number` round values from `low` to `high`."""
    rough = (high - low) / number
    if rough <= 0:
        return [low]
    power = 10 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * 0.999)
    return [
        step * n for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def _text(text: str, x: float, y: float, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, height: float, parts: Iterable[str]) -> str:
    head = f'<text class="title" x="0" y="14">{escape(title)}</text>'
    box = f'viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{escape(title)}"'
    return f"<svg {box}>{head}{''.join(parts)}</svg>"


def _figure(panels: Iterable[str], legend: Sequence[str] = (), *, has_bars: bool = False) -> str:
    keys = [
        f'<span><i class="c{number % 4}"></i>{escape(name)}</span>'
        for number, name in enumerate(legend)
    ]
    if has_bars:
        keys.append('<span><i class="bar"></i>share of held-out holdings</span>')
    shown = f'<div class="legend">{"".join(keys)}</div>' if keys else ""
    return f'{shown}<div class="panels">{"".join(panels)}</div>'
