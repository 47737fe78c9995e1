"""Start, reuse and stop of the server. A start takes seconds, so tests share one server."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server.home import ServerHome
from kinfolio.cypher.server.jars import jars
from kinfolio.cypher.server.server import Server
from kinfolio.errors import ServerError, WrongPassword
from kinfolio.records import Connection

START = """
import sys
from pathlib import Path
from kinfolio.cypher.server.server import Server
print(Server(Path(sys.argv[1])).start(lambda text: print(text, file=sys.stderr)).uri)
"""


def with_jars(home: Path, server_home: Path) -> Path:
    """A new home with the session's list of jars, so that they are not resolved again."""
    (home / "server").mkdir(parents=True)
    shutil.copy(server_home / "server" / "jars.json", home / "server" / "jars.json")
    return home


def pid_of(home: Path) -> int:
    pid: int = json.loads((home / "server" / "process.json").read_text())["pid"]
    return pid


def count_users(connection: Connection) -> int:
    with open_driver(connection) as driver, driver.session() as session:
        return len(session.run("MATCH (u:User) RETURN u.id").data())


class Started(NamedTuple):
    """Output of two processes that started one home at the same time."""

    home: Path
    uris: tuple[str, str]
    messages: str


@pytest.fixture(scope="module")
def started(
    server: Connection, server_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    """A second home, with spaces and an accent in its path, started by two processes at once."""
    home = with_jars(tmp_path_factory.mktemp("a home") / "señor's home", server_home)
    command = [sys.executable, "-W", "error", "-c", START, str(home)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        (first, err), (second, other_err) = (process.communicate() for process in both)
        assert [process.returncode for process in both] == [0, 0], err + other_err
        yield Started(home, (first.strip(), second.strip()), err + other_err)
    finally:
        Server(home).wipe()


def test_two_processes_that_start_one_home_get_one_server(started: Started) -> None:
    assert started.uris[0] == started.uris[1]
    assert started.messages.count("Starting Neo4j") == 1
    assert "Another kinfolio is starting" in started.messages


def test_two_homes_have_servers_of_their_own(
    started: Started, server: Connection, graph: Graph, run_cypher: Any
) -> None:
    run_cypher("CREATE (:User {id: 'only here', gid: 0})")
    other = Server(started.home).start(print)
    assert other.uri != server.uri
    assert other.password != server.password
    assert count_users(other) == 0
    assert count_users(server) == 1


def test_a_running_server_is_reused(started: Started) -> None:
    pid = pid_of(started.home)
    messages: list[str] = []
    assert Server(started.home).start(messages.append).uri == started.uris[0]
    assert pid_of(started.home) == pid
    assert messages == []


def test_the_status_has_all_fields(started: Started) -> None:
    found = Server(started.home).status()
    assert (found.running, found.managed, found.edition) == (True, True, "community")
    assert found.uri == started.uris[0]
    assert found.home == str(started.home)
    assert found.version is not None
    assert found.version.startswith("2026.")


def test_a_new_password_is_alphanumeric(tmp_path: Path) -> None:
    passwords = [ServerHome(tmp_path).new_password() for _ in range(500)]
    assert not [password for password in passwords if not password.isalnum()]


def test_only_the_owner_may_read_the_password(started: Started) -> None:
    assert (started.home / "server" / "password").stat().st_mode & 0o777 == 0o600


def test_the_server_listens_on_this_machine_only(started: Started) -> None:
    open_sockets = psutil.Process(pid_of(started.home)).net_connections("inet")
    assert {socket.laddr.ip.removeprefix("::ffff:") for socket in open_sockets} == {"127.0.0.1"}
    log = Server(started.home).log.read_text()
    assert "Started." in log
    assert "Usage Data is being sent" not in log
    assert "leet" not in log  # Fleet Manager, fleet discovery


def test_a_server_without_its_pid_file_is_found(started: Started) -> None:
    pid = pid_of(started.home)
    (started.home / "server" / "process.json").unlink()
    assert Server(started.home).start(print).uri == started.uris[0]
    assert pid_of(started.home) == pid


def test_after_a_crash_with_port_taken_and_pid_reused_the_data_are_served_again(
    started: Started,
) -> None:
    server = Server(started.home)
    connection = server.start(print)
    with open_driver(connection) as driver, driver.session() as session:
        session.run("CREATE (:User {id: 'committed'})").consume()
    file = started.home / "server" / "process.json"
    crashed = psutil.Process(pid_of(started.home))
    crashed.kill()
    psutil.wait_procs([crashed], timeout=10)
    # As if the operating system had reused the pid for another program: this one.
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "pid": os.getpid()}))
    assert not server.status().running
    messages: list[str] = []
    with closing(socket.create_server(("127.0.0.1", content["port"]))):
        again = server.start(messages.append)
    assert f"Port {content['port']} is in use by another program" in messages[0]
    assert again.uri != connection.uri
    assert again.password == connection.password
    assert count_users(again) == 1


def test_a_lost_password_is_reported_and_the_server_is_not_stopped(started: Started) -> None:
    file = started.home / "server" / "password"
    moved = file.rename(file.with_suffix(".moved"))
    try:
        with pytest.raises(WrongPassword, match="password cannot be read; restore it"):
            Server(started.home).start(print)
        assert psutil.pid_exists(pid_of(started.home))
    finally:
        moved.rename(file)


