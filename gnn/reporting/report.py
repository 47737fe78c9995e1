"""The step `report`: a page and a model card about a trained run, written into its folder.

The page is one file without external resources. Its numbers come from its own evaluation and from
`run.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from kinfolio.gnn.data import interactions_of
from kinfolio.gnn.evaluation.bootstrap import Interval
from kinfolio.gnn.evaluation.evaluate import Evaluation
from kinfolio.gnn.evaluation.metrics import CUTS, MEASURES
from kinfolio.gnn.reporting import html, plots
from kinfolio.gnn.reporting.choices import choice_sentences, chosen_and_tried, plain
from kinfolio.gnn.reporting.examples import Example, examples
from kinfolio.gnn.reporting.model_card import (
    Verdict,
    baseline_verdicts,
    data_of,
    limits,
    model_card,
    text_verdicts,
)
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.records import Snapshot
from kinfolio.run import Run, whole_file
from kinfolio.snapshot import read_snapshot
from kinfolio.storage.run_info import RunInfo

_DRAWN = ("kinfolio", "EASE", "popularity", "graph only")
"""Models drawn by bands of products."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Files of a report."""

    page: Path
    card: Path


def report(run: Run, evaluation: Evaluation) -> Report:
    """Write `report.html` and `model_card.md` into a run, from its evaluation with baselines."""
    info, snapshot = run.need_info(), read_snapshot(run.need_snapshot())
    data = data_of(snapshot)
    command = f"kinfolio report --split {evaluation.split}"
    body = [
        *_head(run, evaluation, snapshot, command),
        *_results(evaluation),
        "<h2>Example lists</h2>",
        _examples(run, evaluation, snapshot),
        *_training(info),
        "<h2>All metrics</h2>",
        f"<details><summary>{len(MEASURES)} metrics at {', '.join(map(str, CUTS))}</summary>"
        f"{_all_metrics(evaluation)}</details>",
        "<h2>Limits</h2>",
        html.bullets(limits(evaluation)),
    ]
    written = Report(page=run.folder / "report.html", card=run.folder / "model_card.md")
    for path, text in (
        (written.page, html.page(f"kinfolio: {run.folder.name}", body)),
        (written.card, model_card(evaluation, info, data, command)),
    ):
        with whole_file(path) as temporary:
            temporary.write_text(text, "utf-8")
    return written


def _head(run: Run, evaluation: Evaluation, snapshot: Snapshot, command: str) -> list[str]:
    info = run.need_info()
    measured = f"Measured on <b>{evaluation.split}</b>"
    if evaluation.split == "valid":
        if not interactions_of(snapshot, "test").nnz:
            measured += ", since the data has no test interactions"
        measured += "; the choices were made on it, so the metrics are optimistic"
    valid = info["metrics"]["valid"]
    trained = datetime.fromtimestamp(run.info.stat().st_mtime, UTC)
    return [
        f"<h1>kinfolio report: {escape(run.folder.name)}</h1>",
        f"<p>{measured}. The model is <b>{escape(evaluation.kinfolio)}</b>; on valid it has "
        f"recall@20 {valid['recall@20']:.4f} and NDCG@20 {valid['ndcg@20']:.4f}.</p>",
        f"<p class=small>Report of {datetime.now(UTC):%Y-%m-%d}, model of {trained:%Y-%m-%d}, "
        f"trained in {info['seconds']:,.0f} s by kinfolio {escape(info['versions']['kinfolio'])}; "
        f"snapshot {escape(info['data']['snapshot'])}; written by: {escape(command)}</p>",
        html.numbers_list({name: f"{count:,}" for name, count in data_of(snapshot).items()}),
    ]


def _results(evaluation: Evaluation) -> list[str]:
    drawn = [model for model in _DRAWN if model in evaluation.models]
    return [
        "<h2>Metrics</h2>",
        "<p class=small>The best value of each column is marked. The difference is kinfolio's "
        "NDCG minus the model's, with its 95 % interval.</p>",
        f'<div class="tables">{"".join(_metrics(evaluation))}</div>',
        html.figure(plots.groups(evaluation), f"NDCG@{evaluation.k}; all panels share one scale."),
        "<h2>Compared with the best baseline</h2>",
        _verdicts(baseline_verdicts(evaluation), "No baseline was measured."),
        html.figure(
            plots.forest(evaluation),
            f"Kinfolio's NDCG@{evaluation.k} minus each other model's: mean over users and 95 % "
            "interval of 2,000 paired bootstrap draws of users; all panels share one scale. Red: "
            "the interval excludes 0.",
        ),
        "<h2>Effect of texts</h2>",
        _verdicts(
            text_verdicts(evaluation),
            "Not measured: kinfolio report --controls trains the model without texts and with "
            "shuffled ones.",
        ),
        "<h2>Popular and rare products</h2>",
        html.figure(
            plots.bands(evaluation, drawn),
            "Products by their number of training holders. Lists are as popular as the held-out "
            "holdings where a line meets the bars.",
        ),
    ]


