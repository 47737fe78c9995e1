"""The errors of kinfolio, and the commands that they suggest.

The text of a `KinfolioError` is shown to the user: the value received, the value expected, and the
next command, in one sentence. The command line prints it and exits with code 1.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def shell_command(*words: object) -> str:
    """Return a command of kinfolio that can be pasted into a shell: its words are quoted.

    A `Path` that begins with a dash is not taken for an option.
    """
    texts = [
        f"./{word}" if isinstance(word, Path) and str(word)[0] == "-" else str(word)
        for word in words
    ]
    return shlex.join(["kinfolio", *texts])


def quoted(value: object) -> str:
    """Return a value in quotes for a sentence; a long one, as an id may be, is cut."""
    text = repr(value)
    most = 100
    return text if len(text) <= most + 2 else f"{text[: most + 1]}...{text[-1]}"


class KinfolioError(Exception):
    """Base of all errors that are shown to the user as one line."""


class BadInput(KinfolioError, ValueError):
    """A file, a row or an argument is invalid."""


class BadConfig(KinfolioError, ValueError):
    """An option has a value outside its range."""


class NotFound(KinfolioError, LookupError):
    """A user, a product, a version or a file does not exist."""


class NotReady(KinfolioError, RuntimeError):
    """A step was run before a step that it requires."""


class RunBroken(KinfolioError, RuntimeError):
    """A run folder or a snapshot in it is incomplete or damaged."""


class FileError(KinfolioError):
    """The operating system refuses to write or read a file; see `kinfolio.os_errors`."""


class OutOfMemory(KinfolioError, MemoryError):
    """Memory is used up."""


class VersionDamaged(KinfolioError, RuntimeError):
    """A version of the embeddings in the graph, or a vector of it, is damaged."""


class ServerError(KinfolioError, RuntimeError):
    """The database could not be started, reached or used."""


class ServerBusy(ServerError):
    """A statement waited too long for others, and was ended."""


class ServerUnreachable(ServerError):
    """No server answers at the address of the database."""


class WrongPassword(ServerError):
    """The database refused the user name or the password."""


class QueryNotFound(KinfolioError, LookupError):
    """There is no `.cypher` file of that name."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in an operation that says what holds now; see `if_interrupted`."""


@contextmanager
def if_interrupted(text: str) -> Iterator[None]:
    """Tell what was written and what to type if Ctrl-C ends the block; the inner text counts."""
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt as error:
        raise Interrupted(text) from error
