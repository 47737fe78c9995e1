"""Work on the managed server that needs it stopped, and the status of other servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server import process as processes
from kinfolio.cypher.server.dump_file import Manifest, extract_dump, read_manifest, write_dump
from kinfolio.cypher.server.home import DATABASE
from kinfolio.cypher.server.jars import NEO4J_VERSION
from kinfolio.cypher.server.server import Server, refuse_newer
from kinfolio.cypher.server.tools import OnMessage
from kinfolio.errors import BadInput, ServerError, ServerUnreachable
from kinfolio.records import Connection, ServerStatus

BROWSER_PORT = 7474
BROWSER_SECONDS = 60.0


def import_full(
    server: Server,
    arguments: Sequence[str],
    finish: Callable[[Connection], None],
    on_message: OnMessage,
) -> None:
    """Replace the database by the result of the offline importer.

    No other process can start the server meanwhile. The next start after an interruption
    removes the incomplete data.

    Args:
        server: its database is replaced.
        arguments: files and options of `neo4j-admin database import full`, paths absolute.
        finish: called on the started server before the import counts as complete.
        on_message: called with progress messages.

    Raises:
        ServerError: the tool or the start failed; the database counts as empty.
    """
    with server.stopped(on_message) as stopped:
        tools = stopped.tools()
        stopped.files.import_marker.touch()
        tools.admin(
            *("database", "import", "full", DATABASE, "--overwrite-destination=true"), *arguments
        )
        finish(stopped.start())
        stopped.files.import_marker.unlink()


def dump(
    server: Server, file: Path, content_hash: Callable[[Graph], str], on_message: OnMessage
) -> Manifest:
    """Write the graph to a file, whole or not at all; the server is stopped meanwhile.

    Args:
        server: its graph is written.
        file: is replaced.
        content_hash: computes the hash of the graph, before and after the dump.
        on_message: called with progress messages.

    Raises:
        ServerError: the tool or the start failed, or the graph was changed meanwhile.
    """
    with Graph(server.start(on_message)) as graph:
        before = content_hash(graph)
        nodes = graph.read("load_counts")[0]["nodes"]
    with server.stopped(on_message) as stopped, stopped.files.scratch() as folder:
        tools = stopped.tools()
        on_message("Writing the dump; the server is stopped ...")
        try:
            tools.admin("database", "dump", DATABASE, f"--to-path={folder}")
        finally:
            connection = stopped.start()
        with Graph(connection) as graph:
            if content_hash(graph) != before:
                raise ServerError(
                    "the graph was changed while it was dumped; end the programs that write to "
                    "it and type the same again"
                )
        manifest = Manifest(version=NEO4J_VERSION, hash=before, nodes=nodes)
        return write_dump(file, folder / f"{DATABASE}.dump", manifest)


def restore(
    server: Server, file: Path, content_hash: Callable[[Graph], str], on_message: OnMessage
) -> Manifest:
    """Replace the graph by that of a file, whole or not at all.

    After an error and after an interruption the graph before the restore is served.

    Raises:
        BadInput: the file is damaged, or of a newer Neo4j.
        ServerError: the tool or the start failed.
    """
    manifest = read_manifest(file)
    refuse_newer(manifest.version, f"the dump {file}")
    with server.stopped(on_message) as stopped, stopped.files.scratch() as folder:
        tools = stopped.tools()
        on_message("Restoring the graph; the server is stopped ...")
        try:
            extract_dump(file, folder)
            stopped.files.save_data()
            tools.admin(
                *("database", "load", DATABASE, f"--from-path={folder}"),
                "--overwrite-destination=true",
            )
            with Graph(stopped.start()) as graph:
                if content_hash(graph) != manifest.hash:
                    raise BadInput(
                        f"the graph in {file} has another hash than when it was dumped; "
                        "use another copy of the file"
                    )
        except BaseException:
            stopped.stop()
            stopped.files.return_data()
            stopped.start()
            raise
        stopped.files.drop_saved_data()
    return manifest


def set_browser(server: Server, is_on: bool, on_message: OnMessage) -> str | None:
    """Switch Neo4j Browser on or off and start the server again; return its address."""
    with server.stopped(on_message) as stopped:
        port = processes.free_port(preferred=BROWSER_PORT) if is_on else None
        stopped.files.store_ports(stopped.files.port, port)
        stopped.start()
        if port is not None:
            processes.wait_until_listening(port, BROWSER_SECONDS)
    return None if port is None else f"http://127.0.0.1:{port}/browser/"


def reset_password(server: Server, on_message: OnMessage) -> None:
    """Give the server a new password, also when the old one is lost; the graph stays."""
    with server.stopped(on_message) as stopped:
        stopped.files.forget_users()
        stopped.start()


def status_of(connection: Connection) -> ServerStatus:
    """Return the status of a server that kinfolio does not manage.

    Raises:
        WrongPassword: it refuses the user.
    """
    version: str | None = None
    edition: str | None = None
    problem: str | None = None
    try:
        with Graph(connection) as graph:
            version, edition = graph.version_and_edition()
    except ServerUnreachable as error:
        problem = str(error)
    return ServerStatus(
        running=version is not None,
        uri=connection.uri,
        version=version,
        edition=edition,
        home=None,
        managed=False,
        problem=problem,
    )
