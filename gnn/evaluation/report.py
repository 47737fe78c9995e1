"""The step `report`: a page and a model card about a trained run, beside it.

The page is one file that loads nothing: plots are SVG in the text. Numbers come from an evaluation
made for it and from `run.json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from kinfolio.gnn.evaluation import plots
from kinfolio.gnn.evaluation.evaluate import Evaluation
from kinfolio.gnn.evaluation.metrics import CUTS, MEASURES
from kinfolio.gnn.evaluation.model_card import (
    Verdict,
    baseline_verdicts,
    chosen_and_tried,
    data_of,
    limits,
    model_card,
    plain,
    text_verdicts,
    told,
)
from kinfolio.run import Run, whole_file
from kinfolio.snapshot import read_snapshot

_DRAWN = ("kinfolio", "EASE", "popularity", "graph only")
"""Models whose lists are drawn by bands of products."""
_CSS = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2rem; }
table { border-collapse: collapse; font-size: 13px; margin: .6rem 0; }
th, td { padding: .15rem .7rem .15rem 0; text-align: left; border-bottom: 1px solid #e4e4e4; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.ours td { font-weight: 600; } figure { margin: .8rem 0; overflow-x: auto; }
figcaption, .small { color: #666; font-size: 13px; } svg { max-width: 100%; height: auto; }
.yes { color: #2d6a31; } .no { color: #a33023; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Where a report was written."""

    page: Path
    card: Path


def report(run: Run, found: Evaluation) -> Report:
    """Write `report.html` and `model_card.md` into a run.

    Args:
        run: a trained run.
        found: what was measured of it, beside baselines; with controls where there are any.
    """
    info, data = run.need_info(), data_of(read_snapshot(run.need_snapshot()))
    command = f"kinfolio report --split {found.split}"
    page, card = run.folder / "report.html", run.folder / "model_card.md"
    for path, text in (
        (page, _page(found, info, data, command)),
        (card, model_card(found, info, data, command)),
    ):
        with whole_file(path) as temporary:
            temporary.write_text(text, "utf-8")
    return Report(page=page, card=card)


def _page(found: Evaluation, info: dict[str, Any], data: dict[str, int], command: str) -> str:
    history = info.get("history") or []
    drawn = [model for model in _DRAWN if model in found.models]
    valid = info["metrics"]["valid"]
    measured_on = f"Measured on <b>{found.split}</b>"
    if found.split == "valid":
        measured_on += ", which choices were made by: a little too good"
    body = [
        "<h1>A kinfolio run</h1>",
        f"<p>{measured_on}. The run's model is {escape(found.kinfolio)}; on the validation part "
        f"it has recall@20 {valid['recall@20']:.4f} and NDCG@20 {valid['ndcg@20']:.4f}; "
        f"it was trained in {info['seconds']:,.0f} s. "
        f"<span class=small>{escape(command)}</span></p>",
        _table(list(data), [[f"{count:,}" for count in data.values()]], numbers=len(data)),
        "<h2>Figures</h2>",
        _figures(found),
        _figure(plots.groups(found), "Higher is better; the run's model in red."),
        "<h2>Beside the best baseline of each group</h2>",
        _verdicts(baseline_verdicts(found), "No baseline was measured."),
        _figure(
            plots.forest(found),
            "Kinfolio less each other model: mean over users and 95 % interval of 2,000 paired "
            "draws of users. Red: the interval leaves 0 out.",
        ),
        "<h2>Whether texts help</h2>",
        _verdicts(
            text_verdicts(found),
            "Not measured: kinfolio report --controls trains the model without texts and with "
            "shuffled ones.",
        ),
        "<h2>Popular and rare products</h2>",
        _figure(
            plots.bands(found, drawn),
            "Left: lists are as popular as what people take where a line meets the bars. "
            "Right: how much is found of what is held by few and by many.",
        ),
        "<h2>Training</h2>",
        _figure(plots.curves(history), "Of the heads that were kept.")
        if history
        else "<p>This run has recorded no curve.</p>",
        "<h2>What was chosen and tried</h2>",
        _choice(info),
        "<h2>Every measure</h2>",
        f"<details><summary>{len(MEASURES)} measures at "
        f"{', '.join(map(str, CUTS))}</summary>{_every(found)}</details>",
        "<h2>Config</h2>",
        _table(["option", "value"], [[key, str(value)] for key, value in info["config"].items()]),
        "<h2>Limits</h2>",
        "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in limits(found)) + "</ul>",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>kinfolio run</title>'
        f"<style>{_CSS}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _figures(found: Evaluation) -> str:
    recall, ndcg = f"recall@{found.k}", f"ndcg@{found.k}"
    rows = []
    for group, users in found.users.items():
        for model, groups in found.models.items():
            one = groups[group]
            ahead = found.differences.get(model, {}).get(group, {})
            rows.append(
                [group, f"{users:,}", model, f"{one.recall:.4f}", f"{one.ndcg:.4f}"]
                + [told(ahead[name]) if ahead else "" for name in (recall, ndcg)]
            )
    columns = ["group", "users", "model", recall, ndcg, f"ahead by, {recall}", f"ahead by, {ndcg}"]
    return _table(columns, rows, numbers=4, ours=2)


def _every(found: Evaluation) -> str:
    rows = [
        [group, model, str(k), *(f"{one.values[f'{name}@{k}']:.4f}" for name in MEASURES)]
        for model, groups in found.models.items()
        for group, one in groups.items()
        for k in CUTS
    ]
    return _table(["group", "model", "k", *MEASURES], rows, numbers=len(MEASURES) + 1, ours=1)


def _verdicts(verdicts: list[Verdict], without: str) -> str:
    if not verdicts:
        return f"<p>{escape(without)}</p>"
    rows = [[one.group, one.what, told(one.interval), one.text] for one in verdicts]
    return _table(["group", "less", "NDCG@20 ahead by (95 %)", "so"], rows)


def _choice(info: dict[str, Any]) -> str:
    chosen, tried = chosen_and_tried(info)
    parts = [_table(["choice", "value"], chosen)]
    for name, trials in tried.items():
        columns = list(dict.fromkeys(column for trial in trials for column in trial))
        rows = [[plain(trial.get(column, "")) for column in columns] for trial in trials]
        parts.append(f"<h3>{escape(name)}, on valid</h3>{_table(columns, rows)}")
    return "".join(parts)


def _table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0, ours: int = -1
) -> str:
    """An HTML table; the last `numbers` columns are numbers, `ours` is the column of models."""
    first = len(columns) - numbers

    def line(tag: str, row: Sequence[str]) -> str:
        cells = (
            f"<{tag}{' class=n' if place >= first else ''}>{escape(cell)}</{tag}>"
            for place, cell in enumerate(row)
        )
        mark = " class=ours" if ours >= 0 and row[ours] == "kinfolio" else ""
        return f"<tr{mark}>{''.join(cells)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', columns)}</thead><tbody>{body}</tbody></table>"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"
