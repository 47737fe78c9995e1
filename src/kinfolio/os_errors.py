"""Translation of errors of the operating system to one sentence: what failed, where, the remedy.

Covers `OSError`, `MemoryError`, and what sqlite3, pyarrow, safetensors, NumPy and torch raise
instead, recognised by texts and modules, so that no library is imported here.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal

from kinfolio.errors import FileError, KinfolioError, OutOfMemory
from kinfolio.storage.temporaries import temporary

Operation = Literal["write", "read", "use"]
_DONE = {"write": "written", "read": "read", "use": "used"}

_NOT_ELSEWHERE = {errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.EBADF, errno.ENOENT, errno.EBUSY}
"""Errors that another folder does not avoid."""
_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space there"),
    errno.EDQUOT: ("the disk quota is used up", "remove some of your files"),
    errno.EACCES: ("permission denied", "change its permissions"),
    errno.EPERM: ("permission denied", "change its permissions"),
    errno.EROFS: ("the file system is read-only", "make it writable"),
    errno.EFBIG: ("the file exceeds the largest size allowed", "type: ulimit -f unlimited"),
    errno.ENAMETOOLONG: ("the name is too long", "give a shorter one"),
    errno.EISDIR: ("it is a folder, a file was expected", "move it away"),
    errno.ENOTDIR: ("it is a file, a folder was expected", "move it away"),
    errno.EEXIST: ("something else has that name", "move it away"),
    errno.ENOENT: ("no such file or folder", "check the path"),
    errno.ELOOP: ("its symbolic links form a loop", "remove one of them"),
    errno.EMFILE: ("too many files are open", "type: ulimit -n 4096"),
    errno.ENFILE: ("too many files are open on this machine", "close other programs"),
    errno.EIO: ("the disk reports an input/output error", "check the disk"),
    errno.EBUSY: ("another program uses it", "end that program"),
    errno.EBADF: ("it is closed", "leave it open"),
}
"""Reason and remedy by error number."""
_NETWORK = {
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EADDRINUSE,
    errno.EADDRNOTAVAIL,
}
_SQLITE = {
    3: errno.EACCES,
    7: errno.ENOMEM,
    8: errno.EROFS,
    10: errno.EIO,
    13: errno.ENOSPC,
    14: 0,
    23: errno.EACCES,
}
"""Error numbers by primary result code of SQLite; 14, cannot open, has many causes."""
_SQLITE_LOCKED = {5, 6}
_SQLITE_DAMAGED = {1, 11, 26}
"""1, an error in a statement: the tables are other ones."""
_LIBRARIES = re.compile(
    r"inline_container|PytorchStreamWriter|iostream error|os error \d+|requested and \d+ written"
)
_MEMORY = re.compile(
    r"out of memory|allocate memory|can't start new thread|failed to map segment|bad_alloc", re.I
)


def os_errors(path: Path | str, operation: Operation = "write", *, cure: str = "") -> _Translation:
    """Return a context manager that translates errors of the operating system in its block.

    Other errors pass, above all a `KinfolioError`: `ServerUnreachable` is an `OSError`.

    Args:
        path: what the block writes or reads; an error with a path of its own names that.
        operation: for the sentence.
        cure: what the user can set or give instead, such as "give another --run".

    Raises:
        FileError: a file cannot be written or read.
        OutOfMemory: memory is used up.
    """
    return _Translation(path, operation, cure)


def temporary_prefix(path: Path) -> str:
    """Return the first characters of the names of temporary files beside a file."""
    # Short, as the name of a file has 255 bytes at most; no name that a user would give.
    return f".{path.name[:60]}.kinfolio-"


@contextmanager
def optional_file(path: Path, *, cure: str = "") -> Iterator[None]:
    """Log a warning where `os_errors` raises: the step does not need what the block writes."""
    try:
        with os_errors(path, cure=cure):
            yield
    except (FileError, OutOfMemory) as error:
        warn_once(f"{error}; this command continues without it")


@cache
def warn_once(text: str) -> None:
    """Log a warning, unless it was logged before."""
    logging.getLogger(__name__).warning(text)


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Yield an empty folder in `TMPDIR`, deleted at the end, and those of killed ones.

    Raises:
        FileError: it cannot be created or written.
    """
    with os_errors("the folder for temporary files", cure="set TMPDIR to another one"):
        place = Path(tempfile.gettempdir())
    with (
        os_errors(place, cure="set TMPDIR to a folder with more room"),
        temporary(place, f"kinfolio-{name}-", is_folder=True) as folder,
    ):
        yield folder


@dataclass(frozen=True, slots=True)
class _Translation:
    path: Path | str
    operation: Operation
    cure: str

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if error is not None:
            found = translated(error, self.path, self.operation, cure=self.cure)
            if found is not None:
                raise found from error


