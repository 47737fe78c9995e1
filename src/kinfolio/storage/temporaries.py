"""Temporary files and folders; what killed processes left is cleared by the next one.

Each is locked by its process (flock), and only unlocked ones of the same user are removed. Where a
file system has no such locks, nothing is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def temporary(parent: Path, prefix: str, *, is_folder: bool = False) -> Iterator[Path]:
    """Yield a new file or folder, which is removed at the end of the block.

    Args:
        parent: folder that contains it.
        prefix: begin of its name, only used for temporaries; older ones are removed if their
            process has ended.
        is_folder: a folder instead of a file.
    """
    clear_leftovers(parent, prefix)
    path, handle = _new(parent, prefix, is_folder=is_folder)
    try:
        yield path
    finally:
        _remove(path)
        os.close(handle)


def clear_leftovers(parent: Path, prefix: str) -> None:
    """Remove the temporaries of processes that have ended."""
    with suppress(OSError), os.scandir(parent) as entries:
        left = [Path(entry) for entry in entries if entry.name.startswith(prefix)]
        for path in left:
            with suppress(OSError):
                _remove_if_left(path)


def _new(parent: Path, prefix: str, *, is_folder: bool) -> tuple[Path, int]:
    while True:
        if is_folder:
            path = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
            handle = os.open(path, os.O_RDONLY)
        else:
            handle, name = tempfile.mkstemp(dir=parent, prefix=prefix)
            path = Path(name)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another process may have taken it for a leftover just before.
        if path.exists():
            return path, handle
        os.close(handle)


def _remove_if_left(path: Path) -> None:
    if path.lstat().st_uid != os.geteuid():
        return
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
