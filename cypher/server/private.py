"""Files that only their owner may read: the home, runs and whatever else kinfolio writes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTS_OF_HOME = (
    *("server", "cache", "models", "logs", "demo", "chat", "rejects", "events", "web"),
)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_privately() -> None:
    """Let this process and its children create files that only their owner may read."""
    os.umask(_OTHERS)


@contextmanager
def private_files() -> Iterator[None]:
    """Let files created in the block be readable by their owner only."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def private_folder(folder: Path) -> None:
    """Create a folder that only its owner may enter."""
    with private_files():
        folder.mkdir(parents=True, exist_ok=True)


def tighten(home: Path) -> None:
    """Withdraw the rights of others from kinfolio's files in a home of an older version.

    A folder of `PARTS_OF_HOME` that is closed to others is not searched. The home itself may be a
    folder with other files, and then keeps its rights.
    """
    with suppress(OSError):  # of another owner
        parts = [entry for entry in home.iterdir() if entry.name in PARTS_OF_HOME]
        if parts and len(parts) == len(list(home.iterdir())):
            _close(home)
        for part in parts:
            if part.stat().st_mode & _OTHERS:
                for path in (part, *part.rglob("*")):
                    _close(path)


def _close(path: Path) -> None:
    mode = path.lstat().st_mode
    if mode & _OTHERS and not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
