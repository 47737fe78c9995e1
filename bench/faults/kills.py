"""Processes that are killed or interrupted, and two that work on one run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from faults.commands import How, Started, start
from faults.data import TRAIN
from faults.runner import Place, fault

from kinfolio.run import Run

KILLED, TWO = "killed", "two at once"
_FRESH_SEED = ("--seed", "7")


def again(place: Place, run: Run, how: How) -> str:
    """Train on a run without a model, stop it, train again."""
    run.model.unlink()
    run.info.unlink()
    answer = place.kinfolio("train", *TRAIN, how=how)
    place.check(answer.was_stopped, "it had ended before it was stopped")
    place.seen = "(killed)"
    left = sorted(path.name for path in run.folder.iterdir())
    place.done("train", *TRAIN)
    place.is_sound(run)
    return f"{', '.join(left)} left; training again gives the undisturbed model"


def _appears(place: Place, pattern: str) -> Callable[[], bool]:
    folder = place.folder / "run"
    return lambda: next(folder.glob(pattern), None) is not None


def _killed(pattern: str, number: int = signal.SIGKILL) -> Callable[[Place], str]:
    def cause(place: Place) -> str:
        run = place.copy_of_run()
        return again(place, run, How(stop=_appears(place, pattern), signal=number))

    return cause


for _name, _pattern in {
    "at its start": ".lock*",
    "while it prepares": "checkpoints",
    "when the first checkpoint is written": "checkpoints/.*",
    "after the first checkpoint": "checkpoints/*.pt",
    "while the model is written": ".model.new-*/*",
    "between the model and run.json": "model.safetensors",
}.items():
    for _number, _verb in ((signal.SIGKILL, "killed"), (signal.SIGTERM, "terminated")):
        _cause = _killed(_pattern, _number)
        _cause.__doc__ = f"Training is {_verb} {_name}"
        is_short = "after the first" in _name and _verb == "killed"
        fault(KILLED, "train", short=is_short)(_cause)


@fault(KILLED, "train, with Ctrl-C twice")
def interrupted(place: Place) -> str:
    """Ctrl-C is pressed twice during a training."""
    run = place.copy_of_run()
    started = start(
        ["train", *TRAIN, "--steps", "100000", "--budget", "1h", "--patience", "100000"],
        place.folder,
        How(env={"KINFOLIO_HOME": str(place.folder / "home")}),
    )
    _wait_for(lambda: any((run.folder / "checkpoints").glob("training.json")))
    time.sleep(0.2)
    os.kill(started.pid, signal.SIGINT)
    os.kill(started.pid, signal.SIGINT)
    answer = started.wait()
    place.check("Traceback" not in answer.stderr, answer.stderr)
    place.done("train", *TRAIN)
    place.is_sound(run)
    place.seen = answer.sentence if answer.code else ""
    return f"exit code {answer.code}; the next training gives the undisturbed model"


@fault(TWO, "train, twice", short=True)
def two_trainings(place: Place) -> str:
    """A second training starts on a run that is being trained."""
    run = place.copy_of_run()
    first = _long_training(place, run)
    try:
        place.refused("train", *TRAIN, says=rf"kinfolio train.*process {first.pid}.*since")
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    place.done("train", *TRAIN)  # the lock of a killed process does not block
    place.is_sound(run)
    return "the first one works on; when it is killed, the next one starts at once"


@fault(TWO, "evaluate, report, runs while train")
def reading_while_training(place: Place) -> str:
    """Commands read a run that is being trained."""
    run = place.copy_of_run()
    first = _long_training(place, run)
    try:
        place.done("evaluate", "--run", "run")
        place.done("runs", "run")
        place.done("report", "--run", "run")
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    return "they read the older model"


def _long_training(place: Place, run: Run) -> Started:
    started = start(
        ["train", *TRAIN, *_FRESH_SEED, "--steps", "100000", "--budget", "1h"],
        place.folder,
        How(env={"KINFOLIO_HOME": str(place.folder / "home")}),
    )
    _wait_for(lambda: (run.folder / "checkpoints" / "training.json").exists())
    return started


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
