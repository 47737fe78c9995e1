"""`kinfolio export`: the graph as a snapshot in columns."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from kinfolio.cli.options import (
    json_option,
    mapping_option,
    note,
    open_graph,
    print_json,
    run_option,
)


@click.command("export", epilog="Example:  kinfolio export --run runs/default")
@run_option
@mapping_option
@json_option
def command(run_folder: Path, as_json: bool) -> None:
    """Write the graph as a snapshot in columns into RUN/snapshot.

    A snapshot that is there is replaced when the new one is whole. What is held out, and what is
    dated after the last training interaction, is marked so that training leaves it alone.
    """
    from kinfolio.cli.progress import show_progress
    from kinfolio.loaders.export import export
    from kinfolio.records import NO_TIME
    from kinfolio.run import Run

    run = Run(run_folder)
    with open_graph() as graph, show_progress() as progress:
        snapshot = export(graph, run.snapshot, progress=progress)
    cut = None
    if snapshot.cut != NO_TIME:
        cut = datetime.fromtimestamp(snapshot.cut / 1_000, UTC).isoformat()
    if as_json:
        print_json(
            {
                "snapshot": str(run.snapshot),
                "users": snapshot.num_users,
                "products": snapshot.num_products,
                "interactions": len(snapshot.holdings.source),
                "ties": len(snapshot.ties.source),
                "reviews": len(snapshot.reviews.user),
                "held_out": int((snapshot.holdings.split != 0).sum()),
                "cut": cut,
                "hash": snapshot.hash,
            }
        )
        return
    click.echo(
        f"{run.snapshot}: {snapshot.num_users:,} users, {snapshot.num_products:,} products, "
        f"{len(snapshot.holdings.source):,} interactions, {len(snapshot.ties.source):,} ties, "
        f"{len(snapshot.reviews.user):,} reviews"
    )
    if cut:
        click.echo(f"training may use what is dated up to {cut}")
    note(f"next: kinfolio train --run {run_folder}")
