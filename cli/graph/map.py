"""`kinfolio map`: a graph with names of its own, told to kinfolio and given back as it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli.options import json_option, note, open_graph, print_json

if TYPE_CHECKING:
    from kinfolio.cypher.inspection.check import Line

_FILE = Path("mapping.toml")
_file_type = click.Path(dir_okay=False, path_type=Path)


@click.group("map", epilog="Example:  kinfolio map init mapping.toml")
def command() -> None:
    """Use a graph that has other labels, types and property names."""


@command.command("init", epilog="Example:  kinfolio map init mapping.toml")
@click.argument("file", type=_file_type, default=_FILE)
@click.option("--force", is_flag=True, help="Replace the file when it is there.")
@json_option
def init_command(file: Path, force: bool, as_json: bool) -> None:
    """Look through the graph and write FILE, a mapping with the best guess; nothing is changed."""
    from kinfolio.cypher.inspection.file import check_free, write_mapping
    from kinfolio.cypher.inspection.guess import guess
    from kinfolio.cypher.inspection.inventory import inspect

    check_free(file, force=force)
    with open_graph() as graph:
        found = inspect(graph)
        mapping = guess(graph, found)
    write_mapping(file, mapping, found, force=force)
    if as_json:
        print_json(
            {
                "file": str(file),
                "users": mapping.users.label,
                "products": mapping.products.label,
                "holdings": mapping.holdings.type,
                "ties": mapping.ties.type if mapping.ties else None,
                "reviews": (mapping.reviews.type or mapping.reviews.label)
                if mapping.reviews
                else None,
                "categories": mapping.categories.label if mapping.categories else None,
                "dismissals": mapping.dismissals.type if mapping.dismissals else None,
            }
        )
        return
    click.echo(
        f"{file}: ({mapping.users.label})-[{mapping.holdings.type}]-({mapping.products.label}); "
        "a guess, please look through it"
    )
    note(f"next: kinfolio map check {file}")


@command.command("check", epilog="Example:  kinfolio map check mapping.toml")
@click.argument("file", type=_file_type, default=_FILE)
@json_option
def check_command(file: Path, as_json: bool) -> None:
    """Show what each line of FILE finds in the graph; nothing is changed.

    Exit code 1 when the graph cannot be used with it.
    """
    from kinfolio.cypher.inspection.check import check_mapping
    from kinfolio.cypher.mapping.names import read_mapping

    mapping = read_mapping(file)
    with open_graph() as graph:
        lines = check_mapping(graph, mapping)
    problems = sum(line.level == "problem" for line in lines)
    if as_json:
        print_json({"ok": not problems, "lines": [_as_dict(line) for line in lines]})
    else:
        _print(lines)
        if problems:
            note(f"{problems} of these keep the graph from being used; correct {file}")
        else:
            note(f"next: kinfolio export --mapping {file}")
    if problems:
        raise click.exceptions.Exit(1)


@command.command("remove", epilog="Example:  kinfolio map remove mapping.toml --yes")
@click.argument("file", type=_file_type, default=_FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def remove_command(file: Path, yes: bool, as_json: bool) -> None:
    """Take everything that kinfolio wrote out of the graph of FILE, which is then as before.

    That is: row numbers, vectors, versions, kept lists, and the indexes and constraints on these.
    """
    from dataclasses import asdict

    from kinfolio.cli.progress import show_progress
    from kinfolio.cypher.inspection.removal import remove
    from kinfolio.cypher.mapping.names import read_mapping

    mapping = read_mapping(file)
    with open_graph(mapping) as graph:
        if not yes:
            click.confirm(
                f"take kinfolio's properties, versions and indexes out of {graph.connection.uri}?",
                abort=True,
                err=True,
            )
        with show_progress() as progress:
            removed = remove(graph, progress=progress)
    if as_json:
        print_json(asdict(removed))
    else:
        click.echo(
            f"cleared {removed.users:,} users and {removed.products:,} products; removed "
            f"{removed.versions} versions, {removed.lists:,} kept lines of lists and "
            f"{len(removed.indexes)} indexes and constraints"
        )


def _as_dict(line: Line) -> dict[str, str]:
    from dataclasses import asdict

    return asdict(line)


def _print(lines: list[Line]) -> None:
    from kinfolio.cli.table import print_table

    marks = {"ok": "ok", "warning": "look", "problem": "FAIL"}
    print_table(
        ("", "section", "line", "in the graph", "found", "example"),
        [
            (marks[line.level], line.section, line.line, line.name, line.found, line.example)
            for line in lines
        ],
    )
    for line in lines:
        if line.note:
            click.echo(f"{marks[line.level]}  [{line.section}] {line.line}: {line.note}")
