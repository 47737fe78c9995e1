"""Commands of kinfolio in processes of their own, under limits, and killed at chosen moments.

A forked command starts in milliseconds, since this process has imported all modules.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

MAX_SECONDS = 120.0


@dataclass
class How:
    """The surroundings of a command."""

    env: dict[str, str] = field(default_factory=dict)
    limits: dict[int, int] = field(default_factory=dict)
    """By resource, such as `resource.RLIMIT_FSIZE`; `RLIMIT_AS`: in addition to what is used."""
    stdin: str | None = ""
    """Text; None: closed."""
    stdout: str = ""
    """A file such as `/dev/full`; `closed`; empty: a pipe."""
    signal: int = signal.SIGKILL
    """Sent when `stop` returns True."""
    stop: Callable[[], bool] | None = None
    """Polled every millisecond; once True, the signal is sent."""
    after: float | None = None
    """Seconds, after which the signal is sent."""
    act: Callable[[], None] | None = None
    """Called instead of sending the signal."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left."""

    code: int
    """Exit code; negative: the signal that ended it."""
    stdout: str
    stderr: str
    seconds: float
    was_stopped: bool
    """Whether the signal was sent before the command had ended."""

    @property
    def sentence(self) -> str:
        """What the user sees last: the error, or the last line."""
        lines = self.stderr.strip().splitlines() or self.stdout.strip().splitlines() or [""]
        errors = [line for line in lines if line.startswith("kinfolio: ")]
        return (errors or lines)[-1].removeprefix("kinfolio: ").strip()


class Started:
    """A command that runs beside this process."""

    def __init__(self, pid: int, how: How, out: BinaryIO, err: BinaryIO) -> None:
        self.pid, self._how, self._out, self._err = pid, how, out, err
        self._started = time.monotonic()

    def wait(self) -> Answer:
        """Wait for the end, send the signal of `how` at its moment; kill what takes too long."""
        was_stopped = False
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            seconds = time.monotonic() - self._started
            if pid:
                break
            is_moment = (self._how.stop is not None and self._how.stop()) or (
                self._how.after is not None and seconds > self._how.after
            )
            if is_moment and not was_stopped:
                if self._how.act is None:
                    os.kill(self.pid, self._how.signal)
                else:
                    self._how.act()
                was_stopped = True
            if seconds > MAX_SECONDS:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.001)
        texts = [_text_of(file) for file in (self._out, self._err)]
        return Answer(os.waitstatus_to_exitcode(status), texts[0], texts[1], seconds, was_stopped)


def forked(words: list[str], folder: Path, how: How) -> Answer:
    """Run a command in a fork of this process."""
    return start(words, folder, how).wait()


def start(words: list[str], folder: Path, how: How) -> Started:
    """Start a command in a fork of this process."""
    out, err = (open(os.memfd_create("output"), "w+b") for _ in range(2))  # noqa: SIM115 read later
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Started(pid, how, out, err)
    code = 70
    try:
        _prepare(folder, how, out, err)
        code = _main(words)
    except KeyboardInterrupt:  # before the command began
        code = 130
    finally:
        os._exit(code)


def fresh(words: list[str], folder: Path, how: How) -> Answer:
    """Run a command in a new interpreter."""
    out, err = (open(os.memfd_create("output"), "w+b") for _ in range(2))  # noqa: SIM115 read later

    def prepare() -> None:
        _prepare(folder, how, out, err)

    process = subprocess.Popen(
        [sys.executable, "-m", "kinfolio.cli", *words],
        preexec_fn=prepare,  # this process has one thread
        close_fds=False,
        env={**os.environ, **how.env},
    )
    answer = Started(process.pid, how, out, err).wait()
    process.returncode = answer.code
    return answer


def preload() -> None:
    """Import what the commands import."""
    import kinfolio.cli.model.evaluate
    import kinfolio.cli.model.export
    import kinfolio.cli.model.runs
    import kinfolio.cli.model.train
    import kinfolio.cypher.graph
    import kinfolio.gnn.evaluation.evaluate
    import kinfolio.gnn.publishing.write_back
    import kinfolio.gnn.reporting.report
    import kinfolio.gnn.training.train
    import kinfolio.loaders  # noqa: F401


def _text_of(file: BinaryIO) -> str:
    with file:
        file.seek(0)
        return file.read().decode("utf-8", "replace")


def _prepare(folder: Path, how: How, out: BinaryIO, err: BinaryIO) -> None:
    os.chdir(folder)
    os.environ.update(how.env)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    inside = os.memfd_create("stdin")
    os.write(inside, (how.stdin or "").encode())
    os.lseek(inside, 0, os.SEEK_SET)
    os.dup2(inside, 0)
    is_device = how.stdout.startswith("/")
    os.dup2(os.open(how.stdout, os.O_WRONLY) if is_device else out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    if how.stdin is None:
        os.close(0)
    if how.stdout == "closed":
        os.close(1)
    for name, limit in how.limits.items():
        if name == resource.RLIMIT_AS:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit += pages * resource.getpagesize()
        resource.setrlimit(name, (limit, limit))


def _main(words: list[str]) -> int:
    """Run the command line as the interpreter would."""
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", write_through=True)
    from kinfolio.cli.main import main

    try:
        main(words)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
