"""Errors that end a command: one line on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from datetime import UTC, datetime

import click

from kinfolio.cli.output import echo, print_usage
from kinfolio.environment import home, is_debugging
from kinfolio.errors import Interrupted, KinfolioError
from kinfolio.os_errors import translated
from kinfolio.run import whole_file

_WRONG_PATHS = (errno.ENAMETOOLONG, errno.ELOOP)
"""Errors in a path that the user gave: there are no details to tell."""


def tell(error: BaseException) -> int:
    """Print what ended a command; return its exit code."""
    if isinstance(error, click.ClickException):
        print_usage(error)
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return _tell_stop(error)
    if isinstance(error, BrokenPipeError):
        # The reader of the output (head, less) has exited: no message.
        return 1
    if isinstance(error, KinfolioError):
        _print(f"kinfolio: {error}")
    else:
        found = translated(error)
        text = str(found) if found else f"an unexpected error: {type(error).__name__}: {error}"
        is_clear = getattr(error, "errno", None) in _WRONG_PATHS
        details = "" if is_clear else f"; {_where_details(error)}"
        _print(f"kinfolio: {_shortened(text)}{details}")
    if is_debugging():
        echo(*"".join(traceback.format_exception(error)).splitlines(), err=True)
    return 1


def _tell_stop(error: BaseException) -> int:
    cause = error if isinstance(error, KeyboardInterrupt) else error.__cause__ or error.__context__
    if isinstance(cause, EOFError):
        _print("kinfolio: the input ended before the question was answered; nothing was changed")
        return 1
    if cause is None:
        _print("kinfolio: not confirmed; nothing was changed")
        return 1
    text = str(cause) if isinstance(cause, Interrupted) else "no half-written file remains"
    echo("", err=True)
    _print(f"interrupted; {text}")
    return 130


def _where_details(error: BaseException) -> str:
    """Write the traceback to a file of the home; return where it is."""
    now = datetime.now(UTC)
    file = home() / "logs" / f"error-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
    text = "".join([f"{now.isoformat()} {sys.argv}\n", *traceback.format_exception(error)])
    try:
        with whole_file(file) as temporary:
            temporary.write_text(text, "utf-8", "backslashreplace")
    except (KinfolioError, OSError, MemoryError):
        return "for details set KINFOLIO_DEBUG=1 and type the same command again"
    return f"details are in {file}"


def _print(text: str) -> None:
    echo(" ".join(text.split()), err=True)


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:100]} ... {text[-195:]}"
