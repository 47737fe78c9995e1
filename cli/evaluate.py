"""`kinfolio evaluate`: how good the rankings are on held-out interactions."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli.options import json_option, note, print_json, run_option


@click.command("evaluate", epilog="Example:  kinfolio evaluate --run runs/default --baselines")
@run_option
@click.option(
    "--split",
    type=click.Choice(["test", "valid"]),
    default="test",
    show_default=True,
    help="Part of the interactions to measure on.",
)
@click.option("--baselines", "has_baselines", is_flag=True, help="Measure popularity and EASE too.")
@json_option
def command(run_folder: Path, split: str, has_baselines: bool, as_json: bool) -> None:
    """Measure the run's model on held-out interactions.

    Recall and NDCG at 20, all products but a user's training ones ranked, for warm and new users
    and for seen and unseen products apart.
    """
    from kinfolio.cli.table import print_table
    from kinfolio.gnn.evaluate import evaluate
    from kinfolio.run import Run

    found = evaluate(Run(run_folder), split=split, has_baselines=has_baselines, note=note)
    recall, ndcg = f"recall@{found.k}", f"ndcg@{found.k}"
    if as_json:
        models = {
            model: {
                group: {recall: figures.recall, ndcg: figures.ndcg}
                for group, figures in groups.items()
            }
            for model, groups in found.models.items()
        }
        print_json({"split": found.split, "k": found.k, "users": found.users, "models": models})
        return
    print_table(
        ["model", "group", "users", recall, ndcg],
        [
            [model, group, f"{found.users[group]:,}", f"{one.recall:.4f}", f"{one.ndcg:.4f}"]
            for model, groups in found.models.items()
            for group, one in groups.items()
        ],
        right=["users", recall, ndcg],
    )
