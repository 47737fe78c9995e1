"""`kinfolio writeback`: the embeddings of a run as a new version in the graph."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from kinfolio.cli import options
from kinfolio.cli.progress import show_progress, spinner


@click.command("writeback", epilog="Example:  kinfolio writeback --run runs/default --name spring")
@options.run_option
@click.option("--name", help="Name of the version.  [default: from the current time]")
@options.mapping_option
@options.json_option
def command(run_folder: Path, name: str | None, as_json: bool) -> None:
    """Write the embeddings of a trained run to the graph and activate them.

    The inactive slot is filled. The old version remains active until the new one is written,
    indexed and checked; `kinfolio versions rollback` activates it again.
    """
    from kinfolio.run import Run

    with spinner("reading the model"):
        from kinfolio.gnn.publishing.write_back import write_back
        from kinfolio.gnn.training.train import read_servable

        embeddings = read_servable(Run(run_folder))
    with (
        options.open_graph() as graph,
        show_progress("comparing the graph with the run") as progress,
    ):
        stored = write_back(graph, embeddings, name=name, progress=progress)
    if as_json:
        answer = asdict(stored)
        answer["index_recall@10"] = answer.pop("index_recall_at_10")
        answer["seconds"] = answer.pop("seconds")
        options.print_json(answer)
        return
    recall = "-" if stored.index_recall_at_10 is None else f"{stored.index_recall_at_10:.3f}"
    click.echo(
        f"version {stored.version} serves from slot {stored.slot}: {stored.users:,} users and "
        f"{stored.products:,} products in {stored.seconds:.1f} s; index recall@10 {recall}"
    )
