"""Plots as SVG text to stand inside a page: no fonts, no addresses, the same for the same numbers.

Knows nothing about runs; what is drawn comes from an `Evaluation` or from a training's curve.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kinfolio.gnn.evaluation.evaluate import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OURS, _THEIRS, _INK = "#c0392b", "#5d7a94", "#333333"
_LINES = ("#c0392b", "#2c6e9b", "#7a8b3a", "#8e5ba6")
_STYLE: Any = {  # Any: matplotlib's type names each of its 300 settings
    "svg.fonttype": "none",
    "svg.hashsalt": "kinfolio",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _INK,
    "axes.titlesize": 10,
}


def curves(history: Sequence[Sequence[dict[str, Any]]]) -> str:
    """Loss and quality on the validation part by step, a line a head.

    Args:
        history: of each head its looks: `step`, `loss`, `recall`, `ndcg` (None: not measured).
    """
    figure, (left, right) = _figure(1, 2, 7.6, 2.8)
    for number, looks in enumerate(history):
        colour = _LINES[number % len(_LINES)]
        steps = [look["step"] for look in looks]
        left.plot(steps, [look["loss"] for look in looks], color=colour, label=f"head {number + 1}")
        for name, style in (("recall", "-"), ("ndcg", "--")):
            seen = [(look["step"], look[name]) for look in looks if look[name] is not None]
            if seen:
                right.plot(*zip(*seen, strict=True), style, color=colour, marker="o", markersize=3)
    left.set(title="loss", xlabel="step")
    right.set(title="on valid: recall@20, NDCG@20 (dashed)", xlabel="step")
    if history:
        left.legend(frameon=False)
    return _svg(figure)


def groups(found: Evaluation) -> str:
    """NDCG@20 of every model, a panel a group."""
    models = list(reversed(found.models))
    figure, panels = _panels(len(found.users), len(models))
    for panel, (group, users) in zip(panels, found.users.items(), strict=False):
        values = [found.models[model][group].ndcg for model in models]
        colours = [_OURS if model == "kinfolio" else _THEIRS for model in models]
        panel.barh(models, values, color=colours, height=0.62)
        panel.set(title=f"{group.replace('_', ' ')} ({users:,} users)", xlabel=f"NDCG@{found.k}")
        panel.set_xlim(0, max(values) * 1.05 or 0.01)
    return _svg(figure)


def forest(found: Evaluation) -> str:
    """Kinfolio's NDCG@20 less each other model's, with intervals, a panel a group."""
    models = list(reversed(found.differences))
    figure, panels = _panels(len(found.users), len(models))
    for panel, group in zip(panels, found.users, strict=False):
        panel.axvline(0, color=_INK, linewidth=0.8)
        for place, model in enumerate(models):
            one = found.differences[model][group][f"ndcg@{found.k}"]
            colour = _OURS if one.is_clear else _THEIRS
            panel.plot([one.low, one.high], [place, place], color=colour, linewidth=1.6)
            panel.plot([one.difference], [place], "o", color=colour, markersize=4)
        panel.set_yticks(range(len(models)), models)
        if not any(panel.dataLim.intervalx):
            panel.set_xlim(-0.01, 0.01)
        panel.set(title=group.replace("_", " "), xlabel="kinfolio ahead by")
    return _svg(figure)


def bands(found: Evaluation, models: Sequence[str]) -> str:
    """Lists and hits by how many people hold a product.

    Args:
        found: what was measured.
        models: which of its models to draw.
    """
    figure, (left, right) = _figure(1, 2, 7.6, 3.0)
    places = range(len(found.bands))
    held_out = found.by_band["kinfolio"]["held_out"]
    left.bar(places, held_out, color="#dddddd", label="held-out holdings")
    for number, model in enumerate(models):
        parts, colour = found.by_band[model], _LINES[number % len(_LINES)]
        left.plot(places, parts["listed"], "o-", color=colour, markersize=3, label=model)
        right.plot(places, parts["found"], "o-", color=colour, markersize=3, label=model)
    for panel in (left, right):
        panel.set_xticks(places, found.bands, fontsize=8, rotation=25)
        panel.set_xlabel("training holders of the product")
    left.set_title("part of all lists")
    right.set_title(f"found in {found.k}, of what is held out")
    left.legend(frameon=False)
    return _svg(figure)


def _figure(rows: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.flat)


def _panels(number: int, lines: int) -> tuple[Figure, list[Axes]]:
    """A grid of panels, two in a row, with room for some lines of text in each."""
    rows = -(-number // 2)
    figure, panels = _figure(rows, 2, 7.6, rows * (0.8 + 0.2 * lines))
    for panel in panels[number:]:
        panel.set_visible(False)
    return figure, panels


def _svg(figure: Figure) -> str:
    from matplotlib import rc_context

    written = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context(_STYLE):
        figure.savefig(written, format="svg", metadata=nothing)
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Inside a page names of formats are not needed, and so not one address is left.
    return re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text)
