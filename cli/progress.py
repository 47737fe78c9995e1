"""Progress on stderr: a spinner and bars on a terminal, otherwise a line every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from kinfolio.cli.output import console, json_log, log, print_message, visible
from kinfolio.telemetry.spans import span

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from kinfolio.records import Progress

_SECONDS_BETWEEN_LINES = 10.0
_T = TypeVar("_T")


@contextmanager
def spinner(step: str) -> Iterator[None]:
    """Display a spinner, on a terminal only, during a step that reports no progress."""
    status: AbstractContextManager[object] = (
        _console().status(visible(step)) if _has_display() else nullcontext()
    )
    with status, span(step):
        yield


def _has_display() -> bool:
    return sys.stderr.isatty() and not json_log.get()


@cache
def _console() -> Console:
    """Return the console of all displays: a spinner may run inside a step with bars."""
    return console(err=True)


@contextmanager
def show_progress(first_step: str) -> Iterator[Progress]:
    """Yield the progress callback of a long step: name, amount done and total (0: unknown).

    `first_step` is displayed until the first call.
    """
    with ExitStack() as stack:
        if _has_display():
            report = stack.enter_context(_bars(first_step))
        else:
            print_message(f"{first_step} ...")
            report = _json_lines() if json_log.get() else _lines()
        yield stack.enter_context(_traced(report, first_step))


def report_each(items: Sequence[_T], step: str, progress: Progress) -> Iterator[_T]:
    """Yield the items and report the number of completed ones."""
    for done, item in enumerate(items):
        progress(step, done, len(items))
        yield item
    progress(step, len(items), len(items))


def _name(step: str) -> str:
    """Return the constant part of a step's text: "training" of "training, loss 3.1"."""
    return step.partition(",")[0]


@contextmanager
def _bars(first_step: str) -> Iterator[Progress]:
    from rich import progress as rich
    from rich.table import Column

    columns = (
        rich.SpinnerColumn(finished_text=" "),
        # File names in a text are not markup. Long texts wrap.
        rich.TextColumn("{task.description}", markup=False, table_column=Column()),
        rich.BarColumn(bar_width=16),
        rich.TextColumn("{task.fields[amount]}", justify="right"),
        rich.TimeRemainingColumn(elapsed_when_finished=True),
    )
    bars = rich.Progress(*columns, console=_console())
    status = bars.console.status(visible(first_step))
    tasks: dict[str, rich.TaskID] = {}

    def report(step: str, done: int, total: int) -> None:
        status.stop()
        bars.start()
        name = _name(step)
        if name not in tasks:
            finish([task for task in bars.tasks if task.total is None])
            tasks[name] = bars.add_task(visible(step), total=total or None, amount="")
        amount = f"{done:,}/{total:,}" if total else f"{done:,}" if done else ""
        bars.update(
            tasks[name],
            description=visible(step.partition(", loss")[0]),
            completed=done,
            total=total or None,
            amount=amount,
        )

    def finish(unfinished: list[rich.Task]) -> None:
        """Fill bars whose total is unknown or was not reached (early stopping)."""
        for task in unfinished:
            bars.update(task.id, total=1, completed=1)

    status.start()
    try:
        yield report
    finally:
        finish(bars.tasks)
        status.stop()
        bars.stop()


@contextmanager
def _traced(report: Progress, first_step: str) -> Iterator[Progress]:
    """Record the time of each step, from its first call to the first call of the next."""
    with ExitStack() as stack:
        open_step = first_step
        stack.enter_context(span(first_step))

        def traced(step: str, done: int, total: int) -> None:
            nonlocal open_step
            if (name := _name(step)) != open_step:
                stack.close()
                stack.enter_context(span(name))
                open_step = name
            report(step, done, total)

        yield traced


def _json_lines() -> Progress:
    last_line, last_step = 0.0, ""

    def report(step: str, done: int, total: int) -> None:
        nonlocal last_line, last_step
        is_due = time.monotonic() - last_line > _SECONDS_BETWEEN_LINES
        if is_due or _name(step) != last_step or (total and done >= total):
            log(step, step=_name(step), done=done, total=total or None)
            last_line, last_step = time.monotonic(), _name(step)

    return report


def _lines() -> Progress:
    last_line = time.monotonic()
    open_step, open_done = "", 0

    def report(step: str, done: int, total: int) -> None:
        nonlocal last_line, open_step, open_done
        name = _name(step)
        if open_step and open_step != name:
            print_message(f"{open_step}: {open_done:,}")
            open_step = ""
        if total and done >= total:
            print_message(f"{step}: {done:,}")
            open_step = ""
        elif time.monotonic() - last_line > _SECONDS_BETWEEN_LINES:
            print_message(f"{step}: {done:,}" + (f" of {total:,}" if total else ""))
        else:
            open_step, open_done = ("" if total else name), done
            return
        last_line = time.monotonic()

    return report
