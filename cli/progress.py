"""How far a long step is, on stderr: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kinfolio.cli.options import note

if TYPE_CHECKING:
    from kinfolio.records import Progress

_SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def show_progress() -> Iterator[Progress]:
    """What a long step calls with its name, how much is done, and of how much (0: not known)."""
    if sys.stderr.isatty():
        with _bars() as tell:
            yield tell
    else:
        yield _lines()


def _name(step: str) -> str:
    """What a step is called however far it is: "training" of "training, loss 3.1"."""
    return step.partition(",")[0]


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        # Names of files come through here: no markup in them.
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, total: int) -> None:
            name = _name(step)
            if name not in tasks:
                tasks[name] = progress.add_task(step, total=total or None)
            progress.update(tasks[name], description=step, completed=done, total=total or None)

        yield tell


def _lines() -> Progress:
    last_line = time.monotonic()
    open_step, open_done = "", 0

    def tell(step: str, done: int, total: int) -> None:
        nonlocal last_line, open_step, open_done
        name = _name(step)
        if open_step and open_step != name:
            note(f"{open_step}: {open_done:,}")
            open_step = ""
        if total and done >= total:
            note(f"{step}: {done:,}")
            open_step = ""
        elif time.monotonic() - last_line > _SECONDS_BETWEEN_LINES:
            note(f"{step}: {done:,}" + (f" of {total:,}" if total else ""))
        else:
            open_step, open_done = ("" if total else name), done
            return
        last_line = time.monotonic()

    return tell
