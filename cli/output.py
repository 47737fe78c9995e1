r"""The only way to stdout and stderr: no terminal obeys what a name contains.

Escape sequences can set the clipboard, bidirectional marks reverse what is read, and a carriage
return overwrites it. All of these are printed visibly, like `\x1b` and `\u202e`.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from kinfolio.json_text import UNSAFE, json_text

if TYPE_CHECKING:
    from rich.console import Console

json_log: ContextVar[bool] = ContextVar("json_log", default=False)
"""Whether stderr is a log of JSON documents, one a line."""


def visible(text: str) -> str:
    """Return a text on one line: line breaks are blanks, what a terminal obeys is escaped.

    Tabs, which separate the columns of a table, remain.
    """
    return UNSAFE.sub(_escape, re.sub(r"[\n\r\v\f]+", " ", text))


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return char if char == "\t" else char.encode("unicode_escape").decode("ascii")


def cell(text: str, most: int | None = None) -> str:
    """Return a text for one cell of a table, cut to `most` characters."""
    line = visible(text.replace("\t", " ")).strip()
    return line if most is None or len(line) <= most else line[: most - 1] + "…"


def echo(*lines: str, bold: str = "", end: str = "\n", err: bool = False) -> None:
    """Print lines on stdout, or with `err` on stderr; the first one begins with a bold part.

    A line break inside a line, as in a name, does not begin a new one.
    """
    if err and json_log.get():
        if text := " ".join([bold, *lines]).strip():
            log(text, "error")
        return
    head = click.style(visible(bold), bold=True) if bold else ""
    click.echo(head + "\n".join(map(visible, lines)) + end, nl=False, err=err)


def print_message(text: str) -> None:
    """Print a message on stderr, separate from the answer on stdout."""
    if json_log.get():
        log(text)
        return
    # `click.echo` would bypass rich, which prints messages above a moving bar.
    print("\n".join(map(visible, text.split("\n"))), file=sys.stderr)


class _Printed(logging.Handler):
    """Prints what a step logs, such as a cache that is left out."""

    def emit(self, record: logging.LogRecord) -> None:
        print_message(record.getMessage())


def print_warnings() -> None:
    """Print the warnings of all steps like messages."""
    logger = logging.getLogger("kinfolio")
    if not logger.handlers:
        logger.addHandler(_Printed())


def log(message: str, level: str = "info", **values: object) -> None:
    """Print one line of the JSON log on stderr."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"time": now, "level": level, "message": message, **values}
    print(json_text(line), file=sys.stderr)


def print_json(answer: object) -> None:
    """Print one JSON document on stdout, on one line."""
    click.echo(json_text(answer))


def print_usage(error: click.ClickException) -> None:
    """Print an error of click on stderr, with the usage of the command."""
    text = io.StringIO()
    error.show(text)
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption | click.BadOptionUsage) and context is not None:
        arguments = [one for one in context.command.params if isinstance(one, click.Argument)]
        if arguments and not error.option_name.startswith("--"):
            example = f"{context.command_path} -- {error.option_name}"
            text.write(f"An id that begins with a dash comes after two dashes: {example}\n")
    echo(*text.getvalue().split("\n"), end="", err=True)


def confirm(question: str, *, abort: bool = False) -> bool:
    """Ask a question on stderr; "no" ends the command with `abort`."""
    return click.confirm(visible(question), abort=abort, err=True)


def console(*, err: bool = False) -> Console:
    """Return a console of rich, which does not escape: what it prints must be `visible`."""
    from rich.console import Console

    return Console(stderr=err)
