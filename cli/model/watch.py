"""`kinfolio watch`: a refresh again and again, in the foreground."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.model.refresh import document, refresh_config, refresh_options, sentence
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.errors import Interrupted, KinfolioError

if TYPE_CHECKING:
    from kinfolio.api.refreshing.records import RefreshConfig


@click.command("watch", epilog="Example:  kinfolio watch --every 10m")
@click.option(
    "--every",
    default="10m",
    show_default=True,
    help="Time between two refreshes, such as 30s, 10m or 6h.",
)
@refresh_options
@options.mapping_option
@options.json_option
def command(every: str, as_json: bool, **values: Any) -> None:
    """Repeat `kinfolio refresh` until Ctrl-C or SIGTERM, with one line for each.

    A refresh that fails is told and repeated after the same time. On a server, a timer of systemd
    or cron does the same: see docs/operation/refresh.md.
    """
    from kinfolio.api.refreshing.records import parse_interval

    seconds, config = parse_interval(every), refresh_config(is_dry=False, **values)
    with _ended_by_signals():
        while True:
            _refresh_once(config, as_json)
            Event().wait(seconds)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End the block at Ctrl-C or SIGTERM, without an error."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except Interrupted as error:
        print_message(f"the watch ended; {error}")
    except KeyboardInterrupt:
        print_message("the watch ended")
    finally:
        signal.signal(signal.SIGTERM, before)


def _refresh_once(config: RefreshConfig, as_json: bool) -> None:
    from kinfolio.api.refreshing.refresh import refresh
    from kinfolio.environment import home

    at = datetime.now().astimezone().isoformat(" ", "seconds")
    try:
        with options.open_graph() as graph:
            done = refresh(graph, config, home=home(), note=print_message)
    except (KinfolioError, OSError, MemoryError) as error:
        if as_json:
            failed = {"published": False, "reason": str(error), "version": None}
            print_json(failed | {"before": {}, "after": {}, "failed": True, "at": at})
        else:
            echo(f"{at} failed: {error}")
        return
    if as_json:
        print_json(document(done) | {"failed": False, "at": at})
    else:
        echo(f"{at} {sentence(done)}")
