"""`kinfolio db`: kinfolio's own database server, or the status of the one in `NEO4J_URI`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress, spinner
from kinfolio.environment import configured_connection, home
from kinfolio.errors import BadInput, NotFound, NotReady, ServerError, shell_command

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
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
@options.timeout_option
@options.json_option
def status(as_json: bool) -> None:
    """Print whether a server is running, its address and its version."""
    from kinfolio.cypher.server.server import Server
    from kinfolio.cypher.server.upkeep import status_of

    external = options.external_connection()
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
@options.timeout_option
@options.json_option
def content_hash(without_gids: bool, as_json: bool) -> None:
    """Print one hash of the graph's content: users, products, relationships and properties.

    It does not depend on the order of loading, on vectors or on versions.
    """
    from kinfolio.cypher.graph_hash import graph_hash

    with options.open_graph() as graph, show_progress("hashing the graph") as progress:
        digest = graph_hash(graph, with_gids=not without_gids, progress=progress)
    if as_json:
        print_json({"hash": digest, "with_gids": not without_gids})
    else:
        echo(digest)


@command.command("dump", epilog="Example:  kinfolio db dump graph.dump")
@click.argument("file", type=options.FILE)
@click.option("--replace", is_flag=True, help="Replace an existing file.")
@options.json_option
def dump_command(file: Path, replace: bool, as_json: bool) -> None:
    """Write the whole graph of kinfolio's own server to a file; the server stops meanwhile."""
    from kinfolio.cypher.server.upkeep import dump

    if file.exists() and not replace:
        raise BadInput(f"{file} exists; give another name, or --replace")
    with spinner("writing the dump"):
        manifest = dump(_own_server(), file, _hash, print_message)
    if as_json:
        print_json({"file": str(file), **asdict(manifest)})
    else:
        echo(f"wrote {file}: {manifest.nodes:,} nodes, hash {manifest.hash}")


@command.command("restore", epilog="Example:  kinfolio db restore graph.dump")
@click.argument("file", type=options.FILE)
@click.option("--replace", is_flag=True, help="Required if the graph is not empty.")
@options.json_option
def restore_command(file: Path, replace: bool, as_json: bool) -> None:
    """Replace the graph of kinfolio's own server by that of a file of `db dump`."""
    from kinfolio.cypher.graph import Graph
    from kinfolio.cypher.server.upkeep import restore

    server = _own_server()
    if not file.is_file():
        raise NotFound(f"there is no file {file}; give one that kinfolio db dump wrote")
    if server.has_database and not replace:
        with spinner("opening the graph"), Graph(server.start(print_message)) as graph:
            nodes = graph.read("load_counts")[0]["nodes"]
        if nodes:
            raise BadInput(
                f"the graph in {server.home} has {nodes:,} nodes, which a restore removes; "
                f"to confirm, type: {shell_command('db', 'restore', file, '--replace')}"
            )
    with spinner("restoring the graph"):
        manifest = restore(server, file, _hash, print_message)
    if as_json:
        print_json({"file": str(file), **asdict(manifest)})
    else:
        echo(f"restored {manifest.nodes:,} nodes, hash {manifest.hash}")


@command.command("password", epilog="Example:  kinfolio db password")
@click.option("--reset", is_flag=True, help="Set a new one, also when the old one is lost.")
@options.json_option
def password(reset: bool, as_json: bool) -> None:
    """Print the password of kinfolio's own server; its user is neo4j."""
    from kinfolio.cypher.server.upkeep import reset_password

    server = _own_server()
    if reset:
        with spinner("starting the server"):
            reset_password(server, print_message)
    elif not server.files.password_file.exists():
        raise NotReady(f"{server.home} has no server yet; type: kinfolio db start")
    file = server.files.password_file
    connection = server.files.connection(server.files.port or 0)
    if as_json:
        print_json(
            {
                "username": connection.username,
                "password": connection.password,
                "file": str(file),
                "uri": connection.uri,
            }
        )
    else:
        echo(connection.password)
        print_message(f"user {connection.username} at {connection.uri}; the password is in {file}")


@command.command("browser", epilog="Example:  kinfolio db browser")
@click.option("--off", is_flag=True, help="Switch it off again.")
@options.json_option
def browser(off: bool, as_json: bool) -> None:
    """Switch on Neo4j Browser, for this machine only, and print its address."""
    from kinfolio.cypher.server.upkeep import set_browser

    server = _own_server()
    with spinner("starting the server"):
        address = set_browser(server, not off, print_message)
    if as_json:
        print_json({"browser": address})
    elif address is None:
        echo("Neo4j Browser is off")
    else:
        echo(address)
        print_message(
            f"Log in to {server.status().uri} as neo4j; the password is printed by: "
            "kinfolio db password\nSwitch it off with: kinfolio db browser --off"
        )


def _hash(graph: Graph) -> str:
    from kinfolio.cypher.graph_hash import graph_hash

    return graph_hash(graph)


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
    if status.problem:
        echo(f"problem:  {status.problem}")
    echo(f"managed:  {f'by kinfolio, in {status.home}' if status.managed else 'no'}")