def translated(
    error: BaseException,
    path: Path | str | None = None,
    operation: Operation = "use",
    *,
    cure: str = "",
) -> KinfolioError | None:
    """Return the translation of an error; None if it is not the operating system's."""
    if isinstance(error, KinfolioError) or _is_of_network(error):
        return None
    if _is_out_of_memory(error):
        return OutOfMemory(
            f"memory is used up{_while(path, operation)}; close other programs, raise the limit of "
            "this one (ulimit -v), or use a machine with more memory"
        )
    if type(error).__module__ == "sqlite3":
        return _of_sqlite(error, path, operation, cure)
    if not isinstance(error, OSError) and not _LIBRARIES.search(str(error)):
        return None
    place = _place(error, path)
    number = _number(error, place)
    if number == errno.EEXIST and place is not None and place.is_file():
        number = errno.ENOTDIR
    if number == errno.ENOTDIR and place is not None:
        place = next((one for one in (place, *place.parents) if one.is_file()), place)
    return FileError(_sentence(place or path, operation, number, cure, str(error)))


def _is_of_network(error: BaseException) -> bool:
    """Return whether an error is not about files: sockets, or a library's own kind of `OSError`."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if not isinstance(error, OSError):
        return False
    is_foreign = type(error).__module__ != "builtins" and error.errno not in _REASONS
    return is_foreign or error.errno in _NETWORK


def refusal(error: BaseException, path: Path) -> KinfolioError | None:
    """Return the translation of an error in reading if the file may be whole; None if not."""
    if isinstance(error, KinfolioError):
        return None
    is_refused = _told_number(error) in set(_REASONS) - {errno.ENOENT, errno.EISDIR}
    return translated(error, path, "read") if is_refused else None


def _sentence(
    place: Path | str | None, operation: Operation, number: int, cure: str, text: str
) -> str:
    what = f"{place or 'a file'} cannot be {_DONE[operation]}"
    if number not in _REASONS:
        known = os.strerror(number) if number else " ".join(text.split())[:200]
        return f"{what} ({known}); {cure or 'check the disk and the path'}"
    reason, remedy = _REASONS[number]
    if operation == "read" and remedy == "move it away":
        remedy = "give another one"
    other = f", or {cure}" if cure and number not in _NOT_ELSEWHERE else ""
    return f"{what}: {reason}; {remedy}{other}"


def _of_sqlite(
    error: BaseException, path: Path | str | None, operation: Operation, cure: str
) -> KinfolioError:
    code, file = getattr(error, "sqlite_errorcode", 0) & 0xFF, path or "a database file"
    if code in _SQLITE_LOCKED:
        return FileError(
            f"{file} is in use by another program; wait until that has ended, and run the command "
            "again"
        )
    if is_damaged(error):
        return FileError(f"{file} is damaged ({error}); move it away, and a new one is created")
    number = _SQLITE.get(code)
    if number == 0 and path is not None:
        number = _why_not_opened(Path(path))
    if number == errno.EIO and _has_size_limit():
        number = errno.EFBIG
    return FileError(_sentence(path, operation, number or 0, cure, str(error)))


def is_damaged(error: BaseException) -> bool:
    """Return whether an error of sqlite3 means that the file is no database with these tables."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DAMAGED


def _why_not_opened(file: Path) -> int:
    """Return the error number of opening a file for appending, as SQLite does not tell it."""
    exists = file.exists()
    try:
        with file.open("ab"):
            pass
    except OSError as error:
        return error.errno or 0
    if not exists:
        file.unlink(missing_ok=True)
    return 0


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError | ImportError) and bool(_MEMORY.search(str(error)))


def _number(error: BaseException, place: Path | None) -> int:
    """Return the error number, guessed where the error does not tell it; 0: unknown."""
    if number := _told_number(error):
        return number
    # torch and NumPy tell only that less was written than should be.
    folder = next((one for one in place.parents if one.is_dir()), None) if place else None
    if folder is not None and shutil.disk_usage(folder).free < 1 << 16:
        return errno.ENOSPC
    return errno.EFBIG if _has_size_limit() else 0


def _told_number(error: BaseException) -> int:
    """Return the number in an error; torch, safetensors and NumPy have it in the text at best."""
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return number
    text = str(error)
    if match := re.search(r"os error (\d+)", text):
        return int(match[1])
    return next((known for known in _REASONS if os.strerror(known) in text), 0)


def _has_size_limit() -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY


def _place(error: BaseException, path: Path | str | None) -> Path | None:
    """Return the path of the error; that of the block for a temporary file of `whole_file`."""
    named = getattr(error, "filename", None)
    if not isinstance(named, str):
        return Path(path) if path else None
    if path and Path(named).name.startswith(temporary_prefix(Path(path))):
        return Path(path)
    return Path(named)


def _while(path: Path | str | None, operation: Operation) -> str:
    if path is None:
        return ""
    return f" while {path} is {_DONE[operation]}"
