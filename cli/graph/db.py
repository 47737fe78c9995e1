"""`kinfolio db`: kinfolio's own database server, or a look at the one in `NEO4J_URI`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kinfolio.cli.options import (
    given_connection,
    home,
    json_option,
    note,
    open_graph,
    print_json,
)
from kinfolio.errors import ServerError

if TYPE_CHECKING:
    from kinfolio.cypher.server.server import Server
    from kinfolio.records import ServerStatus


@click.group("db", epilog="Example:  kinfolio db status --json")
def command() -> None:
    """Start, stop, look at or wipe the database server.

    Without NEO4J_URI, kinfolio runs a Neo4j Community server of its own in KINFOLIO_HOME.
    """


@command.command(epilog="Example:  kinfolio db start")
@json_option
def start(as_json: bool) -> None:
    """Start the server, if it is not running."""
    server = _own_server()
    server.start(progress=note)
    _print(server.status(), as_json)


@command.command(epilog="Example:  kinfolio db stop")
@json_option
def stop(as_json: bool) -> None:
    """Stop the server; the data stays."""
    server = _own_server()
    if not server.stop():
        note("There was no server of this home to stop")
    _print(server.status(), as_json)


@command.command(epilog="Example:  kinfolio db status --json")
@json_option
def status(as_json: bool) -> None:
    """Say whether a server runs, where, and which."""
    from kinfolio.cypher.server.server import Server, status_of

    given = given_connection()
    _print(Server(home()).status() if given is None else status_of(given), as_json)


@command.command(epilog="Example:  kinfolio db wipe --yes")
@click.option("--yes", is_flag=True, help="Do it: the graph cannot be brought back.")
@json_option
def wipe(yes: bool, as_json: bool) -> None:
    """Stop the server and remove its data, for good; the jars stay."""
    server = _own_server()
    if not yes:
        raise click.UsageError(
            f"this removes the whole graph in {server.home} for good; "
            "to do it, type: kinfolio db wipe --yes"
        )
    server.wipe()
    _print(server.status(), as_json)


@command.command("hash", epilog="Example:  kinfolio db hash --json")
@click.option("--without-gids", is_flag=True, help="Leave out the row numbers that kinfolio gave.")
@json_option
def content_hash(without_gids: bool, as_json: bool) -> None:
    """Print one hash of all that the graph says: users, products, what joins them, properties.

    It does not depend on the order in which things came, nor on vectors and versions.
    """
    from kinfolio.cli.progress import show_progress
    from kinfolio.loaders.writing.graph_hash import graph_hash

    with open_graph() as graph, show_progress() as progress:
        found = graph_hash(graph, with_gids=not without_gids, progress=progress)
    if as_json:
        print_json({"hash": found, "with_gids": not without_gids})
    else:
        click.echo(found)


def _own_server() -> Server:
    from kinfolio.cypher.server.server import Server

    given = given_connection()
    if given is not None:
        raise ServerError(
            f"NEO4J_URI names {given.uri}, a server that kinfolio does not manage; "
            "unset NEO4J_URI to use kinfolio's own"
        )
    return Server(home())


def _print(found: ServerStatus, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(f"running:  {'yes' if found.running else 'no'}")
    click.echo(f"address:  {found.uri or 'none yet'}")
    if found.version:
        click.echo(f"server:   Neo4j {found.version} {found.edition}")
    click.echo(f"managed:  {f'by kinfolio, in {found.home}' if found.managed else 'no'}")
