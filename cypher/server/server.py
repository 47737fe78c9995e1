"""The managed Neo4j Community server, one per home: start, reuse, stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import psutil

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server import process as processes
from kinfolio.cypher.server.home import ServerHome, bolt_uri
from kinfolio.cypher.server.jars import NEO4J_VERSION, jars
from kinfolio.cypher.server.java import find_java
from kinfolio.cypher.server.process import ServerProcess
from kinfolio.cypher.server.settings import SHORT_LIVED_FLAGS, configuration, memory_share
from kinfolio.cypher.server.tools import OnMessage, Tools, useful_line
from kinfolio.errors import BadInput, ServerError, ServerUnreachable, WrongPassword, if_interrupted
from kinfolio.records import Connection, ServerStatus

START_SECONDS = 120.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A stopped server, as long as its lock is held."""

    files: ServerHome
    tools: Callable[[], Tools]
    start: Callable[[], Connection]
    stop: Callable[[], bool]


class Server:
    """The server of one home."""

    def __init__(self, home: Path) -> None:
        self.files = ServerHome(home)
        self.home = self.files.home

    @property
    def log(self) -> Path:
        """File with the server's output."""
        return self.files.log

    def start(self, on_message: OnMessage) -> Connection:
        """Start the server if it is not running; return the connection to it.

        Raises:
            ServerError: it cannot be started; the message has the reason and the remedy.
        """
        found = self._running()
        is_complete = not self._is_interrupted
        if found is not None and is_complete and processes.is_listening(found.port):
            return self.files.connection(found.port)
        with self.files.locked(on_message):
            if self._is_interrupted:
                self._stop()
                self._recover(on_message)
            found = self._running() or self._adopt()
            if found is None:
                self.files.clear_scratch()
                return self._launch_and_wait(on_message)
            self._wait(found)
            return self.files.connection(found.port)

    def stop(self) -> bool:
        """Stop the server; return whether it was running."""
        if not self.files.folder.is_dir():
            return False
        with self.files.locked(_ignore):
            return self._stop()

    def status(self) -> ServerStatus:
        """Return the status of the server, without starting it."""
        found = self._running()
        port, version = self.files.port, None
        if found is not None and processes.is_listening(found.port):
            port = found.port
            # No statement: the first one on a fresh server costs seconds of planning.
            with Graph(self.files.connection(found.port)) as graph:
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
        if self.files.folder.is_dir():
            with (
                if_interrupted("nothing is deleted; to do so, type: kinfolio db wipe --yes"),
                self.files.locked(_ignore),
            ):
                self._stop()
                self.files.wipe()

    @property
    def has_database(self) -> bool:
        """Whether there is a database, empty or not, without starting the server."""
        return self.files.has_database and not self.files.import_marker.exists()

    @contextmanager
    def stopped(self, on_message: OnMessage) -> Iterator[Stopped]:
        """Stop the server for tools that need its files; no other process starts it meanwhile."""
        with self.files.locked(on_message):
            self._stop()
            self._recover(on_message)
            yield Stopped(
                files=self.files,
                tools=lambda: self._prepare(on_message),
                start=lambda: self._launch_and_wait(on_message),
                stop=self._stop,
            )

    @property
    def _is_interrupted(self) -> bool:
        files = self.files
        return files.import_marker.exists() or files.saved_data.exists() or files.is_half_wiped

    def _recover(self, on_message: OnMessage) -> None:
        processes.kill_tools(self.files.neo4j)
        if self.files.is_half_wiped:
            self.files.wipe()
            on_message("A wipe was interrupted; what it left was removed")
        if self.files.import_marker.exists():
            self.files.remove_incomplete_import()
            on_message("A bulk load was interrupted; its incomplete data was removed")
        if self.files.saved_data.exists():
            self.files.return_data()
            on_message("A restore was interrupted; the graph is the one before it")

    def _running(self) -> ServerProcess | None:
        return processes.running(self.files.pid_file, self.files.neo4j)

    def _adopt(self) -> ServerProcess | None:
        # The start was killed after launching the server and before writing the pid file.
        port = self.files.port
        found = None if port is None else processes.find_orphan(self.files.neo4j, port)
        if found is not None:
            processes.save(self.files.pid_file, found)
        return found

    def _stop(self) -> bool:
        found = self._running() or self._adopt()
        if found is not None:
            processes.stop(found, self.files.neo4j)
        self.files.pid_file.unlink(missing_ok=True)
        return found is not None

    def _prepare(self, on_message: OnMessage) -> Tools:
        last = self.files.store_version
        if last is not None and last != NEO4J_VERSION:
            refuse_newer(last, f"the graph in {self.home}")
            on_message(f"Upgrading the graph from Neo4j {last} to {NEO4J_VERSION}")
        self.files.check_disk_space()
        java = find_java(on_message)
        browser = self.files.browser_port
        found = jars(self.files.jars_file, on_message, with_browser=browser is not None)
        memory = memory_share(psutil.virtual_memory().total)
        port = self._choose_port(on_message)
        self.files.prepare(configuration(port, memory, browser))
        self.files.store_ports(port, browser)
        tools = Tools(
            files=self.files,
            java=java,
            classpath=os.pathsep.join(map(str, found)),
            port=port,
            memory_mb=memory,
        )
        if not self.files.password_file.is_file():
            # In a file: other users of the machine see the arguments of a process.
            password = self.files.new_password()
            with NamedTemporaryFile("w", dir=self.files.folder, prefix=".password.") as arguments:
                arguments.write(password)
                arguments.flush()
                tools.admin(
                    *("dbms", "set-initial-password", f"@{arguments.name}"),
                    java_flags=SHORT_LIVED_FLAGS,
                )
            self.files.store_password(password)
        return tools

    def _choose_port(self, on_message: OnMessage) -> int:
        last = self.files.port
        if last is not None and processes.is_free(last):
            return last
        port = processes.free_port()
        if last is not None:
            on_message(f"Port {last} is in use by another program; using {port} from now on")
        return port

    def _launch_and_wait(self, on_message: OnMessage) -> Connection:
        started = self._launch(on_message)
        self._wait(started)
        self.files.store_version = NEO4J_VERSION
        return self.files.connection(started.port)

    def _launch(self, on_message: OnMessage) -> ServerProcess:
        tools = self._prepare(on_message)
        on_message(f"Starting Neo4j {NEO4J_VERSION} Community on 127.0.0.1:{tools.port} ...")
        started = tools.launch()
        processes.save(self.files.pid_file, started)
        return started

    def _wait(self, started: ServerProcess) -> None:
        deadline = time.monotonic() + START_SECONDS
        connection = self.files.connection(started.port)
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
                f"the server refuses the password in {self.files.password_file}; restore that "
                "file, or set a new password with: kinfolio db password --reset"
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


def refuse_newer(version: str, what: str) -> None:
    """Refuse data of a newer Neo4j, which cannot be downgraded.

    Raises:
        BadInput: the version is newer than the one that kinfolio runs.
    """
    if _numbers(version) > _numbers(NEO4J_VERSION):
        raise BadInput(
            f"{what} is of Neo4j {version}, and this kinfolio runs the older {NEO4J_VERSION}, "
            "which cannot read it; install a newer kinfolio, or set KINFOLIO_HOME to another folder"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _is_healthy(connection: Connection) -> bool:
    with suppress(ServerUnreachable), Graph(connection) as graph:
        graph.check()
        return True
    return False


def _ignore(_: str) -> None:
    pass
