"""`kinfolio evaluate` and `kinfolio report`: quality of the rankings on held-out interactions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress
from kinfolio.cli.table import print_table

if TYPE_CHECKING:
    from kinfolio.gnn.evaluation.evaluate import Evaluation, Split
    from kinfolio.run import Run

_controls_option = click.option(
    "--controls",
    "has_controls",
    is_flag=True,
    help="Also evaluate the model without texts, without product ids and with shuffled texts: "
    "three trainings, saved in the run. Implies --baselines.",
)


@click.command(
    "evaluate", epilog="Example:  kinfolio evaluate --run runs/default --baselines --wide"
)
@options.run_option
@click.option(
    "--split",
    type=click.Choice(["test", "valid"]),
    default="test",
    show_default=True,
    help="Held-out interactions to evaluate on.",
)
@click.option(
    "--baselines",
    "has_baselines",
    is_flag=True,
    help="Also evaluate popularity, the means of ties and of texts, and EASE.",
)
@_controls_option
@click.option("--wide", is_flag=True, help="Print all metrics at 5, 10 and 20, in 100 columns.")
@options.json_option
def command(
    run_folder: Path,
    split: Split,
    has_baselines: bool,
    has_controls: bool,
    wide: bool,
    as_json: bool,
) -> None:
    """Evaluate the run's model on held-out interactions.

    All products except a user's training ones are ranked, separately for warm and new users and
    for seen and unseen products. The table has recall and NDCG at 20; `--wide` and `--json` have
    recall, NDCG, MRR, hit rate, coverage and novelty at 5, 10 and 20. "ahead by" is kinfolio's
    NDCG@20 minus the model's: a 95 % bootstrap interval over users, which `--json` has for recall
    too.
    """
    from kinfolio.run import Run

    evaluation = _evaluate(
        Run(run_folder), split=split, has_baselines=has_baselines, has_controls=has_controls
    )
    if as_json:
        print_json(_document(evaluation))
    elif wide:
        _print_wide(evaluation)
    else:
        _print_narrow(evaluation)


def _evaluate(run: Run, *, split: Split, has_baselines: bool, has_controls: bool) -> Evaluation:
    """Evaluate a run with progress and notes on stderr."""
    with show_progress("reading the run") as progress:
        from kinfolio.gnn.evaluation.evaluate import evaluate

        return evaluate(
            run,
            split=split,
            compare="ablations" if has_controls else "baselines" if has_baselines else "nothing",
            cache=options.text_cache(),
            warn=print_message,
            progress=progress,
        )


def _document(evaluation: Evaluation) -> dict[str, object]:
    return {
        "split": evaluation.split,
        "k": evaluation.k,
        "users": evaluation.users,
        "kinfolio": evaluation.kinfolio,
        "models": {
            model: {group: figures.values for group, figures in groups.items()}
            for model, groups in evaluation.models.items()
        },
        "ahead": {
            model: {
                group: {
                    measure: {"by": one.difference, "low": one.low, "high": one.high}
                    for measure, one in measures.items()
                }
                for group, measures in groups.items()
            }
            for model, groups in evaluation.differences.items()
        },
        "products_by_holders": {"bands": evaluation.bands, "models": evaluation.by_band},
    }


def _print_narrow(evaluation: Evaluation) -> None:
    recall, ndcg = f"recall@{evaluation.k}", f"ndcg@{evaluation.k}"
    columns = ["model", "group", "users", recall, ndcg]
    if evaluation.differences:
        columns.append("ahead by")
    rows = []
    for model, groups in evaluation.models.items():
        for group, one in groups.items():
            row = [model, group, f"{evaluation.users[group]:,}"]
            row += [f"{one.recall:.4f}", f"{one.ndcg:.4f}"]
            if model in evaluation.differences:
                interval = evaluation.differences[model][group][ndcg]
                row.append(f"{_signed(interval.low)}..{_signed(interval.high)}")
            elif evaluation.differences:
                row.append("")
            rows.append(row)
    print_table(columns, rows, right=columns[2:])
    if evaluation.differences:
        print_message(
            f"kinfolio here is {evaluation.kinfolio}; ahead by: kinfolio's {ndcg} minus the row's, "
            "95 % interval"
        )


def _signed(difference: float) -> str:
    """Return a number like `-.017`, short enough for a table of 80 columns."""
    return f"{difference:+.3f}".replace("0.", ".", 1)


def _print_wide(evaluation: Evaluation) -> None:
    from kinfolio.gnn.evaluation.metrics import CUTS, MEASURES

    columns = ["model", "group", "k", *MEASURES]
    print_table(
        columns,
        [
            [model, group, str(k), *(f"{one.values[f'{name}@{k}']:.4f}" for name in MEASURES)]
            for model, groups in evaluation.models.items()
            for group, one in groups.items()
            for k in CUTS
        ],
        right=columns[2:],
    )


@click.command("report", epilog="Example:  kinfolio report --run runs/default")
@options.run_option
@click.option(
    "--split",
    type=click.Choice(["test", "valid"]),
    help="Split of the interactions to evaluate on.  [default: test, or valid if test is empty]",
)
@_controls_option
@options.json_option
def report_command(
    run_folder: Path, split: Split | None, has_controls: bool, as_json: bool
) -> None:
    """Write an HTML report, report.html, and a model card, model_card.md, into the run.

    The report is one self-contained file: metrics by group with intervals, training curves, rare
    and popular products, and, if the controls were trained, whether texts help.
    """
    from kinfolio.run import Run

    run = Run(run_folder)
    if split is None:
        from kinfolio.gnn.evaluation.evaluate import default_split

        split = default_split(run)
    evaluation = _evaluate(run, split=split, has_baselines=True, has_controls=has_controls)
    from kinfolio.gnn.reporting.report import report

    written = report(run, evaluation)
    if as_json:
        print_json({"page": str(written.page), "card": str(written.card)})
    else:
        echo(str(written.page), str(written.card))
