"""`kinfolio evaluate`: how good the rankings are on held-out interactions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli.options import home, json_option, note, print_json, run_option

if TYPE_CHECKING:
    from kinfolio.gnn.evaluation.evaluate import Evaluation
    from kinfolio.run import Run

split_option = click.option(
    "--split",
    type=click.Choice(["test", "valid"]),
    default="test",
    show_default=True,
    help="Part of the interactions to measure on.",
)
controls_option = click.option(
    "--controls",
    "has_controls",
    is_flag=True,
    help="Measure the model without texts, without the graph's ids and with shuffled texts too: "
    "three trainings, kept in the run. Implies --baselines.",
)


@click.command(
    "evaluate", epilog="Example:  kinfolio evaluate --run runs/default --baselines --wide"
)
@run_option
@split_option
@click.option(
    "--baselines",
    "has_baselines",
    is_flag=True,
    help="Measure popularity, means of ties and of texts, and EASE too.",
)
@controls_option
@click.option("--wide", is_flag=True, help="Show every measure, at 5, 10 and 20, in 100 columns.")
@json_option
def command(
    run_folder: Path,
    split: str,
    has_baselines: bool,
    has_controls: bool,
    wide: bool,
    as_json: bool,
) -> None:
    """Measure the run's model on held-out interactions.

    All products but a user's training ones are ranked, for warm and new users and for seen and
    unseen products apart. The table shows recall and NDCG at 20; `--wide` and `--json` have recall,
    NDCG, MRR, hit rate, coverage and novelty at 5, 10 and 20. "ahead by" is kinfolio's NDCG@20 less
    the model's: a 95 % interval by drawing users anew, which `--json` has for recall too.
    """
    from kinfolio.run import Run

    found = measured(
        Run(run_folder), split=split, has_baselines=has_baselines, has_controls=has_controls
    )
    if as_json:
        print_json(_document(found))
    elif wide:
        _print_wide(found)
    else:
        _print_narrow(found)


def measured(run: Run, *, split: str, has_baselines: bool, has_controls: bool) -> Evaluation:
    """The evaluation of a run, with progress and notes on the terminal."""
    from kinfolio.cli.progress import show_progress
    from kinfolio.gnn.evaluation.evaluate import evaluate

    with show_progress() as progress:
        return evaluate(
            run,
            split=split,
            has_baselines=has_baselines,
            has_controls=has_controls,
            cache=home() / "cache" / "texts.sqlite",
            note=note,
            progress=progress,
        )


def _document(found: Evaluation) -> dict[str, object]:
    return {
        "split": found.split,
        "k": found.k,
        "users": found.users,
        "kinfolio": found.kinfolio,
        "models": {
            model: {group: figures.values for group, figures in groups.items()}
            for model, groups in found.models.items()
        },
        "ahead": {
            model: {
                group: {
                    measure: {"by": one.difference, "low": one.low, "high": one.high}
                    for measure, one in measures.items()
                }
                for group, measures in groups.items()
            }
            for model, groups in found.differences.items()
        },
        "products_by_holders": {"bands": found.bands, "models": found.by_band},
    }


def _print_narrow(found: Evaluation) -> None:
    from kinfolio.cli.table import print_table

    recall, ndcg = f"recall@{found.k}", f"ndcg@{found.k}"
    columns = ["model", "group", "users", recall, ndcg]
    rows = []
    for model, groups in found.models.items():
        for group, one in groups.items():
            ahead = ""
            if model in found.differences:
                interval = found.differences[model][group][ndcg]
                ahead = f"{_short(interval.low)}..{_short(interval.high)}"
            users = f"{found.users[group]:,}"
            rows.append([model, group, users, f"{one.recall:.4f}", f"{one.ndcg:.4f}", ahead])
    if found.differences:
        columns.append("ahead by")
    else:
        rows = [row[:-1] for row in rows]
    print_table(columns, rows, right=columns[2:])
    if found.differences:
        note(f"kinfolio here is {found.kinfolio}; ahead by: its {ndcg} less the model's, 95 %")


def _short(difference: float) -> str:
    """Such as `-.017`: with it, the table keeps to 80 columns."""
    return f"{difference:+.3f}".replace("0.", ".", 1)


def _print_wide(found: Evaluation) -> None:
    from kinfolio.cli.table import print_table
    from kinfolio.gnn.evaluation.metrics import CUTS, MEASURES

    columns = ["model", "group", "k", *MEASURES]
    print_table(
        columns,
        [
            [model, group, str(k), *(f"{one.values[f'{name}@{k}']:.4f}" for name in MEASURES)]
            for model, groups in found.models.items()
            for group, one in groups.items()
            for k in CUTS
        ],
        right=columns[2:],
    )
