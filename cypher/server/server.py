"""The managed Neo4j Community server, one per home: start, reuse, stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server import process as processes
from kinfolio.cypher.server.home import DATABASE, ServerHome, bolt_uri
from kinfolio.cypher.server.jars import NEO4J_VERSION, jars
from kinfolio.cypher.server.java import find_java
from kinfolio.cypher.server.process import ServerProcess
from kinfolio.cypher.server.settings import SHORT_LIVED_FLAGS, configuration, memory_share
from kinfolio.cypher.server.tools import OnMessage, Tools, useful_line
from kinfolio.errors import ServerError, ServerUnreachable, WrongPassword
from kinfolio.records import Connection, ServerStatus

START_SECONDS = 120.0
_POLL_SECONDS = 0.1


class Server:
    """The server of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._files = ServerHome(home)

    @property
    def log(self) -> Path:
        """File with the server's output."""
        return self._files.log

    def start(self, on_message: OnMessage) -> Connection:
        """Start the server if it is not running; return the connection to it.

        Raises:
            ServerError: it cannot be started; the message has the reason and the remedy.
        """
        found = self._running()
        is_complete = not self._files.import_marker.exists()
        if found is not None and is_complete and processes.is_listening(found.port):
            return self._files.connection(found.port)
        with self._files.locked(on_message):
            if self._files.import_marker.exists():
                self._stop()
                processes.kill_tools(self._files.neo4j)
                self._files.remove_incomplete_import()
                on_message("A bulk load was interrupted; its incomplete data was removed")
            found = self._running() or self._adopt() or self._launch(on_message)
            self._wait(found)
            return self._files.connection(found.port)

    def stop(self) -> bool:
        """Stop the server; return whether it was running."""
        if not self._files.folder.is_dir():
            return False
        with self._files.locked(_ignore):
            return self._stop()

    def status(self) -> ServerStatus:
        """Return the status of the server, without starting it."""
        found = self._running()
        port, version = self._files.port, None
        if found is not None and processes.is_listening(found.port):
            port = found.port
            # No statement: the first one on a fresh server costs seconds of planning.
            with Graph(self._files.connection(found.port)) as graph:
                version = graph.check().removeprefix("Neo4j/")
        return ServerStatus(
            running=version is not None,
            uri=None if port is None else bolt_uri(port),
            version=version,
            edition=None if version is None else "community",
            home=str(self.home),
            managed=True,
        )

    def wipe(self) -> None:
        """Stop the server and remove data, password and logs; the list of jars remains."""
        if self._files.folder.is_dir():
            with self._files.locked(_ignore):
                self._stop()
                self._files.wipe()

    @property
    def has_database(self) -> bool:
        """Whether there is a database, empty or not, without starting the server."""
        return self._files.has_database and not self._files.import_marker.exists()

    def import_full(
        self, arguments: Sequence[str], finish: Callable[[Connection], None], on_message: OnMessage
    ) -> None:
        """Replace the database by the result of the offline importer.

        No other process can start the server meanwhile. The next start after an interruption
        removes the incomplete data.

        Args:
            arguments: files and options of `neo4j-admin database import full`, paths absolute.
            finish: called on the started server before the import counts as complete.
            on_message: called with progress messages.

        Raises:
            ServerError: the tool or the start failed; the database counts as empty.
        """
        with self._files.locked(on_message):
            self._stop()
            processes.kill_tools(self._files.neo4j)
            tools = self._prepare(on_message)
            self._files.import_marker.touch()
            tools.admin(
                *("database", "import", "full", DATABASE, "--overwrite-destination=true"),
                *arguments,
            )
            started = self._launch(on_message)
            self._wait(started)
            finish(self._files.connection(started.port))
            self._files.import_marker.unlink()

    def _running(self) -> ServerProcess | None:
        return processes.running(self._files.pid_file, self._files.neo4j)

    def _adopt(self) -> ServerProcess | None:
        # The start was killed after launching the server and before writing the pid file.
        port = self._files.port
        found = None if port is None else processes.find_orphan(self._files.neo4j, port)
        if found is not None:
            processes.save(self._files.pid_file, found)
        return found

    def _stop(self) -> bool:
        found = self._running() or self._adopt()
        if found is not None:
            processes.stop(found, self._files.neo4j)
        self._files.pid_file.unlink(missing_ok=True)
        return found is not None

    def _prepare(self, on_message: OnMessage) -> Tools:
        self._files.check_disk_space()
        java = find_java(on_message)
        found = jars(self._files.jars_file, on_message)
        memory = memory_share(psutil.virtual_memory().total)
        port = self._choose_port(on_message)
        self._files.prepare(configuration(port, memory))
        self._files.port = port
        tools = Tools(
            files=self._files,
            java=java,
            classpath=os.pathsep.join(map(str, found)),
            port=port,
            memory_mb=memory,
        )
        if not self._files.password_file.is_file():
            password = self._files.new_password()
            tools.admin("dbms", "set-initial-password", password, java_flags=SHORT_LIVED_FLAGS)
            self._files.store_password(password)
        return tools

    def _choose_port(self, on_message: OnMessage) -> int:
        last = self._files.port
        if last is not None and processes.is_free(last):
            return last
        port = processes.free_port()
        if last is not None:
            on_message(f"Port {last} is in use by another program; using {port} from now on")
        return port

    def _launch(self, on_message: OnMessage) -> ServerProcess:
        tools = self._prepare(on_message)
        on_message(f"Starting Neo4j {NEO4J_VERSION} Community on 127.0.0.1:{tools.port} ...")
        started = tools.launch()
        processes.save(self._files.pid_file, started)
        return started

    def _wait(self, started: ServerProcess) -> None:
        deadline = time.monotonic() + START_SECONDS
        connection = self._files.connection(started.port)
        try:
            while time.monotonic() < deadline:
                if self._running() is None:
                    self._stop()
                    raise ServerError(
                        f"the server stopped while starting ({self._reason()}); "
                        f"the whole log is {self.log}"
                    )
                if processes.is_listening(started.port) and _is_healthy(connection):
                    return
                time.sleep(_POLL_SECONDS)
        except WrongPassword as error:
            self._stop()
            raise WrongPassword(
                f"the server refuses the password in {self._files.password_file}; restore that "
                "file, or lose the data with: kinfolio db wipe --yes"
            ) from error
        except KeyboardInterrupt:
            self._stop()
            raise
        self._stop()
        raise ServerError(
            f"the server did not answer within {START_SECONDS:.0f} seconds "
            f"({self._reason()}); the whole log is {self.log}"
        )

    def _reason(self) -> str:
        try:
            return useful_line(self.log.read_text("utf-8", "replace"))
        except OSError:
            return "it wrote no log"


def status_of(connection: Connection) -> ServerStatus:
    """Return the status of a server that kinfolio does not manage.

    Raises:
        WrongPassword: it refuses the user.
    """
    version: str | None = None
    edition: str | None = None
    with suppress(ServerUnreachable), Graph(connection) as graph:
        version, edition = graph.version_and_edition()
    return ServerStatus(
        running=version is not None,
        uri=connection.uri,
        version=version,
        edition=edition,
        home=None,
        managed=False,
    )


def _is_healthy(connection: Connection) -> bool:
    with suppress(ServerUnreachable), Graph(connection) as graph:
        graph.check()
        return True
    return False


def _ignore(_: str) -> None:
    pass
