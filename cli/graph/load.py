"""`kinfolio load`: a folder of files into the graph, or a look at what it holds."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli.options import (
    given_connection,
    home,
    json_option,
    no_mapping_option,
    note,
    open_graph,
    print_json,
)
from kinfolio.errors import BadInput, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinfolio.loaders.reports import LoadReport, Removed
    from kinfolio.records import Progress

_SHOWN_REJECTS = 5


@click.command("load", epilog="Example:  kinfolio load examples/community")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Look only: say what the files hold, write nothing.")
@click.option("--replace", is_flag=True, help="Also take out what the files no longer have.")
@click.option("--yes", is_flag=True, help="Do not ask before taking out.")
@click.option("--bulk", is_flag=True, help="Fill kinfolio's own empty server, offline and fast.")
@click.option(
    "--rejects",
    "rejects_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rows that cannot be loaded are listed.  [default: in kinfolio's home]",
)
@no_mapping_option
@json_option
def command(
    folder: Path,
    check: bool,
    replace: bool,
    yes: bool,
    bulk: bool,
    rejects_file: Path | None,
    as_json: bool,
) -> None:
    """Read a folder of files into the graph.

    FOLDER holds interactions and, if you have them, users, products, ties and reviews, each as
    .tsv, .csv, .jsonl or .parquet, with or without .gz. All files are checked before anything is
    written. Loading again changes nothing, and goes on where a load was cut off.
    """
    if check + replace + bulk > 1:
        raise click.UsageError("--check, --replace and --bulk do not go together; give one of them")
    if yes and not replace:
        raise click.UsageError("--yes goes with --replace only; leave it out")
    from kinfolio.loaders.writing.load import check_folder

    check_folder(folder)
    if check:
        _check(folder, as_json)
        return
    rejects_file = rejects_file or home() / "rejects" / f"{folder.absolute().name}.tsv"
    try:
        report = _load(folder, rejects_file, replace, yes, bulk)
    except KeyboardInterrupt:
        flag = " --replace" if replace else " --bulk" if bulk else ""
        note(f"\nstopped; to go on, type the same again: kinfolio load{flag} {folder}")
        raise click.exceptions.Exit(130) from None
    if as_json:
        print_json(_answer(report))
    else:
        _print(report)
    if report.rejected:
        note(_rejects(report))


def _load(folder: Path, rejects_file: Path, replace: bool, yes: bool, bulk: bool) -> LoadReport:
    from kinfolio.cli.progress import show_progress
    from kinfolio.loaders.writing.load import load

    if bulk:
        with show_progress() as progress:
            return _bulk(folder, rejects_file, progress)
    with open_graph() as graph:
        ask = None
        if replace:

            def ask(removed: Removed) -> None:
                _ask(removed, folder, yes)

            # A question and a moving bar do not share a line.
            return load(graph, folder, rejects_file=rejects_file, replace=ask)
        with show_progress() as progress:
            return load(graph, folder, progress=progress, rejects_file=rejects_file)


def _bulk(folder: Path, rejects_file: Path, progress: Progress) -> LoadReport:
    from kinfolio.cypher.server.server import Server
    from kinfolio.loaders.writing.bulk import load_in_bulk

    given = given_connection()
    if given is not None:
        raise ServerError(
            f"--bulk fills kinfolio's own server, and NEO4J_URI names {given.uri}; "
            "leave --bulk out, or unset NEO4J_URI"
        )
    return load_in_bulk(
        folder, Server(home()), progress=progress, note=note, rejects_file=rejects_file
    )


def _ask(removed: Removed, folder: Path, yes: bool) -> None:
    counts = {name: count for name, count in asdict(removed).items() if count}
    if not counts:
        return
    what = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    note(f"{what} are in the graph and no longer in {folder}")
    if yes:
        return
    again = f"to take them out, type: kinfolio load --replace --yes {folder}"
    if not sys.stdin.isatty():
        raise BadInput(f"{what} would be taken out and nobody can be asked; {again}")
    if not click.confirm("Take them out of the graph for good?", err=True):
        raise BadInput(f"nothing was changed; {again}")


def _check(folder: Path, as_json: bool) -> None:
    from kinfolio.cli.graph.folder_report import lines
    from kinfolio.cli.progress import show_progress
    from kinfolio.loaders.reading.quality import look_at
    from kinfolio.loaders.writing.load import known_users

    def known(ids: list[str]) -> Iterable[str]:
        with open_graph() as graph:
            return known_users(graph, ids)

    with show_progress() as progress:
        found = look_at(folder, known_users=known, progress=progress)
    if as_json:
        print_json(found)
        return
    for line in lines(found):
        click.echo(line)
    note(f"nothing was written; next: kinfolio load {folder}")


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
        "removed": None if report.removed is None else asdict(report.removed),
        "seconds": report.seconds,
    }


def _print(report: LoadReport) -> None:
    click.echo(
        f"loaded {report.users:,} users, {report.products:,} products, "
        f"{report.interactions:,} interactions, {report.ties:,} ties, {report.reviews:,} reviews "
        f"in {report.seconds:.1f} s"
    )
    if report.removed is not None:
        counts = {name: count for name, count in asdict(report.removed).items() if count}
        taken = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        click.echo(f"took out {taken or 'nothing'}")
    note("next: kinfolio export")


def _rejects(report: LoadReport) -> str:
    lines = [f"{len(report.rejected):,} rows were rejected:"]
    lines += [f"  {row.file}:{row.line}: {row.reason}" for row in report.rejected[:_SHOWN_REJECTS]]
    more = len(report.rejected) - _SHOWN_REJECTS
    lines.append(
        f"  {f'and {more:,} more, ' if more > 0 else ''}all listed in {report.rejects_file}"
    )
    return "\n".join(lines)
