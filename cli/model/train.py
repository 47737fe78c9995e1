"""`kinfolio train`: fit the model on the exported graph."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from kinfolio.cli.options import home, json_option, note, options_from, print_json, run_option
from kinfolio.gnn.training.config import TrainConfig


@click.command("train", epilog="Example:  kinfolio train --run runs/default")
@run_option
@options_from(TrainConfig)
@json_option
def command(run_folder: Path, as_json: bool, **options: Any) -> None:
    """Fit the model on the exported graph.

    What is left open is chosen on the validation interactions, as far as the budget of CPU time
    goes; run.json tells what was tried. A training that was cut off is gone on with.
    """
    config = TrainConfig(**options)
    from kinfolio.cli.progress import show_progress
    from kinfolio.gnn.training.train import train
    from kinfolio.run import Run

    try:
        with show_progress() as progress, _asked_to_stop() as is_stopped:
            trained = train(
                Run(run_folder),
                config,
                cache=home() / "cache" / "texts.sqlite",
                is_stopped=is_stopped,
                progress=progress,
            )
    except KeyboardInterrupt:
        note("what was trained so far is kept; type the same command to go on with it")
        raise
    valid = {"recall@20": trained.valid.recall, "ndcg@20": trained.valid.ndcg}
    if as_json:
        print_json({"epochs": trained.epochs, "valid": valid, "seconds": trained.seconds})
        return
    click.echo(
        f"trained in {trained.seconds:.0f} s: recall@20 {trained.valid.recall:.4f}, "
        f"NDCG@20 {trained.valid.ndcg:.4f} on valid "
        f"({trained.choice.dim} wide, tau {trained.tau:g}, "
        f"{'with' if trained.choice.text else 'without'} texts, "
        f"{'with' if trained.blend.recipe else 'without'} links)"
    )
    if trained.choice.skipped:
        click.echo(
            f"not tried within the budget: {', '.join(trained.choice.skipped)}; "
            "more CPU time is given by --budget",
            err=True,
        )
    if trained.has_stopped:
        note("this is the best until you stopped it; type the same command to go on with it")
    click.echo(f"next: kinfolio evaluate --run {run_folder}", err=True)


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was typed; when it is typed again, it interrupts as usual."""
    asked: list[int] = []

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        note("finishing with the best so far; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
