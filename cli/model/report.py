"""`kinfolio report`: a page with tables and plots about a run, and a model card."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli.model.evaluate import controls_option, measured, split_option
from kinfolio.cli.options import json_option, print_json, run_option


@click.command("report", epilog="Example:  kinfolio report --run runs/default")
@run_option
@split_option
@controls_option
@json_option
def command(run_folder: Path, split: str, has_controls: bool, as_json: bool) -> None:
    """Write a page about the run, report.html, and a model card, model_card.md.

    The page is one file that loads nothing: figures by group with intervals, training curves,
    rare and popular products, and whether texts help, if the controls were trained.
    """
    from kinfolio.gnn.evaluation.report import report
    from kinfolio.run import Run

    run = Run(run_folder)
    found = measured(run, split=split, has_baselines=True, has_controls=has_controls)
    written = report(run, found)
    if as_json:
        print_json({"page": str(written.page), "card": str(written.card)})
        return
    click.echo(f"{written.page}\n{written.card}")
