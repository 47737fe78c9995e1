"""The server's process, identified by its pid file; detects stale files and reused pids."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from kinfolio.errors import RunBroken
from kinfolio.run import read_json, write_json

STOP_SECONDS = 20.0
_CLOCK_SLACK_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProcess:
    """A started server."""

    pid: int
    started: float
    """Seconds since 1970 by the operating system; identifies a reused pid."""
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
        process = ServerProcess(
            pid=int(content["pid"]), started=float(content["started"]), port=int(content["port"])
        )
    except (RunBroken, KeyError, TypeError, ValueError):
        return None
    return process if _find(process, home) is not None else None


def find_orphan(home: Path, port: int) -> ServerProcess | None:
    """Return the server of that home if it runs without a pid file."""
    for found in psutil.process_iter():
        try:
            if f"--home-dir={home}" in found.cmdline():
                return ServerProcess(pid=found.pid, started=found.create_time(), port=port)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return None


def started_at(pid: int) -> float:
    """Return the start time of a process in seconds since 1970."""
    started: float = psutil.Process(pid).create_time()
    return started


def stop(process: ServerProcess, home: Path) -> None:
    """Terminate the server; kill it if it does not stop in time."""
    found = _find(process, home)
    if found is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        found.terminate()
        try:
            found.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            found.kill()
            found.wait(STOP_SECONDS)


def _find(process: ServerProcess, home: Path) -> psutil.Process | None:
    try:
        found = psutil.Process(process.pid)
        arguments = found.cmdline()
        is_ours = (
            abs(found.create_time() - process.started) < _CLOCK_SLACK_SECONDS
            and found.status() != psutil.STATUS_ZOMBIE
            # The arguments of a program that has just started may be empty.
            and (not arguments or f"--home-dir={home}" in arguments)
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return found if is_ours else None


def is_listening(port: int) -> bool:
    """Return whether a program listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


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


def free_port() -> int:
    """Return a free port of this machine."""
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
