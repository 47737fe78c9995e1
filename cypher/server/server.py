"""kinfolio's own Neo4j Community server: one for a home, started, reused and stopped."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server import process as processes
from kinfolio.cypher.server.home import DATABASE, ServerHome, bolt_uri
from kinfolio.cypher.server.jars import NEO4J_VERSION, jars
from kinfolio.cypher.server.java import Java, find_java
from kinfolio.cypher.server.process import ServerProcess
from kinfolio.cypher.server.settings import SHORT_LIVED_FLAGS, configuration, flags, memory_share
from kinfolio.errors import ServerError, ServerUnreachable, WrongPassword
from kinfolio.records import Connection, ServerStatus

START_SECONDS = 120.0
_POLL_SECONDS = 0.1
_EMPTY_WORDS = (
    *("at ", "...", "Picked up JAVA_TOOL_OPTIONS"),
    *("Error: Could not create the Java", "Error: A fatal exception has occurred"),
)
"""Beginnings of lines that say nothing of the reason."""

Progress = Callable[[str], None]


class Server:
    """The server of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._at = ServerHome(home)

    @property
    def log(self) -> Path:
        """What the server's Java prints."""
        return self._at.log

    def start(self, progress: Progress) -> Connection:
        """How to reach the server, which is started when it is not running.

        Raises:
            ServerError: it cannot be started; the text says why and what to do.
        """
        found = self._running()
        whole = not self._at.import_mark.exists()
        if found is not None and whole and processes.answers(found.port):
            return self._at.connection(found.port)
        with self._at.locked(progress):
            if self._at.import_mark.exists():
                self._stop()
                processes.end_tools(self._at.neo4j)
                self._at.drop_half_imported()
                progress("A bulk load was cut off here; what it left was removed")
            found = self._running() or self._adopt() or self._launch(progress)
            self._wait(found)
            return self._at.connection(found.port)

    def stop(self) -> bool:
        """Whether there was a server of this home to stop."""
        if not self._at.folder.is_dir():
            return False
        with self._at.locked(_silent):
            return self._stop()

    def status(self) -> ServerStatus:
        """What is known of the server, without starting it."""
        found = self._running()
        if found is not None and processes.answers(found.port):
            port: int | None = found.port
            # No statement: the first one on a fresh server costs seconds of planning.
            with Graph(self._at.connection(found.port)) as graph:
                version = graph.check().removeprefix("Neo4j/")
        else:
            port, version = self._at.port, None
        return ServerStatus(
            running=version is not None,
            uri=None if port is None else bolt_uri(port),
            version=version,
            edition=None if version is None else "community",
            home=str(self.home),
            managed=True,
        )

    def wipe(self) -> None:
        """Stop the server and remove the data, the password and the logs; the jars stay."""
        if not self._at.folder.is_dir():
            return
        with self._at.locked(_silent):
            self._stop()
            self._at.wipe()

    def admin(self, *arguments: str, progress: Progress) -> str:
        """What `neo4j-admin` prints for these arguments, e.g. `database import full ...`.

        The server is stopped first, since the tool works on closed files, and stays so.

        Raises:
            ServerError: the tool failed; the text has its most telling line.
        """
        with self._at.locked(progress):
            self._stop()
            tools = self._prepare(progress)
            return tools.admin(*arguments, java_flags=flags(tools.java, tools.memory_mb))

    @property
    def has_database(self) -> bool:
        """Whether there is a database, empty or not, without starting the server."""
        return self._at.has_database and not self._at.import_mark.exists()

    def import_full(
        self, arguments: Sequence[str], finish: Callable[[Connection], None], progress: Progress
    ) -> None:
        """Fill the database with the offline importer in place of all it holds.

        Nobody else can start the server meanwhile. Cut off at any point, the next start removes
        what the importer left.

        Args:
            arguments: files and options of `neo4j-admin database import full`, paths absolute.
            finish: what is to be done on the started server before the data counts as there.
            progress: told of what is done.

        Raises:
            ServerError: the tool or the start failed; the database counts as empty.
        """
        with self._at.locked(progress):
            self._stop()
            processes.end_tools(self._at.neo4j)
            tools = self._prepare(progress)
            self._at.import_mark.touch()
            tools.admin(
                *("database", "import", "full", DATABASE, "--overwrite-destination=true"),
                *arguments,
                java_flags=flags(tools.java, tools.memory_mb),
            )
            started = self._launch(progress)
            self._wait(started)
            finish(self._at.connection(started.port))
            self._at.import_mark.unlink()

    def _running(self) -> ServerProcess | None:
        return processes.running(self._at.pid_file, self._at.neo4j)

    def _adopt(self) -> ServerProcess | None:
        # A start that was killed between starting the server and writing the pid file.
        port = self._at.port
        found = None if port is None else processes.orphan(self._at.neo4j, port)
        if found is not None:
            processes.save(self._at.pid_file, found)
        return found

    def _stop(self) -> bool:
        found = self._running() or self._adopt()
        if found is not None:
            processes.stop(found, self._at.neo4j)
        self._at.pid_file.unlink(missing_ok=True)
        return found is not None

    def _prepare(self, progress: Progress) -> _Tools:
        self._at.need_room()
        java = find_java(progress)
        found = jars(self._at.jars_file, progress)
        memory = memory_share(psutil.virtual_memory().total)
        port = self._choose_port(progress)
        self._at.prepare(configuration(port, memory))
        self._at.port = port
        tools = _Tools(
            at=self._at,
            java=java,
            classpath=os.pathsep.join(map(str, found)),
            port=port,
            memory_mb=memory,
        )
        if not self._at.password_file.is_file():
            password = self._at.new_password()
            tools.admin("dbms", "set-initial-password", password, java_flags=SHORT_LIVED_FLAGS)
            self._at.keep_password(password)
        return tools

    def _choose_port(self, progress: Progress) -> int:
        known = self._at.port
        if known is None:
            return processes.free_port()
        if processes.is_free(known):
            return known
        port = processes.free_port()
        progress(f"Port {known} is taken by another program; using {port} from now on")
        return port

    def _launch(self, progress: Progress) -> ServerProcess:
        tools = self._prepare(progress)
        progress(f"Starting Neo4j {NEO4J_VERSION} Community on 127.0.0.1:{tools.port} ...")
        started = tools.launch()
        processes.save(self._at.pid_file, started)
        return started

    def _wait(self, started: ServerProcess) -> None:
        deadline = time.monotonic() + START_SECONDS
        connection = self._at.connection(started.port)
        try:
            while time.monotonic() < deadline:
                if self._running() is None:
                    self._stop()
                    raise ServerError(
                        f"the server stopped while starting ({self._last_line()}); "
                        f"the whole log is {self.log}"
                    )
                if processes.answers(started.port) and _is_healthy(connection):
                    return
                time.sleep(_POLL_SECONDS)
        except WrongPassword as error:
            self._stop()
            raise WrongPassword(
                f"the server refuses the password in {self._at.password_file}; restore that "
                "file, or lose the data with: kinfolio db wipe --yes"
            ) from error
        except KeyboardInterrupt:
            self._stop()
            raise
        self._stop()
        raise ServerError(
            f"the server did not answer within {START_SECONDS:.0f} seconds "
            f"({self._last_line()}); the whole log is {self.log}"
        )

    def _last_line(self) -> str:
        try:
            return _useful_line(self.log.read_text("utf-8", "replace"))
        except OSError:
            return "it left no log"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tools:
    """All that it takes to run the server's programs."""

    at: ServerHome
    java: Java
    classpath: str
    port: int
    memory_mb: int

    def admin(self, *arguments: str, java_flags: Sequence[str] = ()) -> str:
        answer = subprocess.run(
            [
                self.java.program,
                *java_flags,
                *("-cp", self.classpath, "org.neo4j.cli.AdminTool", *arguments),
            ],
            env={**os.environ, "NEO4J_HOME": str(self.at.neo4j), "NEO4J_CONF": str(self.at.conf)},
            capture_output=True,
            text=True,
            check=False,
        )
        printed = answer.stdout + answer.stderr
        if answer.returncode != 0:
            raise ServerError(
                f"the server's admin tool failed in {' '.join(arguments[:2])} "
                f"({_useful_line(printed)}); type: kinfolio doctor"
            )
        return printed

    def launch(self) -> ServerProcess:
        with self.at.log.open("wb") as log:
            child = subprocess.Popen(
                [
                    self.java.program,
                    *flags(self.java, self.memory_mb),
                    *("-cp", self.classpath, "org.neo4j.server.Neo4jCommunity"),
                    f"--home-dir={self.at.neo4j}",
                    f"--config-dir={self.at.conf}",
                    "--console-mode",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.at.neo4j,
                # A Ctrl-C in the terminal, or closing it, must not reach the server.
                start_new_session=True,
            )
        # The server outlives this process on purpose; without this, Popen warns that it does.
        child.returncode = 0
        return ServerProcess(pid=child.pid, started=processes.started_at(child.pid), port=self.port)


def status_of(connection: Connection) -> ServerStatus:
    """What is known of a server that is not kinfolio's own.

    Raises:
        WrongPassword: it answers and refuses.
    """
    version: str | None = None
    edition: str | None = None
    try:
        with Graph(connection) as graph:
            version, edition = graph.version_and_edition()
    except ServerUnreachable:
        pass
    return ServerStatus(
        running=version is not None,
        uri=connection.uri,
        version=version,
        edition=edition,
        home=None,
        managed=False,
    )


def _is_healthy(connection: Connection) -> bool:
    try:
        with Graph(connection) as graph:
            graph.check()
    except ServerUnreachable:
        return False
    return True


def _useful_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_EMPTY_WORDS)]
    words = ("ERROR", "Error", "Exception", "Invalid", "Unrecognized", "Caused by")
    telling = [line for line in lines if any(word in line for word in words)]
    # The last cause is the most exact, unless it is the bare name of an exception.
    speaking = [line for line in telling if re.search(r"(Exception|Error|ERROR):? +\S", line)]
    found = (speaking or telling or lines or ["it printed nothing"])[-1]
    return found.removeprefix("Caused by: ")[:200].rstrip(".")


def _silent(_: str) -> None:
    pass
