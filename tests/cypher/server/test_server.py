"""Start, reuse and stop of the server. A start takes seconds, so tests share one server."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server import process
from kinfolio.cypher.server.home import ServerHome
from kinfolio.cypher.server.jars import Jar, jars
from kinfolio.cypher.server.private import tighten
from kinfolio.cypher.server.server import Server
from kinfolio.errors import (
    BadInput,
    FileError,
    Interrupted,
    KinfolioError,
    ServerError,
    WrongPassword,
)
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
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENAI_API_KEY": "sk-secret"},
        )
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


def test_only_the_owner_may_read_the_home(started: Started) -> None:
    assert not [path for path in (started.home, *started.home.rglob("*")) if open_to_others(path)]


def test_a_link_to_a_home_names_the_same_home(started: Started, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(started.home)
    assert Server(tmp_path / "link").start(print).uri == started.uris[0]


def test_a_clock_that_was_set_does_not_hide_a_running_server(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: 0.0)
    assert Server(started.home).status().running


def test_the_server_sees_no_keys_of_the_user(started: Started) -> None:
    environment = psutil.Process(pid_of(started.home)).environ()
    assert "PATH" in environment
    assert "OPENAI_API_KEY" not in environment


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
        with pytest.raises(
            WrongPassword,
            match=r"password is missing; restore it.*kinfolio db password --reset",
        ):
            Server(started.home).start(print)
        file.mkdir()
        with pytest.raises(FileError, match="password cannot be read: it is a folder"):
            Server(started.home).start(print)
        file.rmdir()
        assert psutil.pid_exists(pid_of(started.home))
    finally:
        moved.rename(file)


def test_stop_takes_less_than_four_seconds_and_wipe_retains_the_jars(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(started.home)
    server.start(print)
    process = psutil.Process(pid_of(started.home))
    before = time.monotonic()
    assert server.stop()
    took = time.monotonic() - before
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert took < 4 * slowness()
    assert not server.stop()
    with monkeypatch.context() as patch:
        patch.setattr("kinfolio.cypher.server.process.running", interrupt)
        with pytest.raises(Interrupted, match="nothing is deleted; to do so, type: kinfolio db w"):
            server.wipe()
        assert server.has_database
        patch.undo()
        patch.setattr(server.files, "drop_saved_data", interrupt)
        with pytest.raises(Interrupted, match="the graph is deleted, and a part of its files is"):
            server.wipe()
        assert not server.has_database
    server.wipe()
    left = sorted(path.name for path in (started.home / "server").iterdir())
    assert left == ["jars.json", "lock"]


def test_a_wipe_that_was_killed_before_it_removed_the_password_is_completed(
    home: Path,
) -> None:
    script = """
