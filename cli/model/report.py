"""`kinfolio report`: an HTML report and a model card of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.model.evaluate import controls_option, evaluate_run

if TYPE_CHECKING:
    from kinfolio.gnn.evaluation.evaluate import Split


@click.command("report", epilog="Example:  kinfolio report --run runs/default")
@options.run_option
@click.option(
    "--split",
    type=click.Choice(["test", "valid"]),
    help="Split of the interactions to evaluate on.  [default: test, or valid if test is empty]",
)
@controls_option
@options.json_option
def command(run_folder: Path, split: Split | None, has_controls: bool, as_json: bool) -> None:
    """Write an HTML report, report.html, and a model card, model_card.md, into the run.

    The report is one self-contained file: metrics by group with intervals, training curves, rare
    and popular products, and, if the controls were trained, whether texts help.
    """
    from kinfolio.run import Run

    run = Run(run_folder)
    if split is None:
        from kinfolio.gnn.evaluation.evaluate import default_split

        split = default_split(run)
    evaluation = evaluate_run(run, split=split, has_baselines=True, has_controls=has_controls)
    from kinfolio.gnn.reporting.report import report

    written = report(run, evaluation)
    if as_json:
        options.print_json({"page": str(written.page), "card": str(written.card)})
    else:
        click.echo(f"{written.page}\n{written.card}")
