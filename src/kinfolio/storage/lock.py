"""The lock of a run folder: one process at a time writes a snapshot or a model there.

Reading is not locked: files are replaced whole. The lock of a killed process does not block.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from kinfolio.errors import FileError, NotReady, RunBroken
from kinfolio.os_errors import os_errors
from kinfolio.run import read_json, write_json

LOCK = ".lock"
_OWNER = ".lock.json"


@contextmanager
def locked(
    folder: Path, step: str, *, cure: str = "wait until it ends, or give another --run"
) -> Iterator[None]:
    """Hold the lock of a run folder.

    Args:
        folder: created if missing.
        step: name of the command, for others that want to work there.
        cure: what those can do.

    Raises:
        NotReady: another process holds it.
        FileError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock, owner = FileLock(folder / LOCK), folder / _OWNER
    with os_errors(folder, cure="give another --run"):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise NotReady(f"{folder} is in use: {_who(owner)}; {cure}") from None
    try:
        since = datetime.now().astimezone().isoformat(" ", "seconds")
        write_json(owner, {"step": step, "process": os.getpid(), "since": since})
        yield
    finally:
        owner.unlink(missing_ok=True)
        # While it is held: who waits for it looks whether it still is there.
        with suppress(OSError):
            (folder / LOCK).unlink()
        lock.release()


def _who(owner: Path) -> str:
    try:
        found = read_json(owner)
    except (FileError, RunBroken):
        return "another process has just begun to work there"
    return (
        f"kinfolio {found.get('step')} (process {found.get('process')}) has worked there since "
        f"{found.get('since')}"
    )
