"""`kinfolio load`: a folder of files into the graph."""

from __future__ import annotations

import dataclasses
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import confirm, echo, print_json, print_message
from kinfolio.cli.progress import show_progress
from kinfolio.environment import configured_connection, home
from kinfolio.errors import BadInput, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kinfolio.loaders.reading.meaning import Meaning
    from kinfolio.loaders.reports import LoadReport, Removed
    from kinfolio.loaders.writing.nodes import NodeTable

_MAX_REJECTS = 5


@click.command("load", epilog="Example:  kinfolio load my-data")
@click.argument("folder", type=options.PATH)
@click.option("--check", is_flag=True, help="Report the content of the files; write nothing.")
@click.option("--replace", is_flag=True, help="Also remove data that is no longer in the files.")
@click.option("--yes", is_flag=True, help="With --replace: do not ask for confirmation.")
@click.option("--bulk", is_flag=True, help="Import offline into kinfolio's own, empty server.")
@click.option(
    "--split",
    metavar="METHOD:FRACTION",
    help="Assign valid and test splits where there are none: time:0.1 (latest) or random:0.1.",
)
@click.option(
    "--least-rating",
    type=float,
    metavar="X",
    help="Interactions with a rating below X, or none, count as dismissed, not as held.",
)
@click.option(
    "--event-weights",
    metavar="KIND=WEIGHT,...",
    help="Weights of kinds of events; a product is held where those of its events add up to 1.  "
    "[default: held=1,opened=0,shown=0]",
)
@click.option(
    "--rejects",
    "rejects_file",
    type=options.FILE,
    help="File for rejected rows.  [default: in kinfolio's home]",
)
@options.no_mapping_option
@options.json_option
def command(folder: Path, as_json: bool, **values: Any) -> None:
    """Load a folder of files into the graph.

    FOLDER contains interactions or events, and optionally users, products, ties and reviews, each
    as .tsv, .csv, .jsonl or .parquet, with or without .gz. All files are checked before anything is
    written.
    Loading the same files again changes nothing and resumes an interrupted load.
    """
    from kinfolio.loaders.writing.load import check_folder

    arguments = _Arguments(**values)  # Any: parsed by click
    meaning = arguments.meaning()
    check_folder(folder)
    if arguments.check:
        _check(folder, arguments, meaning, as_json)
        return
    report = _load(folder, arguments, meaning)
    if as_json:
        print_json(report)
    else:
        _print(report)
    for line in (*report.notes, *_rejects(report)):
        print_message(line)
    if not as_json:
        print_message("next: kinfolio export")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arguments:
    check: bool
    replace: bool
    yes: bool
    bulk: bool
    split: str | None
    least_rating: float | None
    event_weights: str | None
    rejects_file: Path | None

    def __post_init__(self) -> None:
        if self.check + self.replace + self.bulk > 1:
            raise click.UsageError(
                "--check, --replace and --bulk exclude each other; give one of them"
            )
        if self.yes and not self.replace:
            raise click.UsageError("--yes requires --replace")
        if self.check and self.split:
            raise click.UsageError("--check and --split exclude each other; give one of them")

    def meaning(self) -> Meaning:
        """Return how the rows are understood."""
        from kinfolio.loaders.reading.meaning import meaning_of, parse_weights

        weights = parse_weights(self.event_weights) if self.event_weights else {}
        return meaning_of(self.split or None, self.least_rating, weights)


def _load(folder: Path, arguments: _Arguments, meaning: Meaning) -> LoadReport:
    from kinfolio.loaders.writing.load import default_rejects

    rejects_file = arguments.rejects_file or default_rejects(folder)
    try:
        if arguments.bulk:
            return _load_in_bulk(folder, rejects_file, arguments, meaning)
        return _load_into_graph(folder, rejects_file, arguments, meaning)
    except KeyboardInterrupt:
        print_message(f"\nstopped; to resume, type: {_command(folder, arguments, meaning)}")
        raise click.exceptions.Exit(130) from None


