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

_OF_THIS_RUN = "-"


@click.command("export", epilog="Example:  kinfolio export --run runs/default")
@run_option
@click.option(
    "--since",
    is_flag=False,
    flag_value=_OF_THIS_RUN,
    metavar="[RUN]",
    help="Read only what changed after the snapshot in RUN (this run's, where none is named).",
)
@click.option(
    "--subgraph",
    metavar="CYPHER",
    help="Take the users that a reading statement returns, and what they hold.",
)
@click.option("--around", metavar="USER", help="Take the users near one, and what they hold.")
@click.option(
    "--hops",
    type=click.IntRange(0),
    help="How near: over ties, and over products that both hold.  [default: 1]",
)
@mapping_option
@json_option
def command(
    run_folder: Path,
    since: str | None,
    subgraph: str | None,
    around: str | None,
    hops: int | None,
    as_json: bool,
) -> None:
    """Write the graph as a snapshot in columns into RUN/snapshot.

    A snapshot that is there is replaced when the new one is whole. What is held out, and what is
    dated after the last training interaction, is marked so that training leaves it alone.
    """
    from kinfolio.cli.progress import show_progress
    from kinfolio.errors import BadConfig
    from kinfolio.loaders.exporting.export import export_to
    from kinfolio.run import Run

    if hops is not None and around is None:
        raise BadConfig("--hops counts from a user; say which one with --around USER")
    run = Run(run_folder)
    older = None
    if since is not None:
        older = (run if since == _OF_THIS_RUN else Run(Path(since))).snapshot
    with open_graph() as graph, show_progress() as progress:
        found = export_to(
            graph,
            run.snapshot,
            progress=progress,
            since=older,
            subgraph=subgraph,
            around=around,
            hops=1 if hops is None else hops,
        )
    cut = None
    if found.cut is not None:
        cut = datetime.fromtimestamp(found.cut / 1_000, UTC).isoformat()
    counts = found.counts
    if as_json:
        print_json(
            {
                "snapshot": str(run.snapshot),
                "users": counts["users"],
                "products": counts["products"],
                "interactions": counts["holdings"],
                "ties": counts["ties"],
                "reviews": counts["reviews"],
                "held_out": found.held_out,
                "cut": cut,
                "hash": found.hash,
                "consistency": found.consistency,
                "how": found.how,
                "notes": found.notes,
                "seconds": found.seconds,
            }
        )
        return
    for sentence in found.notes:
        note(sentence)
    click.echo(
        f"{run.snapshot}: {counts['users']:,} users, {counts['products']:,} products, "
        f"{counts['holdings']:,} interactions, {counts['ties']:,} ties, "
        f"{counts['reviews']:,} reviews"
    )
    if cut:
        click.echo(f"training may use what is dated up to {cut}")
    if found.consistency == "moving":
        note(
            "others wrote to the graph all the time, so parts of the snapshot may be of different "
            "moments; export again when it is quiet"
        )
    note(f"next: kinfolio train --run {run_folder}")
