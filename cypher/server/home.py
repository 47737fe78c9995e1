"""The folder of the managed server: its files, lock, password and port.

`HOME/server` contains `neo4j/` (the server's home, with `data`), `password`, `jars.json` (verified
jars), `port.json`, `store.json` (version of the data), `process.json` and `lock`. Only the owner
may read them.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kinfolio.cypher.server.private import private_files, private_folder, tighten
from kinfolio.errors import KinfolioError, ServerError, WrongPassword, if_interrupted
from kinfolio.os_errors import os_errors
from kinfolio.records import Connection
from kinfolio.run import read_json, whole_file, write_json

USERNAME = "neo4j"
DATABASE = "neo4j"
MIN_FREE_BYTES = 500_000_000
LOCK_SECONDS = 300.0


class ServerHome:
    """The files of one server."""

    def __init__(self, home: Path) -> None:
        home = home.resolve()  # a link names the same home
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
        self.saved_data = self.folder / "saved"
        """Data set aside by a restore, until it has succeeded."""
        self._scratch = self.folder / "scratch"
        self._data = self.neo4j / "data"
        self._port_file = self.folder / "port.json"
        self._store_file = self.folder / "store.json"

    @property
    def port(self) -> int | None:
        """Bolt port of the last start."""
        port = _read(self._port_file).get("port")
        return port if isinstance(port, int) else None

    @property
    def browser_port(self) -> int | None:
        """Port of Neo4j Browser; None: it is switched off."""
        port = _read(self._port_file).get("browser")
        return port if isinstance(port, int) else None

    def store_ports(self, port: int | None, browser: int | None) -> None:
        """Write the ports of the next start."""
        write_json(self._port_file, {"port": port, "browser": browser})

    @property
    def store_version(self) -> str | None:
        """Newest version of Neo4j that has opened the data."""
        version = _read(self._store_file).get("version")
        return version if isinstance(version, str) else None

    @store_version.setter
    def store_version(self, version: str) -> None:
        write_json(self._store_file, {"version": version})

    def connection(self, port: int) -> Connection:
        """Return the connection to the server at a port.

        Raises:
            WrongPassword: there is no password file.
            FileError: it cannot be read.
        """
        with os_errors(self.password_file, "read"):
            try:
                password = self.password_file.read_text("utf-8", "replace").strip()
            except FileNotFoundError as error:
                raise WrongPassword(
                    f"the server's password file {self.password_file} is missing; restore it from "
                    "a backup, or set a new password with: kinfolio db password --reset"
                ) from error
        return Connection(uri=bolt_uri(port), username=USERNAME, password=password, managed=True)

    def new_password(self) -> str:
        """Return a hexadecimal password: the admin tool reads a leading dash as an option."""
        return secrets.token_hex(24)

    def store_password(self, password: str) -> None:
        """Write the password to a file that only its owner may read."""
        with whole_file(self.password_file) as temporary:
            temporary.write_text(password + "\n", "utf-8")

    def forget_users(self) -> None:
        """Remove the password, and the server's database of users; the next start makes them."""
        for kind in ("databases", "transactions"):
            folder = self._data / kind / "system"
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self.password_file, self._data / "dbms" / "auth.ini"):
            file.unlink(missing_ok=True)

    def prepare(self, configuration: str) -> None:
        """Create the server's folders and write its configuration."""
        for name in ("conf", "data", "logs", "run"):
            private_folder(self.neo4j / name)
        with whole_file(self.conf / "neo4j.conf") as temporary:
            temporary.write_text(configuration, "utf-8")

    @property
    def has_database(self) -> bool:
        """Whether a server has created its database here."""
        return (self._data / "databases" / DATABASE).is_dir()

    def remove_incomplete_import(self) -> None:
        """Remove the database of an interrupted import."""
        for folder in self._database_folders():
            if folder.exists():
                shutil.rmtree(folder)
        self.import_marker.unlink()

    def save_data(self) -> None:
        """Set the database aside, so that another one can be restored."""
        for folder in self._database_folders():
            if folder.exists():
                private_folder(self.saved_data)
                folder.replace(self.saved_data / folder.parent.name)

    def return_data(self) -> None:
        """Return the database that was set aside, in place of an incomplete one."""
        for folder in self._database_folders():
            saved = self.saved_data / folder.parent.name
            if saved.exists():
                if folder.exists():
                    shutil.rmtree(folder)
                saved.replace(folder)
        self.drop_saved_data()

    def drop_saved_data(self) -> None:
        """Remove the database that was set aside."""
        if self.saved_data.exists():
            shutil.rmtree(self.saved_data)

    def _database_folders(self) -> list[Path]:
        return [self._data / kind / DATABASE for kind in ("databases", "transactions")]

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield an empty folder, removed after the block; the next call removes leftovers."""
        self.clear_scratch()
        private_folder(self._scratch)
        try:
            yield self._scratch
        finally:
            self.clear_scratch()

    @property
    def is_half_wiped(self) -> bool:
        """Whether a wipe was killed after it set the data aside; the password is left."""
        is_aside = any(self._scratch.glob(f"*/{self.neo4j.name}"))
        return is_aside and not self.neo4j.exists()

    def clear_scratch(self) -> None:
        """Remove what an interrupted wipe, dump or restore left."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def wipe(self) -> None:
        """Remove data, password and logs; the list of verified jars remains."""
        private_folder(self._scratch)
        if self.neo4j.exists():  # renamed first: half-deleted data is never opened
            self.neo4j.replace(Path(tempfile.mkdtemp(dir=self._scratch)) / self.neo4j.name)
        with if_interrupted(
            "the graph is deleted, and a part of its files is left; to delete these, too, type: "
            "kinfolio db wipe --yes"
        ):
            for file in (self.password_file, self._port_file, self._store_file, self.import_marker):
                file.unlink(missing_ok=True)
            self.drop_saved_data()
            shutil.rmtree(self._scratch)

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

        cure = "set KINFOLIO_HOME to a folder with room that you may write"
        with os_errors(self.home, cure=cure), private_files():
            private_folder(self.home)
            private_folder(self.folder)
            tighten(self.home)
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


def _read(file: Path) -> dict[str, Any]:
    # Any: values of a file that may be damaged.
    try:
        return read_json(file) if file.is_file() else {}
    except KinfolioError:
        return {}


def bolt_uri(port: int) -> str:
    """Return the address of a server on this machine."""
    return f"bolt://127.0.0.1:{port}"
