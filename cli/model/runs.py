"""`kinfolio runs`: trained runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import print_json, print_message
from kinfolio.cli.table import print_table

if TYPE_CHECKING:
    from kinfolio.storage.run_info import RunInfo


@click.command("runs", epilog="Example:  kinfolio runs")
@click.argument("folders", nargs=-1, type=options.FOLDER)
@click.option(
    "--tensorboard",
    type=options.FOLDER,
    help="Also write the training curves into this folder, for TensorBoard.",
)
@options.json_option
def command(folders: tuple[Path, ...], tensorboard: Path | None, as_json: bool) -> None:
    """Compare the runs in FOLDERS (default: those in `runs/`), best validation recall first.

    Metrics on different snapshots are not comparable: see the column "snapshot".
    """
    from kinfolio.errors import NotReady, RunBroken
    from kinfolio.run import Run

    if tensorboard:
        from kinfolio.gnn.reporting.tensorboard import write_curves
    rows: list[dict[str, Any]] = []
    for folder in folders or sorted(path for path in Path("runs").glob("*") if path.is_dir()):
        try:
            rows.append(_row(folder, Run(folder).need_info()))
        except (NotReady, RunBroken) as error:
            print_message(f"{folder} is skipped: {error}")
            continue
        if tensorboard:
            write_curves(Run(folder), tensorboard)
    rows.sort(key=lambda row: -row["recall@20"])
    if as_json:
        print_json({"runs": rows})
    elif rows:
        _print(rows)
    else:
        print_message("no trained run here; type: kinfolio train --run runs/default")


def _row(folder: Path, info: RunInfo) -> dict[str, Any]:
    from kinfolio.gnn.evaluation.ablations import FUSION, name_of

    return {
        "run": str(folder),
        "snapshot": info["data"]["snapshot"],
        "dim": info["choice"]["dim"],
        "tau": info["tau"],
        "text": name_of(info) == FUSION,
        "links": info["blend"]["recipe"] and info["blend"]["recipe"]["form"],
        **info["metrics"]["valid"],
        "cpu_seconds": info["budget"]["spent"],
        "config": info["config"],
    }


def _print(rows: list[dict[str, Any]]) -> None:
    print_table(
        ("run", "snapshot", "dim", "tau", "text", "links", "recall@20", "ndcg@20", "CPU s"),
        [
            (
                *(row["run"], row["snapshot"][:6], str(row["dim"]), f"{row['tau']:g}"),
                *("yes" if row["text"] else "no", row["links"] or "no"),
                *(f"{row['recall@20']:.4f}", f"{row['ndcg@20']:.4f}"),
                f"{row['cpu_seconds']:.0f}",
            )
            for row in rows
        ],
        right=("dim", "tau", "recall@20", "ndcg@20", "CPU s"),
    )
