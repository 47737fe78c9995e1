"""The server's process: the one of the pid file whose arguments name the home.

A reused pid is another program or another home. The time of a start is not compared: it shifts when
the clock of the machine is set.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from kinfolio.errors import RunBroken, ServerError
from kinfolio.run import read_json, write_json

STOP_SECONDS = 20.0
_START_SECONDS = 0.5
"""Of a program, until its arguments can be read; those of a thread of the kernel stay empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProcess:
    """A started server."""

    pid: int
    port: int


def save(file: Path, process: ServerProcess) -> None:
    """Write the pid file atomically."""
    write_json(file, asdict(process))


def running(file: Path, home: Path) -> ServerProcess | None:
    """Return the process of the pid file, if it runs and is the server of that home."""
    if not file.is_file():
        return None
    try:
        content = read_json(file)
        process = ServerProcess(pid=int(content["pid"]), port=int(content["port"]))
    except (RunBroken, KeyError, TypeError, ValueError):
        return None
    return process if _find(process, home) is not None else None


def find_orphan(home: Path, port: int) -> ServerProcess | None:
    """Return the server of that home if it runs without a pid file."""
    for found in psutil.process_iter():
        try:
            if _names(home, found.cmdline()):
                return ServerProcess(pid=found.pid, port=port)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return None


def stop(process: ServerProcess, home: Path) -> None:
    """Terminate the server; kill it if it does not stop in time.

    Raises:
        ServerError: it does not end.
    """
    found = _find(process, home)
    if found is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        found.terminate()
        if _has_ended(found):
            return
        found.kill()
        if not _has_ended(found):
            raise ServerError(
                f"the server (process {found.pid}) does not end although it was killed; "
                "wait until its disk answers, or restart the machine"
            )


def _has_ended(process: psutil.Process) -> bool:
    """Wait until a process ends; one whose parent has not yet read its exit code has ended."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(0.1)
            return True
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
    return False


def _find(process: ServerProcess, home: Path) -> psutil.Process | None:
    try:
        found = psutil.Process(process.pid)
        is_ours = _names(home, _arguments(found)) and found.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return found if is_ours else None


def _arguments(process: psutil.Process) -> list[str]:
    """Return the arguments of a process, which are empty for a moment while a program starts."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        found: list[str] = process.cmdline()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.001)


def _names(home: Path, arguments: list[str]) -> bool:
    # A server of an older version may have been started by a link to its home.
    prefix = "--home-dir="
    return any(
        Path(argument.removeprefix(prefix)).resolve() == home
        for argument in arguments
        if argument.startswith(prefix)
    )


def is_listening(port: int) -> bool:
    """Return whether a program listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_listening(port: int, seconds: float) -> None:
    """Wait until a program listens on a port of this machine, at most some seconds."""
    deadline = time.monotonic() + seconds
    while not is_listening(port) and time.monotonic() < deadline:
        time.sleep(0.1)


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port of this machine."""
    with socket.socket() as probe:
        # As for the server, a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(preferred: int = 0) -> int:
    """Return a free port of this machine: the preferred one if possible."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def kill_tools(home: Path) -> None:
    """Kill admin tools that still use a home after their parent was killed."""
    for process in psutil.process_iter():
        try:
            arguments = process.cmdline()
            if "org.neo4j.cli.AdminTool" in arguments and (
                process.environ().get("NEO4J_HOME") == str(home)
            ):
                process.kill()
                process.wait()
        except psutil.Error:
            continue  # it has ended, or belongs to another user
