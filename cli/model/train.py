"""`kinfolio train`: train the model on the exported graph."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress
from kinfolio.errors import if_interrupted, shell_command
from kinfolio.gnn.training.config import TrainConfig

if TYPE_CHECKING:
    from kinfolio.gnn.training.run_report import Trained


@click.command("train", epilog="Example:  kinfolio train --run runs/default")
@options.run_option
@options.options_from(TrainConfig)
@options.json_option
def command(run_folder: Path, as_json: bool, **values: Any) -> None:
    """Train the model on the exported graph.

    Other hyperparameters are selected on the validation set within the budget of CPU time; run.json
    records all trials. An interrupted training is resumed.
    """
    from kinfolio.run import Run

    config = TrainConfig(**values)
    with (
        if_interrupted("the checkpoints so far are saved; to resume, type the same command"),
        show_progress("preparing the training data") as progress,
        _stop_on_interrupt() as is_stopped,
    ):
        from kinfolio.gnn.training.train import train

        trained = train(
            Run(run_folder),
            config,
            cache=options.text_cache(),
            is_stopped=is_stopped,
            progress=progress,
        )
    valid = {"recall@20": trained.valid.recall, "ndcg@20": trained.valid.ndcg}
    if as_json:
        print_json({"epochs": trained.epochs, "valid": valid, "seconds": trained.seconds})
    else:
        _print(trained)
        print_message(f"next: {shell_command('evaluate', '--run', run_folder)}")


def _print(trained: Trained) -> None:
    echo(
        f"trained in {trained.seconds:.0f} s: recall@20 {trained.valid.recall:.4f}, "
        f"NDCG@20 {trained.valid.ndcg:.4f} on valid "
        f"(dim {trained.choice.dim}, tau {trained.tau:g}, "
        f"{'with' if trained.choice.text else 'without'} texts, "
        f"{'with' if trained.blend['recipe'] else 'without'} links)"
    )
    if trained.choice.skipped:
        print_message(
            f"not tried within the budget: {', '.join(trained.choice.skipped)}; "
            "give more CPU time with --budget"
        )
    if trained.has_stopped:
        print_message("this is the best model until the interrupt; type the same command to resume")


@contextmanager
def _stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield whether Ctrl-C was typed; the second Ctrl-C raises `KeyboardInterrupt`."""
    is_typed = is_told = False

    def stop(number: int, frame: object) -> None:
        nonlocal is_typed
        if is_typed:
            raise KeyboardInterrupt
        is_typed = True

    def is_stopped() -> bool:
        # Not in the handler: it may interrupt a print, and printing is not re-entrant.
        nonlocal is_told
        if is_typed and not is_told:
            is_told = True
            print_message("finishing with the best model so far; Ctrl-C again stops at once")
        return is_typed

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield is_stopped
    finally:
        signal.signal(signal.SIGINT, before)
