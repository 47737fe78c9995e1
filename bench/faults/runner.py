"""Causes faults and checks what the user sees and what holds afterwards.

A fault is a function with `@fault(kind, command)`. Its docstring names the fault; it gets a
`Place` and returns what holds afterwards. It fails by `place.check` or by `place.refused`, which
accepts one sentence on stderr and exit code 1, and no traceback.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.commands import Answer, How, forked, fresh

from kinfolio.gnn.training.train import read_embeddings
from kinfolio.records import Connection
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot


class NotWhole(Exception):
    """Something does not hold after a fault."""


class Skipped(Exception):
    """The fault cannot be caused on this machine."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the table."""

    kind: str
    name: str
    command: str
    cause: Callable[[Place], str]
    is_short: bool
    """Whether it belongs to the short form, which the tests run."""
    needs_server: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a fault."""

    fault: Fault
    seen: str
    holds: str
    is_ok: bool | None
    """None: skipped."""
    seconds: float


FAULTS: list[Fault] = []


def fault(
    kind: str, command: str, *, short: bool = False, server: bool = False
) -> Callable[[Callable[[Place], str]], Callable[[Place], str]]:
    """Add a function to the table."""

    def add(cause: Callable[[Place], str]) -> Callable[[Place], str]:
        name = " ".join((cause.__doc__ or "").split()).removesuffix(".")
        FAULTS.append(Fault(kind, name, command, cause, short, server))
        return cause

    return add


@dataclass
class World:
    """What the faults of one run of the table share: a sound run, and one server."""

    folder: Path
    make_run: Callable[[Path], Run]
    _sound: Run | None = None

    @property
    def home(self) -> Path:
        """`KINFOLIO_HOME` of the server."""
        return self.folder / "home"

    def sound(self) -> Run:
        """Return a trained run; it must not be changed."""
        if self._sound is None:
            self._sound = self.make_run(self.folder / "sound")
        return self._sound

    def connection(self) -> Connection:
        """Return a managed server of its own, which is started if it does not run."""
        from kinfolio.cypher.server.server import Server

        return Server(self.home).start(lambda text: None)

    def stop(self) -> None:
        """Stop the server and remove everything."""
        from kinfolio.cypher.server.server import Server

        Server(self.home).wipe()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Place:
    """A folder of its own for one fault, and commands in it."""

    world: World
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    """For all commands; a server's address is added by `use_server`."""
    seen: str = ""
    """What the user saw of the command that met the fault; empty: that it ended well."""

    def use_server(self) -> Connection:
        """Let the commands use the shared server."""
        found = self.world.connection()
        self.env |= {
            "NEO4J_URI": found.uri,
            "NEO4J_USERNAME": found.username,
            "NEO4J_PASSWORD": found.password,
        }
        return found

    def copy_of_run(self, name: str = "run") -> Run:
        """Return a copy of the trained run, to be changed."""
        shutil.copytree(self.world.sound().folder, self.folder / name)
        return Run(self.folder / name)

    def kinfolio(self, *words: object, how: How | None = None, is_fresh: bool = False) -> Answer:
        """Run a command that meets the fault; `is_fresh`: in a new interpreter, a second more."""
        how = how or How()
        home = {"KINFOLIO_HOME": str(self.folder / "home"), "TMPDIR": str(self.folder)}
        how.env = home | self.env | how.env
        run = fresh if is_fresh else forked
        answer = run([str(word) for word in words], self.folder, how)
        self.seen = answer.sentence if answer.code else ""
        self.check("Traceback" not in answer.stderr, f"a traceback: {answer.stderr[-600:]}")
        return answer

    def done(self, *words: object, how: How | None = None) -> Answer:
        """Run a command before or after the fault; it must succeed."""
        seen = self.seen
        answer = self.kinfolio(*words, how=how)
        self.check(answer.code == 0, f"exit code {answer.code}: {answer.stderr[-400:]}")
        self.seen = seen
        return answer

    def warned(self, *words: object, says: str) -> Answer:
        """Run a command that must succeed in spite of the fault, with a message."""
        answer = self.done(*words)
        lines = [line for line in answer.stderr.splitlines() if re.search(says, line)]
        self.check(len(lines) == 1, f"{len(lines)} messages: {answer.stderr[-400:]}")
        self.seen = lines[0]
        return answer

    def refused(
        self, *words: object, says: str, how: How | None = None, is_fresh: bool = False
    ) -> Answer:
        """Run a command that must end with one sentence, which matches `says`."""
        answer = self.kinfolio(*words, how=how, is_fresh=is_fresh)
        self.check(answer.code == 1, f"exit code {answer.code}: {answer.stderr[-400:]}")
        errors = [line for line in answer.stderr.splitlines() if line.startswith("kinfolio: ")]
        self.check(len(errors) == 1, f"{len(errors)} sentences: {answer.stderr[-400:]}")
        self.check(re.search(says, errors[0]) is not None, f"not /{says}/: {errors[0]}")
        return answer

    def check(self, holds: bool, text: str) -> None:
        """Fail with a text unless something holds."""
        if not holds:
            raise NotWhole(text)

    def is_sound(self, run: Run) -> None:
        """Check that a run is equal to the undisturbed one: the hashes of snapshot and vectors."""
        expected, found = content_of(self.world.sound()), content_of(run)
        self.check(found == expected, f"{found} instead of {expected}")
        left = [path for path in run.folder.rglob(".*") if path.name not in (".lock", ".lock.json")]
        self.check(not left, f"left over: {[path.name for path in left]}")

    @contextmanager
    def disk(self, name: str, kilobytes: int, *, files: Path | None = None) -> Iterator[Path]:
        """Mount a small file system on a folder; `files` are copied into it."""
        folder = self.folder / name
        folder.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "kinfolio", folder)
        try:
            if files is not None:
                shutil.copytree(files, folder, dirs_exist_ok=True)
            yield folder
        finally:
            subprocess.run([str(shutil.which("umount")), "--lazy", folder], check=True)

    @contextmanager
    def read_only(self, name: str, files: Path | None = None) -> Iterator[Path]:
        """Mount a file system that cannot be written."""
        with self.disk(name, 20_000, files=files) as folder:
            _mount("-o", "remount,ro", "kinfolio", folder)
            yield folder


