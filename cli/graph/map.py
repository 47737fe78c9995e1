"""`kinfolio map`: mapping files of graphs with other names than kinfolio's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.output import confirm, echo, print_json, print_message
from kinfolio.cli.progress import show_progress
from kinfolio.cli.table import print_table
from kinfolio.errors import shell_command

if TYPE_CHECKING:
    from kinfolio.cypher.inspection.line import Line

_FILE = Path("mapping.toml")


@click.group("map", epilog="Example:  kinfolio map init mapping.toml")
def command() -> None:
    """Use an existing graph with other labels, types and property names."""


@command.command("init", epilog="Example:  kinfolio map init mapping.toml")
@click.argument("file", type=options.FILE, default=_FILE)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@options.timeout_option
@options.json_option
def init_command(file: Path, force: bool, as_json: bool) -> None:
    """Inspect the graph and write a guessed mapping to FILE; the graph is not changed."""
    from kinfolio.cypher.inspection.file import check_free, write_mapping
    from kinfolio.cypher.inspection.guess import guess
    from kinfolio.cypher.inspection.inventory import inspect
    from kinfolio.cypher.inspection.readings import low_ratings

    check_free(file, force=force)
    with options.open_graph() as graph:
        found = inspect(graph)
        mapping = guess(graph, found)
    with options.open_graph(mapping) as graph:
        warning = low_ratings(graph)
    write_mapping(file, mapping, found, force=force)
    if as_json:
        reviews = mapping.reviews
        print_json(
            {
                "file": str(file),
                "users": mapping.users.label,
                "products": mapping.products.label,
                "holdings": mapping.holdings.type,
                "ties": mapping.ties and mapping.ties.type,
                "reviews": reviews and (reviews.type or reviews.label),
                "categories": mapping.categories and mapping.categories.label,
                "dismissals": mapping.dismissals and mapping.dismissals.type,
            }
        )
        return
    echo(
        f"{file}: ({mapping.users.label})-[{mapping.holdings.type}]-({mapping.products.label}), "
        "guessed; please review the file"
    )
    if warning is not None:
        print_message(f"[holdings] rating = {warning.name!r}: {warning.note}")
    print_message(f"next: {shell_command('map', 'check', file)}")


@command.command("check", epilog="Example:  kinfolio map check mapping.toml")
@click.argument("file", type=options.FILE, default=_FILE)
@options.timeout_option
@options.json_option
def check_command(file: Path, as_json: bool) -> None:
    """Print what each line of FILE matches in the graph; the graph is not changed.

    Exit code 1 when the graph cannot be used with this mapping.
    """
    from kinfolio.cypher.inspection.check import check_mapping
    from kinfolio.cypher.mapping.names import read_mapping

    mapping = read_mapping(file)
    with options.open_graph() as graph:
        lines = check_mapping(graph, mapping)
    problems = sum(line.level == "problem" for line in lines)
    if as_json:
        print_json({"ok": not problems, "lines": lines})
    else:
        _print(lines)
        print_message(
            f"the graph cannot be used because of {problems} of these lines; correct {file}"
            if problems
            else f"next: {shell_command('export', '--mapping', file)}"
        )
    if problems:
        raise click.exceptions.Exit(1)


@command.command("remove", epilog="Example:  kinfolio map remove mapping.toml --yes")
@click.argument("file", type=options.FILE, default=_FILE)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@options.timeout_option
@options.json_option
def remove_command(file: Path, yes: bool, as_json: bool) -> None:
    """Remove everything that kinfolio wrote to the graph of FILE.

    That is: row numbers, vectors, versions, stored lists, and their indexes and constraints.
    """
    from kinfolio.cypher.inspection.removal import remove
    from kinfolio.cypher.mapping.names import read_mapping

    mapping = read_mapping(file)
    with options.open_graph(mapping) as graph:
        if not yes:
            confirm(
                f"Remove kinfolio's properties, versions and indexes from {graph.connection.uri}?",
                abort=True,
            )
        with show_progress("removing row numbers and vectors") as progress:
            removed = remove(graph, progress=progress)
    if as_json:
        print_json(removed)
    else:
        echo(
            f"cleared {removed.users:,} users and {removed.products:,} products; removed "
            f"{removed.versions} versions, {removed.lists:,} stored recommendations and "
            f"{len(removed.indexes)} indexes and constraints"
        )


def _print(lines: list[Line]) -> None:
    marks = {"ok": "ok", "warning": "warn", "problem": "FAIL"}
    print_table(
        ("", "section", "line", "in the graph", "found", "example"),
        [
            (marks[line.level], line.section, line.line, line.name, line.found, line.example)
            for line in lines
        ],
    )
    for line in lines:
        if line.note:
            echo(f"{marks[line.level]}  [{line.section}] {line.line}: {line.note}")