import os, sys
from pathlib import Path
from kinfolio.cypher.server.server import Server
Path.unlink = lambda *_, **__: os._exit(9)
Server(Path(sys.argv[1])).files.wipe()
"""
    server = Server(home)
    try:
        server.start(print)
        server.stop()
        old = server.files.password_file.read_text()
        killed = subprocess.run([sys.executable, "-c", script, str(home)], check=False)
        assert killed.returncode == 9
        assert server.files.password_file.exists()
        assert not server.has_database
        messages: list[str] = []
        with Graph(server.start(messages.append)) as graph:
            assert graph.read("load_counts")[0]["nodes"] == 0
        assert "A wipe was interrupted; what it left was removed" in messages
        assert server.files.password_file.read_text() != old
    finally:
        server.wipe()


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


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


def refused(home: Path, expected: type[KinfolioError] = ServerError) -> str:
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
    text = refused(home, FileError)
    assert f"{home}/server/neo4j/conf/neo4j.conf cannot be written: the disk is full" in text


@pytest.mark.parametrize("name", ["file/home", "file"])
def test_a_home_that_cannot_be_written_is_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    text = refused(tmp_path / name, FileError)
    assert f"{tmp_path / 'file'} cannot be written: it is a file, a folder was expected" in text
    assert "set KINFOLIO_HOME to a folder with room that you may write" in text


def test_a_failed_download_of_jars_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("Failed to reach anything\nat all")

    monkeypatch.setenv("M2_REPO", str(tmp_path / "jars"))
    monkeypatch.setattr("kinfolio.cypher.server.jars._fetch", fail)
    text = refused(tmp_path)
    assert "could not be downloaded (Failed to reach anything at all)" in text
    assert "check the network and type: kinfolio db start" in text


def test_jars_that_cannot_be_written_are_not_a_fault_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "file"))
    text = refused(tmp_path / "home", FileError)
    assert f"{tmp_path / 'file'} cannot be written: it is a file, a folder was expected" in text
    assert "set M2_REPO to another folder" in text


@pytest.fixture
def two_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Jar]:
    """A list of two jars in an empty repository; downloads deliver "one" and "two"."""
    listed = [
        Jar(hashlib.sha256(text.encode()).hexdigest(), "org.neo4j", text, "1")
        for text in ("one", "two")
    ]

    def fetch(jar: Jar) -> Path:
        jar.path.parent.mkdir(parents=True, exist_ok=True)
        jar.path.write_text(jar.artifact)
        return jar.path

    monkeypatch.setenv("M2_REPO", str(tmp_path / "jars"))
    monkeypatch.setattr("kinfolio.cypher.server.jars.listed_jars", lambda: listed)
    monkeypatch.setattr("kinfolio.cypher.server.jars._fetch", fetch)
    return listed


def test_missing_and_damaged_jars_are_downloaded_and_others_are_not(
    tmp_path: Path, two_jars: list[Jar]
) -> None:
    one, two = (jar.path for jar in two_jars)
    downloads = []
    for damage in (
        lambda: None,
        lambda: None,
        one.unlink,
        lambda: two.write_text("tow"),
        lambda: (tmp_path / "list.json").write_text("half writ"),
    ):
        damage()
        messages: list[str] = []
        assert jars(tmp_path / "list.json", messages.append) == (one, two)
        downloads.append(messages)
        assert (one.read_text(), two.read_text()) == ("one", "two")
    assert [len(messages) for messages in downloads] == [3, 0, 2, 2, 0]
    assert "Downloading 2 jars of Neo4j 2026.08.1 Community (GPLv3" in downloads[0][0]
    assert "2 of 2 jars" in downloads[0][-1]


def test_a_jar_of_another_content_is_never_run(
    tmp_path: Path, two_jars: list[Jar], monkeypatch: pytest.MonkeyPatch
) -> None:
    two_jars[1] = replace(two_jars[1], sha256="0" * 64)
    with pytest.raises(ServerError, match=r"two-1.jar is not the jar.*SHA-256"):
        jars(tmp_path / "list.json", print)


def test_the_password_is_no_argument_of_a_process(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java, log = tmp_path / "jdk" / "bin" / "java", tmp_path / "arguments"
    java.parent.mkdir(parents=True)
    java.write_text(
        f"""#!/bin/sh
        test "$1" = -version && echo 'version "25"' && exit
        printf '%s\\n' "$@" >> '{log}'; env >> '{log}'; exit 1
        """
    )
    java.chmod(0o700)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert "set-initial-password" in refused(home)
    given = log.read_text()
    assert f"@{home}/server/.password." in given
    assert "sk-secret" not in given
    assert not re.search(r"^[0-9a-f]{48}$", given, re.MULTILINE)
    assert not list((home / "server").glob(".password.*"))


def test_a_graph_of_a_newer_neo4j_is_refused(home: Path) -> None:
    ServerHome(home).store_version = "2031.01.0"
    with pytest.raises(BadInput, match=r"of Neo4j 2031.01.0, and this kinfolio runs the older"):
        Server(home).start(print)


def test_the_files_of_an_older_home_are_closed_to_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "server" / "neo4j").mkdir(parents=True)
    store = home / "server" / "neo4j" / "store"
    store.touch()
    (home / "server" / "link").symlink_to(tmp_path)
    for path in (home, home / "server", home / "server" / "neo4j", store, tmp_path):
        path.chmod(0o755)
    tighten(home)
    assert not [path for path in (home, *home.rglob("*")) if open_to_others(path)]
    assert open_to_others(tmp_path)
    (home / "holiday.jpg").touch()
    home.chmod(0o755)
    tighten(home)
    assert open_to_others(home)  # a folder with other files keeps its rights


def open_to_others(path: Path) -> bool:
    return not path.is_symlink() and path.stat().st_mode & 0o077 != 0


def test_a_server_whose_parent_never_waits_for_it_is_stopped(tmp_path: Path) -> None:
    child = [sys.executable, "-c", "import time; time.sleep(300)", f"--home-dir={tmp_path}"]
    parent = (
        "import subprocess, sys, time\n"
        "print(subprocess.Popen(sys.argv[1:]).pid, flush=True)\n"
        "time.sleep(300)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, *child], stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        server = process.ServerProcess(pid=pid, port=1)
        process.stop(server, tmp_path)
        assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        started.kill()


def test_a_server_whose_program_is_just_starting_is_running(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\nexec "$0" "$@"\n')  # starts again and again
    program.chmod(0o700)
    with subprocess.Popen([program, f"--home-dir={tmp_path}"]) as started:
        file = tmp_path / "process.json"
        process.save(file, process.ServerProcess(pid=started.pid, port=1))
        found = [process.running(file, tmp_path) for _ in range(2_000)]
        started.kill()
    assert found.count(None) == 0