def content_of(run: Run) -> tuple[str, str]:
    """Return the hashes of a run's snapshot and of its vectors."""
    vectors = read_embeddings(run)
    digest = hashlib.sha256()
    for array in (vectors.user_vectors, vectors.product_vectors, vectors.bias):
        digest.update(array.tobytes())
    return read_snapshot(run.snapshot).hash, digest.hexdigest()


def run_faults(faults: list[Fault], world: World) -> Iterator[Result]:
    """Cause each fault in a folder of its own."""
    for one in faults:
        folder = Path(tempfile.mkdtemp(dir=world.folder, prefix="fault-"))
        place, started, holds = Place(world, folder), time.monotonic(), ""
        is_ok: bool | None = True
        try:
            if one.needs_server:
                place.use_server()
            world.sound()
            started = time.monotonic()
            holds = one.cause(place)
        except Skipped as reason:
            is_ok, holds = None, f"skipped: {reason}"
        except NotWhole as reason:
            is_ok, holds = False, f"FAILED: {reason}"
        seconds = time.monotonic() - started
        shutil.rmtree(folder, ignore_errors=True)
        seen = (place.seen or "ends well").replace(str(folder), "").replace(str(world.folder), "")
        yield Result(one, seen, holds, is_ok, seconds)


def as_json(results: list[Result]) -> str:
    """Return the results as a JSON document."""
    return json.dumps(
        [
            {
                "kind": one.fault.kind,
                "fault": one.fault.name,
                "command": one.fault.command,
                "seen": one.seen,
                "holds": one.holds,
                "ok": one.is_ok,
                "seconds": round(one.seconds, 2),
            }
            for one in results
        ],
        indent=1,
    )


def _mount(*arguments: object) -> None:
    command = shutil.which("mount")
    if os.geteuid() != 0 or command is None:
        raise Skipped("only the superuser can mount a small disk")
    done = subprocess.run([command, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise Skipped(f"mount: {done.stderr.strip()}")
