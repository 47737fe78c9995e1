"""The folder of the managed server: its files, lock, password and port.

`HOME/server` contains `neo4j/` (the server's home, with `data`), `password` (mode 0600),
`jars.json`, `port.json`, `process.json` and `lock`.
"""

from __future__ import annotations

import errno
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kinfolio.errors import KinfolioError, ServerError, WrongPassword
from kinfolio.records import Connection
from kinfolio.run import read_json, whole_file, write_json

USERNAME = "neo4j"
DATABASE = "neo4j"
MIN_FREE_BYTES = 500_000_000
LOCK_SECONDS = 300.0


class ServerHome:
    """The files of one server."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "server"
        self.neo4j = self.folder / "neo4j"
        self.conf = self.neo4j / "conf"
        self.log = self.neo4j / "logs" / "console.log"
        self.jars_file = self.folder / "jars.json"
        self.pid_file = self.folder / "process.json"
        self.password_file = self.folder / "password"
        self.import_marker = self.folder / "importing"
        """Exists while the offline importer runs, that is, while the data is incomplete."""
        self._port_file = self.folder / "port.json"

    @property
    def port(self) -> int | None:
        """Bolt port of the last start."""
        try:
            port = read_json(self._port_file)["port"]
        except (KinfolioError, KeyError):
            return None
        return port if isinstance(port, int) else None

    @port.setter
    def port(self, port: int) -> None:
        write_json(self._port_file, {"port": port})

    def connection(self, port: int) -> Connection:
        """Return the connection to the server at a port.

        Raises:
            WrongPassword: the password file cannot be read.
        """
        try:
            password = self.password_file.read_text("utf-8").strip()
        except OSError as error:
            raise WrongPassword(
                f"the server's password file {self.password_file} cannot be read; restore it, "
                "or lose the data with: kinfolio db wipe --yes"
            ) from error
        return Connection(uri=bolt_uri(port), username=USERNAME, password=password)

    def new_password(self) -> str:
        """Return a hexadecimal password: the admin tool reads a leading dash as an option."""
        return secrets.token_hex(24)

    def store_password(self, password: str) -> None:
        """Write the password to a file of mode 0600."""
        with whole_file(self.password_file) as temporary:
            temporary.chmod(0o600)
            temporary.write_text(password + "\n", "utf-8")

    def prepare(self, configuration: str) -> None:
        """Create the server's folders and write its configuration."""
        for name in ("conf", "data", "logs", "run"):
            (self.neo4j / name).mkdir(parents=True, exist_ok=True)
        with whole_file(self.conf / "neo4j.conf") as temporary:
            temporary.write_text(configuration, "utf-8")

    @property
    def has_database(self) -> bool:
        """Whether a server has created its database here."""
        return (self.neo4j / "data" / "databases" / DATABASE).is_dir()

    def remove_incomplete_import(self) -> None:
        """Remove the database of an interrupted import."""
        for kind in ("databases", "transactions"):
            folder = self.neo4j / "data" / kind / DATABASE
            if folder.exists():
                shutil.rmtree(folder)
        self.import_marker.unlink()

    def wipe(self) -> None:
        """Remove data, password and logs; the list of jars remains."""
        if self.neo4j.exists():
            shutil.rmtree(self.neo4j)
        for file in (self.password_file, self._port_file, self.import_marker):
            file.unlink(missing_ok=True)

    def check_disk_space(self) -> None:
        """Check the free disk space.

        Raises:
            ServerError: it does not suffice for a server.
        """
        free = shutil.disk_usage(self.folder).free
        if free < MIN_FREE_BYTES:
            raise ServerError(
                f"{self.home} has {free / 1e6:.0f} MB of free disk and the server needs "
                f"{MIN_FREE_BYTES / 1e6:.0f}; free some, or set KINFOLIO_HOME to a folder with "
                "more room"
            )

    @contextmanager
    def locked(self, on_message: Callable[[str], None]) -> Iterator[None]:
        """Hold the lock of this home; translate disk errors."""
        from filelock import FileLock, Timeout

        with self._disk_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / "lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                on_message("Another kinfolio is starting or stopping this server; waiting ...")
                try:
                    lock.acquire(timeout=LOCK_SECONDS)
                except Timeout as error:
                    raise ServerError(
                        f"another kinfolio holds {self.folder / 'lock'} for more than "
                        f"{LOCK_SECONDS:.0f} seconds; end it and run the command again"
                    ) from error
            try:
                yield
            finally:
                lock.release()

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, KinfolioError | BrokenPipeError):
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


def bolt_uri(port: int) -> str:
    """Return the address of a server on this machine."""
    return f"bolt://127.0.0.1:{port}"