def _metrics(evaluation: Evaluation) -> list[str]:
    recall, ndcg = f"recall@{evaluation.k}", f"ndcg@{evaluation.k}"
    parts = []
    for group, users in evaluation.users.items():
        rows = []
        for model, groups in evaluation.models.items():
            one, difference = groups[group], evaluation.differences.get(model, {}).get(group)
            shown = _short(difference[ndcg]) if difference else ""
            rows.append([model, f"{one.recall:.4f}", f"{one.ndcg:.4f}", shown])
        columns = ["model", recall, ndcg, "difference"]
        heading = f"<h3>{escape(group.replace('_', ' '))} ({users:,} users)</h3>"
        parts.append(f"<div>{heading}{html.table(columns, rows, numbers=3, best=(1, 2))}</div>")
    return parts


def _all_metrics(evaluation: Evaluation) -> str:
    parts = []
    for group in evaluation.users:
        for k in CUTS:
            rows = [
                [model, *(f"{groups[group].values[f'{name}@{k}']:.4f}" for name in MEASURES)]
                for model, groups in evaluation.models.items()
            ]
            parts.append(f"<h3>{escape(group.replace('_', ' '))}, at {k}</h3>")
            columns, numbers = ["model", *MEASURES], len(MEASURES)
            parts.append(html.table(columns, rows, numbers=numbers, best=range(1, numbers + 1)))
    return "".join(parts)


def _verdicts(verdicts: list[Verdict], without: str) -> str:
    if not verdicts:
        return f"<p>{escape(without)}</p>"
    rows = [
        [one.group.replace("_", " "), one.other, _short(one.interval), one.text] for one in verdicts
    ]
    return html.table(["group", "compared with", "NDCG difference", "result"], rows)


def _short(interval: Interval) -> str:
    """Format an interval, such as `+.012 (+.005 to +.019)`, to fit a phone."""
    values = (interval.difference, interval.low, interval.high)
    middle, low, high = (f"{value:+.3f}".replace("0.", ".", 1) for value in values)
    return f"{middle} ({low} to {high})"


def _examples(run: Run, evaluation: Evaluation, snapshot: Snapshot) -> str:
    training, held_out = (
        interactions_of(snapshot, "train"),
        interactions_of(snapshot, evaluation.split),
    )
    found = examples(snapshot, read_embeddings(run), training, held_out)
    if not found:
        return "<p>No user has three training interactions and a held-out one.</p>"
    intro = (
        "<p class=small>Users are evenly spaced in the data, not selected. Below each product: the "
        "holding or other piece that contributes most to the score, and popularity, each with its "
        "exact share in all contributions. Eligibility rules are not applied.</p>"
    )
    return intro + "".join(_example(one, evaluation.split) for one in found)


def _example(one: Example, split: str) -> str:
    more = f" and {one.num_holdings - len(one.holdings):,} more"
    held = ", ".join(one.holdings) + (more if one.num_holdings > len(one.holdings) else "")
    lines = []
    for line in one.lines:
        hit = f" <span class=hit>held in {escape(split)}</span>" if line.is_hit else ""
        reason = f"{escape(line.reason)} ({line.share:.0%}), " if line.reason else ""
        reason += f"popularity ({line.popularity_share:.0%})"
        lines.append(f"<li>{escape(line.product)}{hit}<br><span class=small>{reason}</span></li>")
    return f"<h3>A user who holds {escape(held)}</h3><ol>{''.join(lines)}</ol>"


def _training(info: RunInfo) -> list[str]:
    history = [head for head in info["history"] if head]
    chosen, tried = chosen_and_tried(info)
    details = [html.table(["choice", "value"], chosen)]
    for name, trials in tried.items():
        columns = list(dict.fromkeys(column for trial in trials for column in trial))
        rows = [[plain(trial.get(column, "")) for column in columns] for trial in trials]
        details.append(f"<h3>{escape(name)}, on valid</h3>{html.table(columns, rows)}")
    config = [[key, str(value)] for key, value in info["config"].items()]
    return [
        "<h2>Training</h2>",
        html.figure(plots.curves(history), "Each line is one head.")
        if history
        else "<p>This run has no training curve.</p>",
        "<h2>What was chosen</h2>",
        html.bullets(choice_sentences(info)),
        f"<details><summary>All choices and trials</summary>{''.join(details)}</details>",
        f"<details><summary>Config</summary>{html.table(['option', 'value'], config)}</details>",
    ]
