"""`kinfolio db`: kinfolio's own database server, or the status of the one in `NEO4J_URI`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress, spinner
from kinfolio.environment import configured_connection, home
from kinfolio.errors import ServerError

if TYPE_CHECKING:
    from kinfolio.cypher.server.server import Server
    from kinfolio.records import ServerStatus


@click.group("db", epilog="Example:  kinfolio db status --json")
def command() -> None:
    """Start, stop, inspect or wipe the database server.

    Without NEO4J_URI, kinfolio runs a Neo4j Community server of its own in KINFOLIO_HOME.
    """


@command.command(epilog="Example:  kinfolio db start")
@options.json_option
def start(as_json: bool) -> None:
    """Start the server if it is not running."""
    server = _own_server()
    with spinner("starting the server"):
        server.start(print_message)
    _print(server.status(), as_json)


@command.command(epilog="Example:  kinfolio db stop")
@options.json_option
def stop(as_json: bool) -> None:
    """Stop the server; the data stays."""
    server = _own_server()
    if not server.stop():
        print_message("no server of this home is running")
    _print(server.status(), as_json)


@command.command(epilog="Example:  kinfolio db status --json")
@options.json_option
def status(as_json: bool) -> None:
    """Print whether a server is running, its address and its version."""
    from kinfolio.cypher.server.server import Server, status_of

    external = configured_connection()
    _print(Server(home()).status() if external is None else status_of(external), as_json)


@command.command(epilog="Example:  kinfolio db wipe --yes")
@click.option("--yes", is_flag=True, help="Required: the graph cannot be restored.")
@options.json_option
def wipe(yes: bool, as_json: bool) -> None:
    """Stop the server and delete its data permanently; the jars stay."""
    server = _own_server()
    if not yes:
        raise click.UsageError(
            f"this deletes the whole graph in {server.home} permanently; "
            "to confirm, type: kinfolio db wipe --yes"
        )
    server.wipe()
    _print(server.status(), as_json)


@command.command("hash", epilog="Example:  kinfolio db hash --json")
@click.option("--without-gids", is_flag=True, help="Ignore the row numbers that kinfolio assigned.")
@options.json_option
def content_hash(without_gids: bool, as_json: bool) -> None:
    """Print one hash of the graph's content: users, products, relationships and properties.

    It does not depend on the order of loading, on vectors or on versions.
    """
    from kinfolio.loaders.writing.graph_hash import graph_hash

    with options.open_graph() as graph, show_progress("hashing the graph") as progress:
        digest = graph_hash(graph, with_gids=not without_gids, progress=progress)
    if as_json:
        print_json({"hash": digest, "with_gids": not without_gids})
    else:
        echo(digest)


def _own_server() -> Server:
    from kinfolio.cypher.server.server import Server

    external = configured_connection()
    if external is not None:
        raise ServerError(
            f"NEO4J_URI names {external.uri}, a server that kinfolio does not manage; "
            "unset NEO4J_URI to use kinfolio's own"
        )
    return Server(home())


def _print(status: ServerStatus, as_json: bool) -> None:
    if as_json:
        print_json(status)
        return
    echo(f"running:  {'yes' if status.running else 'no'}")
    echo(f"address:  {status.uri or 'none yet'}")
    if status.version:
        echo(f"server:   Neo4j {status.version} {status.edition}")
    echo(f"managed:  {f'by kinfolio, in {status.home}' if status.managed else 'no'}")
