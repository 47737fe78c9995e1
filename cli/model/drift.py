"""`kinfolio drift`: how far the graph has moved since the training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress
from kinfolio.cli.table import print_paragraphs, print_table
from kinfolio.environment import deployment
from kinfolio.gnn.drift.config import DriftConfig

if TYPE_CHECKING:
    from kinfolio.gnn.drift.records import DriftReport, Measure, NewQuality


@click.command("drift", epilog="Example:  kinfolio drift --users 100")
@options.options_from(DriftConfig)
@options.mapping_option
@options.json_option
def command(as_json: bool, **settings: Any) -> None:
    """Compare users, products, texts and the quality of lists with those of the training.

    Each holding since then is a test of the list before it. The verdict is steady, moved or
    retrain. Nothing is written; numbers about fewer people than KINFOLIO_FEWEST_PEOPLE are
    withheld.
    """
    from kinfolio.gnn.drift.drift import drift

    config = DriftConfig(**settings)
    with options.open_graph() as graph, show_progress("reading the graph") as progress:
        report = drift(
            graph,
            options.text_cache(),
            config,
            min_people=deployment().min_people,
            progress=progress,
        )
    if as_json:
        print_json(report)
        return
    _print(report)


def _print(report: DriftReport) -> None:
    echo(f"version {report.version}, written {report.written[:16].replace('T', ' ')}: ", end="")
    echo(bold=report.verdict)
    print_table(
        ("measure", "value", "chance", "verdict", "about"),
        [
            (one.name.replace("_", " "), _value(one), _number(one.chance), one.verdict, one.detail)
            for one in report.measures
        ],
        right=("value", "chance"),
    )
    if report.quality is not None:
        print_paragraphs(_told(report.quality))
    for note in report.notes:
        print_message(note)


def _told(found: NewQuality) -> str:
    then = found.recall_at_training
    at_training = "" if then is None else f"{then:.3f} at the training, "
    return (
        f"New holdings in the lists before them: recall@20 {found.recall.value:.3f} "
        f"({found.recall.low:.3f} to {found.recall.high:.3f}), {at_training}"
        f"{found.popularity.value:.3f} by popularity; MRR {found.mrr.value:.3f} "
        f"({found.mrr.low:.3f} to {found.mrr.high:.3f}); {found.holdings:,} holdings of "
        f"{found.users:,} users: {found.verdict}"
    )


def _value(measure: Measure) -> str:
    if measure.value is None:
        return "withheld"
    return f"{measure.value:.1%}" if measure.kind == "share" else f"{measure.value:.3f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
