"""kinfolio's own Neo4j Community server: one for a home, started, reused and stopped.

Layout of `HOME/server`: `neo4j/` (the server's own folder, `data` in it), `password` (mode 0600),
`jars.json`, `port.json`, `process.json`, `lock`.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kinfolio.cypher import process as processes
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.jars import NEO4J_VERSION, jars
from kinfolio.cypher.java import Java, find_java
from kinfolio.cypher.process import ServerProcess
from kinfolio.cypher.settings import SHORT_LIVED_FLAGS, configuration, flags, memory_share
from kinfolio.errors import (
    KinfolioError,
    RunBroken,
    ServerError,
    ServerUnreachable,
    WrongPassword,
)
from kinfolio.records import Connection, ServerStatus
from kinfolio.run import read_json, whole_file, write_json

USERNAME = "neo4j"
LOWEST_FREE_BYTES = 500_000_000
START_SECONDS = 120.0
LOCK_SECONDS = 300.0
_POLL_SECONDS = 0.1


class Server:
    """The server of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._folder = home / "server"
        self._neo4j = self._folder / "neo4j"
        self._password_file = self._folder / "password"
        self._port_file = self._folder / "port.json"
        self._pid_file = self._folder / "process.json"

    @property
    def log(self) -> Path:
        """What the server's Java prints."""
        return self._neo4j / "logs" / "console.log"

    def start(self, progress: Callable[[str], None]) -> Connection:
        """How to reach the server, which is started when it is not running.

        Raises:
            ServerError: it cannot be started; the text says why and what to do.
        """
        found = self._running()
        if found is not None and processes.answers(found.port):
            return self._connection(found.port)
        with self._locked(progress):
            found = self._running() or self._adopt() or self._launch(progress)
            self._wait(found)
            return self._connection(found.port)

    def stop(self) -> bool:
        """Whether there was a server of this home to stop."""
        if not self._folder.is_dir():
            return False
        with self._locked(lambda _: None):
            return self._stop()

    def status(self) -> ServerStatus:
        """What is known of the server, without starting it."""
        found = self._running()
        if found is None or not processes.answers(found.port):
            port = self._known_port()
            return ServerStatus(
                running=False,
                uri=None if port is None else _uri(port),
                version=None,
                edition=None,
                home=str(self.home),
                managed=True,
            )
        return _asked(self._connection(found.port), home=str(self.home))

    def wipe(self) -> None:
        """Stop the server and remove the data, the password and the logs; the jars stay."""
        if not self._folder.is_dir():
            return
        with self._locked(lambda _: None):
            self._stop()
            if self._neo4j.exists():
                shutil.rmtree(self._neo4j)
            self._password_file.unlink(missing_ok=True)
            self._port_file.unlink(missing_ok=True)

    def _running(self) -> ServerProcess | None:
        return processes.running(self._pid_file, self._neo4j)

    def _adopt(self) -> ServerProcess | None:
        # A start that was killed between starting the server and writing the pid file.
        port = self._known_port()
        found = None if port is None else processes.orphan(self._neo4j, port)
        if found is not None:
            processes.save(self._pid_file, found)
        return found

    def _stop(self) -> bool:
        found = self._running() or self._adopt()
        if found is not None:
            processes.stop(found, self._neo4j)
        self._pid_file.unlink(missing_ok=True)
        return found is not None

    def _known_port(self) -> int | None:
        try:
            port = read_json(self._port_file)["port"]
        except (OSError, RunBroken, KeyError):
            return None
        return port if isinstance(port, int) else None

    def _connection(self, port: int) -> Connection:
        try:
            password = self._password_file.read_text("utf-8").strip()
        except OSError as error:
            raise WrongPassword(
                f"the server's password file {self._password_file} cannot be read; restore it, "
                "or lose the data with: kinfolio db wipe --yes"
            ) from error
        return Connection(uri=_uri(port), username=USERNAME, password=password)

    @contextmanager
    def _locked(self, progress: Callable[[str], None]) -> Iterator[None]:
        from filelock import FileLock, Timeout

        with self._told():
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / "lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                progress("Another kinfolio is starting or stopping this server; waiting ...")
                try:
                    lock.acquire(timeout=LOCK_SECONDS)
                except Timeout as error:
                    raise ServerError(
                        f"another kinfolio has held {self._folder / 'lock'} for "
                        f"{LOCK_SECONDS:.0f} seconds; end it and run the command again"
                    ) from error
            try:
                yield
            finally:
                lock.release()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, KinfolioError):
                raise
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ServerError(
                    f"the disk of {self.home} is full; free about 500 MB, or set KINFOLIO_HOME "
                    "to a folder with more room"
                ) from error
            raise ServerError(
                f"{self.home} cannot be written ({error.strerror or error}); "
                "set KINFOLIO_HOME to a folder that you may write"
            ) from error

    def _launch(self, progress: Callable[[str], None]) -> ServerProcess:
        free = shutil.disk_usage(self._folder).free
        if free < LOWEST_FREE_BYTES:
            raise ServerError(
                f"{self.home} has {free / 1e6:.0f} MB of free disk and the server needs "
                f"{LOWEST_FREE_BYTES / 1e6:.0f}; free some, or set KINFOLIO_HOME to a folder with "
                "more room"
            )
        import psutil

        java = find_java(progress)
        classpath = os.pathsep.join(map(str, jars(self._folder / "jars.json", progress)))
        port = self._choose_port(progress)
        memory = memory_share(psutil.virtual_memory().total)
        for name in ("conf", "data", "logs", "run"):
            (self._neo4j / name).mkdir(parents=True, exist_ok=True)
        conf = self._neo4j / "conf" / "neo4j.conf"
        with whole_file(conf) as temporary:
            temporary.write_text(configuration(port, memory), "utf-8")
        program = [str(java.program), "-cp", classpath, *flags(java, memory)]
        progress(f"Starting Neo4j {NEO4J_VERSION} Community on 127.0.0.1:{port} ...")
        if not self._password_file.is_file():
            self._set_password(java, classpath)
        write_json(self._port_file, {"port": port})
        with self.log.open("wb") as log:
            child = subprocess.Popen(
                [
                    *program,
                    "org.neo4j.server.Neo4jCommunity",
                    f"--home-dir={self._neo4j}",
                    f"--config-dir={self._neo4j / 'conf'}",
                    "--console-mode",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._neo4j,
                # A Ctrl-C in the terminal, or closing it, must not reach the server.
                start_new_session=True,
            )
        # The server outlives this process on purpose; without this, Popen warns that it does.
        child.returncode = 0
        started = ServerProcess(pid=child.pid, started=processes.started_at(child.pid), port=port)
        processes.save(self._pid_file, started)
        return started

    def _choose_port(self, progress: Callable[[str], None]) -> int:
        known = self._known_port()
        if known is None:
            return processes.free_port()
        if processes.is_free(known):
            return known
        port = processes.free_port()
        progress(f"Port {known} is taken by another program; using {port} from now on")
        return port

    def _set_password(self, java: Java, classpath: str) -> None:
        password = secrets.token_urlsafe(24)
        self._admin(java, classpath, ["dbms", "set-initial-password", password])
        with whole_file(self._password_file) as temporary:
            temporary.chmod(0o600)
            temporary.write_text(password + "\n", "utf-8")

    def _admin(self, java: Java, classpath: str, arguments: Sequence[str]) -> str:
        answer = subprocess.run(
            [
                java.program,
                *SHORT_LIVED_FLAGS,
                *("-cp", classpath, "org.neo4j.cli.AdminTool", *arguments),
            ],
            env={
                **os.environ,
                "NEO4J_HOME": str(self._neo4j),
                "NEO4J_CONF": str(self._neo4j / "conf"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        printed = answer.stdout + answer.stderr
        if answer.returncode != 0:
            raise ServerError(
                f"the server's admin tool failed in {' '.join(arguments[:2])} "
                f"({useful_line(printed)}); type: kinfolio doctor"
            )
        return printed

    def _wait(self, started: ServerProcess) -> None:
        deadline = time.monotonic() + START_SECONDS
        connection = self._connection(started.port)
        try:
            while time.monotonic() < deadline:
                if self._running() is None:
                    self._pid_file.unlink(missing_ok=True)
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
                f"the server refuses the password in {self._password_file}; restore that file, "
                "or lose the data with: kinfolio db wipe --yes"
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
            return useful_line(self.log.read_text("utf-8", "replace"))
        except OSError:
            return "it left no log"


def status_of(connection: Connection) -> ServerStatus:
    """What is known of a server that is not kinfolio's own.

    Raises:
        WrongPassword: it answers and refuses.
    """
    return _asked(connection, home=None)


def _asked(connection: Connection, home: str | None) -> ServerStatus:
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
        home=home,
        managed=home is not None,
    )


def _is_healthy(connection: Connection) -> bool:
    # A login and no statement: the first statement on a fresh server costs seconds of planning.
    try:
        with Graph(connection) as graph:
            graph.check()
    except ServerUnreachable:
        return False
    return True


def _uri(port: int) -> str:
    return f"bolt://127.0.0.1:{port}"


def useful_line(log: str) -> str:
    """The line of a log that tells the most: the last that speaks of an error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("at ", "..."))]
    telling = [
        line
        for line in lines
        if any(word in line for word in ("Caused by", "ERROR", "Error", "Exception", "Invalid"))
    ]
    found = (telling or lines or ["it printed nothing"])[-1]
    return found[:200].rstrip(".")