def _load_into_graph(
    folder: Path, rejects_file: Path, arguments: _Arguments, meaning: Meaning
) -> LoadReport:
    from kinfolio.gnn.new_products.adding import add_new_products
    from kinfolio.loaders.writing.load import load

    with options.open_graph() as graph, ExitStack() as display:
        progress = display.enter_context(show_progress("reading the files"))

        def confirm(removed: Removed, users: Sequence[str]) -> None:
            from kinfolio.llm_explain.memory.threads import forget_users

            nonlocal progress
            display.close()  # a prompt and a moving bar cannot share the terminal
            _confirm(removed, folder, arguments, meaning)
            # First: after an interruption the users are still there, to be removed again.
            forget_users(graph, users, home())
            progress = display.enter_context(show_progress("writing"))

        report = load(
            graph,
            folder,
            progress=lambda step, done, total: progress(step, done, total),
            rejects_file=rejects_file,
            replace=confirm if arguments.replace else None,
            meaning=meaning,
        )
        lines: list[str] = []
        add_new_products(graph, options.text_cache(), note=lines.append, progress=progress)
        return dataclasses.replace(report, notes=(*report.notes, *lines))


def _command(folder: Path, arguments: _Arguments, meaning: Meaning, *flags: str) -> str:
    """Return the command of this load, to type it again."""
    from kinfolio.loaders.writing.load import load_command

    return load_command(
        folder,
        arguments.rejects_file,
        is_replacing=arguments.replace,
        is_bulk=arguments.bulk,
        meaning=meaning,
        flags=flags,
    )


def _load_in_bulk(
    folder: Path, rejects_file: Path, arguments: _Arguments, meaning: Meaning
) -> LoadReport:
    from kinfolio.cypher.server.server import Server
    from kinfolio.loaders.writing.bulk import load_in_bulk

    external = configured_connection()
    if external is not None:
        raise ServerError(
            f"--bulk loads into kinfolio's own server, and NEO4J_URI names {external.uri}; "
            "omit --bulk, or unset NEO4J_URI"
        )
    with show_progress("reading the files") as progress:
        return load_in_bulk(
            folder,
            Server(home()),
            progress=progress,
            note=print_message,
            rejects_file=rejects_file,
            meaning=meaning,
        )


def _confirm(removed: Removed, folder: Path, arguments: _Arguments, meaning: Meaning) -> None:
    counts = _counts(removed)
    if not counts:
        return
    print_message(f"{counts} are in the graph and no longer in {folder}")
    if arguments.yes:
        return
    again = f"to remove them, type: {_command(folder, arguments, meaning, '--yes')}"
    if not sys.stdin.isatty():
        raise BadInput(f"{counts} would be removed, which needs a confirmation; {again}")
    if not confirm("Remove them from the graph permanently?"):
        raise BadInput(f"nothing was changed; {again}")


def _counts(removed: Removed) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in asdict(removed).items() if count)


def _check(folder: Path, arguments: _Arguments, meaning: Meaning, as_json: bool) -> None:
    from kinfolio.cli.graph.folder_report import lines
    from kinfolio.loaders.reading.quality import check_quality
    from kinfolio.loaders.writing.load import known_ids

    def read_known(kind: NodeTable, ids: list[str]) -> Iterable[str]:
        with options.open_graph() as graph:
            return known_ids(graph, kind, ids)

    with show_progress("reading the files") as progress:
        report = check_quality(
            folder,
            known_users=partial(read_known, "users"),
            known_products=partial(read_known, "products"),
            progress=progress,
            meaning=meaning,
        )
    if as_json:
        print_json(report)
        return
    echo(*lines(report))
    for line in report.notes:
        print_message(line)
    print_message(f"nothing was written; next: {_command(folder, arguments, meaning)}")


def _print(report: LoadReport) -> None:
    dismissals = f"{report.dismissals:,} dismissals, " if report.dismissals else ""
    by_events = ""
    if report.held_by_events or report.dismissed_by_events:
        by_events = (
            f"{report.held_by_events:,} holdings and {report.dismissed_by_events:,} dismissals by "
            "events, "
        )
    echo(
        f"loaded {report.users:,} users, {report.products:,} products, "
        f"{report.interactions:,} interactions, {dismissals}{by_events}{report.ties:,} ties, "
        f"{report.reviews:,} reviews in {report.seconds:.1f} s"
    )
    if report.removed is not None:
        echo(f"removed {_counts(report.removed) or 'nothing'}")


def _rejects(report: LoadReport) -> Iterator[str]:
    if report.rejected:
        yield f"{len(report.rejected):,} rows were rejected:"
        for row in report.rejected[:_MAX_REJECTS]:
            yield f"  {row.file}:{row.line}: {row.reason}"
        more = len(report.rejected) - _MAX_REJECTS
        place = f"all listed in {report.rejects_file}" if report.rejects_file else "listed nowhere"
        yield f"  {f'and {more:,} more, ' if more > 0 else ''}{place}"