def test_stop_takes_less_than_four_seconds_and_wipe_retains_the_jars(started: Started) -> None:
    server = Server(started.home)
    server.start(print)
    process = psutil.Process(pid_of(started.home))
    before = time.monotonic()
    assert server.stop()
    took = time.monotonic() - before
    assert not process.is_running()
    assert took < 4 * slowness()
    assert not server.stop()
    server.wipe()
    left = sorted(path.name for path in (started.home / "server").iterdir())
    assert left == ["jars.json", "lock"]


def slowness() -> float:
    """Factor by which other programs on the same cores slow the tests down."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


# Without a running server from here on.


@pytest.fixture
def home(tmp_path: Path, server: Connection, server_home: Path) -> Path:
    """A new home with the list of jars."""
    return with_jars(tmp_path / "home", server_home)


def test_an_unused_home_has_nothing_to_stop_or_wipe(tmp_path: Path) -> None:
    server = Server(tmp_path / "never")
    assert not server.stop()
    server.wipe()
    assert not server.status().running
    assert server.status().uri is None
    assert not (tmp_path / "never").exists()


def refused(home: Path, expected: type[ServerError] = ServerError) -> str:
    """The error of a start; no process is left."""
    with pytest.raises(expected) as caught:
        Server(home).start(lambda _: None)
    assert not any(f"--home-dir={home}/" in " ".join(argv) for argv in command_lines())
    return str(caught.value)


def command_lines() -> list[list[str]]:
    found = psutil.process_iter(["cmdline"])
    return [process.info["cmdline"] or [] for process in found]


def test_a_failed_start_reports_the_reason_in_the_log(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "server" / "password").write_text("a password")
    monkeypatch.setattr(
        "kinfolio.cypher.server.server.configuration",
        lambda *_: "server.memory.pagecache.size=much\n",
    )
    text = refused(home)
    assert "the server stopped while starting" in text
    assert "'much' is not a valid size" in text
    assert str(Server(home).log) in text
    assert not (home / "server" / "process.json").exists()


def test_a_full_disk_is_reported_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=499_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    text = refused(tmp_path)
    assert "has 499 MB of free disk and the server needs 500" in text
    assert "KINFOLIO_HOME" in text


def test_a_disk_that_becomes_full_is_reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    text = refused(home)
    assert f"the disk of {home} is full; free about 500 MB" in text


@pytest.mark.parametrize("name", ["file/home", "file"])
def test_a_home_that_cannot_be_written_is_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    text = refused(tmp_path / name)
    assert f"{tmp_path / name} cannot be written" in text
    assert "set KINFOLIO_HOME to a folder that you may write" in text


def test_a_failed_download_of_jars_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("Failed to reach anything\nat all")

    monkeypatch.setenv("M2_REPO", str(tmp_path / "jars"))
    monkeypatch.setattr("kinfolio.cypher.server.jars._by_jgo", fail)
    text = refused(tmp_path)
    assert "could not be downloaded (Failed to reach anything at all)" in text
    assert "check the network and type: kinfolio db start" in text
    assert not (tmp_path / "server" / "jars.json").exists()


def test_the_download_of_jars_reports_its_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[str] = []
    has_reported_none, has_reported = threading.Event(), threading.Event()
    repository = tmp_path / "jars"

    def fetch(folder: Path, _: str | None) -> tuple[Path, ...]:
        assert has_reported_none.wait(10)
        jar = folder / "one.jar"
        jar.parent.mkdir()
        jar.write_bytes(b"x" * 2_000_000)
        assert has_reported.wait(10)
        return (jar,)

    def report(text: str) -> None:
        messages.append(text.strip())
        if "nothing downloaded" in text:
            has_reported_none.set()
        if "2 MB" in text:
            has_reported.set()

    monkeypatch.setenv("M2_REPO", str(repository))
    monkeypatch.setattr("kinfolio.cypher.server.jars.PROGRESS_SECONDS", 0.01)
    monkeypatch.setattr("kinfolio.cypher.server.jars._by_jgo", fetch)
    assert jars(tmp_path / "list.json", report) == (repository / "one.jar",)
    assert "Neo4j 2026.08.1 Community" in messages[0]
    assert "Maven's central repository" in messages[0]
    assert re.fullmatch(r"\d+ s: downloaded 1 jars, 2 MB, and 0 POM files ...", messages[-1])
    messages.clear()
    assert jars(tmp_path / "list.json", report) == (repository / "one.jar",)
    assert messages == []


def test_a_list_with_a_missing_jar_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads: list[Path] = []
    messages: list[str] = []
    jar = tmp_path / "one.jar"
    jar.touch()

    def fetch(folder: Path, _: str | None) -> tuple[Path, ...]:
        downloads.append(folder)
        return (jar,)

    monkeypatch.setenv("M2_REPO", str(tmp_path / "jars"))
    monkeypatch.setattr("kinfolio.cypher.server.jars._by_jgo", fetch)
    for damage in (jar.unlink, lambda: (tmp_path / "list.json").write_text("half writ"), None):
        jars(tmp_path / "list.json", messages.append)
        if damage:
            damage()
    assert len(downloads) == 3
