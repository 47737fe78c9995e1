"""`kinfolio load`: a folder of files into the graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli.options import home, json_option, no_mapping_option, note, open_graph, print_json

if TYPE_CHECKING:
    from kinfolio.records import LoadReport

_SHOWN_REJECTS = 5


@click.command("load", epilog="Example:  kinfolio load examples/community")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--bulk", is_flag=True, help="Not there yet: load into an empty database offline.")
@click.option(
    "--rejects",
    "rejects_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rows that cannot be loaded are listed.  [default: in kinfolio's home]",
)
@no_mapping_option
@json_option
def command(folder: Path, bulk: bool, rejects_file: Path | None, as_json: bool) -> None:
    """Read a folder of files into the graph.

    FOLDER holds interactions and, if you have them, users, products, ties and reviews, each as
    .tsv, .csv, .jsonl or .parquet, with or without .gz. All files are checked before anything is
    written. Loading again changes nothing, and goes on where a load was cut off.
    """
    if bulk:
        raise click.UsageError("--bulk is not there yet; leave it out")
    from kinfolio.cli.progress import show_progress
    from kinfolio.loaders.load import check_folder, load

    check_folder(folder)
    rejects_file = rejects_file or home() / "rejects" / f"{folder.absolute().name}.tsv"
    try:
        with open_graph() as graph, show_progress() as progress:
            report = load(folder, graph, progress=progress, rejects_file=rejects_file)
    except KeyboardInterrupt:
        note(f"\nstopped; to go on, type the same again: kinfolio load {folder}")
        raise click.exceptions.Exit(130) from None
    if as_json:
        print_json(_answer(report))
    else:
        _print(report)
    if report.rejected:
        note(_rejects(report))


def _answer(report: LoadReport) -> dict[str, object]:
    return {
        "users": report.users,
        "products": report.products,
        "interactions": report.interactions,
        "ties": report.ties,
        "reviews": report.reviews,
        "rejected": [
            {"file": row.file, "line": row.line, "reason": row.reason} for row in report.rejected
        ],
        "rejects_file": report.rejects_file,
        "seconds": report.seconds,
    }


def _print(report: LoadReport) -> None:
    click.echo(
        f"loaded {report.users:,} users, {report.products:,} products, "
        f"{report.interactions:,} interactions, {report.ties:,} ties, {report.reviews:,} reviews "
        f"in {report.seconds:.1f} s"
    )
    note("next: kinfolio export")


def _rejects(report: LoadReport) -> str:
    lines = [f"{len(report.rejected):,} rows were rejected:"]
    lines += [f"  {row.file}:{row.line}: {row.reason}" for row in report.rejected[:_SHOWN_REJECTS]]
    more = len(report.rejected) - _SHOWN_REJECTS
    lines.append(
        f"  {f'and {more:,} more, ' if more > 0 else ''}all listed in {report.rejects_file}"
    )
    return "\n".join(lines)
