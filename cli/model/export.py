"""`kinfolio export`: the graph as a snapshot."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress
from kinfolio.errors import shell_command

if TYPE_CHECKING:
    from kinfolio.records import Exported

_THIS_RUN = "-"


@click.command("export", epilog="Example:  kinfolio export --run runs/default")
@options.run_option
@click.option(
    "--since",
    is_flag=False,
    flag_value=_THIS_RUN,
    metavar="[RUN]",
    help="Read only changes after the snapshot of RUN (default: of this run).",
)
@click.option(
    "--subgraph",
    metavar="CYPHER",
    help="Export the users that a reading statement returns, and their holdings.",
)
@click.option(
    "--around",
    callback=options.normal_id,
    metavar="USER",
    help="Export the users near USER and their holdings.",
)
@click.option(
    "--hops",
    type=click.IntRange(0),
    help="Distance from USER over ties and over products held by both.  [default: 1]",
)
@options.mapping_option
@options.json_option
def command(
    run_folder: Path,
    since: str | None,
    subgraph: str | None,
    around: str | None,
    hops: int | None,
    as_json: bool,
) -> None:
    """Export the graph to a snapshot in RUN/snapshot.

    The new snapshot replaces an older one when it is complete. Held-out interactions and data dated
    after the last training interaction are marked: training does not use them.
    """
    from kinfolio.errors import BadConfig
    from kinfolio.loaders.exporting.export import export_to
    from kinfolio.run import Run

    if hops is not None and around is None:
        raise BadConfig("--hops is the distance from a user; name the user with --around USER")
    run = Run(run_folder)
    older = None if since is None else Run(run_folder if since == _THIS_RUN else Path(since))
    with (
        options.open_graph() as graph,
        show_progress("counting nodes and relationships") as progress,
    ):
        exported = export_to(
            graph,
            run.snapshot,
            progress=progress,
            since=older.snapshot if older else None,
            subgraph=subgraph,
            around=around,
            hops=1 if hops is None else hops,
        )
    if as_json:
        print_json(_document(run.snapshot, exported))
    else:
        _print(run.snapshot, exported)
        print_message(f"next: {shell_command('train', '--run', run_folder)}")


def _cut(exported: Exported) -> str | None:
    """Return the time of the last training interaction in ISO 8601."""
    if exported.cut is None:
        return None
    return datetime.fromtimestamp(exported.cut / 1_000, UTC).isoformat()


def _document(snapshot: Path, exported: Exported) -> dict[str, object]:
    document = asdict(exported) | {"cut": _cut(exported)}
    counts = document.pop("counts")
    counts["interactions"] = counts.pop("holdings")
    return {"snapshot": str(snapshot), **counts, **document}


def _print(snapshot: Path, exported: Exported) -> None:
    for sentence in exported.notes:
        print_message(sentence)
    counts = exported.counts
    echo(
        f"{snapshot}: {counts['users']:,} users, {counts['products']:,} products, "
        f"{counts['holdings']:,} interactions, {counts['ties']:,} ties, "
        f"{counts['reviews']:,} reviews"
    )
    if cut := _cut(exported):
        echo(f"training uses interactions up to {cut}")
    if exported.consistency == "moving":
        print_message(
            "the graph changed during the export, so parts of the snapshot may be of different "
            "times; export again when nothing writes to the graph"
        )
