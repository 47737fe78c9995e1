"""Damaged files: named with the step to run again, never believed, mended by that step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from faults.data import TRAIN, make_run, make_snapshot
from faults.runner import Place, fault

from kinfolio.run import Run
from kinfolio.snapshot import write_snapshot

MODEL, INFO, SNAPSHOT, OTHERS = "damaged model", "damaged run.json", "damaged snapshot", "damaged"
TRAIN_AGAIN, EXPORT_AGAIN = "type: kinfolio train", "type: kinfolio export"


def retrained(place: Place, run: Run, says: str, *commands: str) -> str:
    """Commands are refused; training again gives the undisturbed model."""
    for command in commands or ("evaluate",):
        place.refused(command, "--run", "run", says=says + ".*" + TRAIN_AGAIN)
    place.done("train", *TRAIN)
    place.is_sound(run)
    return "training again gives the undisturbed model"


def replaced(place: Place, run: Run, says: str, *commands: str) -> str:
    """Commands are refused; a new snapshot gives the undisturbed run."""
    for command in commands or ("train", "evaluate"):
        place.refused(command, "--run", "run", says=says + ".*" + EXPORT_AGAIN)
    if run.snapshot.is_symlink() or run.snapshot.is_file():
        run.snapshot.unlink()
    write_snapshot(make_snapshot(), run.snapshot)
    place.is_sound(run)
    return "a new snapshot gives the undisturbed run"


def flip(path: Path, part: float) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[int(part * (len(content) - 1))] ^= 4
    path.write_bytes(content)


@fault(MODEL, "evaluate, report, writeback", short=True)
def flipped_bit(place: Place) -> str:
    """One bit of the model is flipped."""
    run = place.copy_of_run()
    flip(run.model, 0.5)
    return retrained(place, run, "is damaged", "evaluate", "report")


@fault(MODEL, "evaluate")
def half_a_model(place: Place) -> str:
    """The model is cut in half."""
    run = place.copy_of_run()
    run.model.write_bytes(run.model.read_bytes()[: run.model.stat().st_size // 2])
    return retrained(place, run, "is damaged")


@fault(MODEL, "evaluate")
def empty_model(place: Place) -> str:
    """The model is an empty file."""
    run = place.copy_of_run()
    run.model.write_bytes(b"")
    return retrained(place, run, "is damaged")


@fault(MODEL, "evaluate")
def no_model(place: Place) -> str:
    """The model is missing."""
    run = place.copy_of_run()
    run.model.unlink()
    return retrained(place, run, "half written")


@fault(MODEL, "evaluate")
def model_of_another_run(place: Place) -> str:
    """The model is that of another run."""
    run = place.copy_of_run()
    shutil.copy(make_run(place.folder / "other", seed=1).model, run.model)
    return retrained(place, run, "of another run")


def _info(damage: Callable[[dict[str, object]], object]) -> Callable[[Place], str]:
    def cause(place: Place) -> str:
        run = place.copy_of_run()
        content = json.loads(run.info.read_text("utf-8"))
        damage(content)
        run.info.write_text(json.dumps(content), "utf-8")
        return retrained(place, run, r"run\.json is damaged")

    return cause


def _text(text: str) -> Callable[[Place], str]:
    def cause(place: Place) -> str:
        run = place.copy_of_run()
        run.info.write_text(text, "utf-8")
        return retrained(place, run, r"run\.json is damaged", "evaluate", "report")

    return cause


for _name, _cause in {
    "run.json is {}": _text("{}"),
    "run.json is empty": _text(""),
    "run.json is cut off": _text('{"config": {"te'),
    "run.json is nested 50,000 deep": _text('{"config": ' * 50_000),
    "run.json has a number of 5,000 digits": _text('{"tau": ' + "9" * 5_000 + "}"),
    "run.json has 1e400": _text('{"tau": 1e400}'),
    "tau is a text": _info(lambda info: info.update(tau="many")),
    "the metrics are a list": _info(lambda info: info.update(metrics=[])),
    "the choice is missing": _info(lambda info: info.pop("choice")),
}.items():
    _cause.__doc__ = _name
    fault(INFO, "evaluate", short=_name.endswith("{}"))(_cause)


@fault(INFO, "runs")
def runs_skip_what_is_damaged(place: Place) -> str:
    """One of two runs is damaged."""
    place.copy_of_run("runs/good")
    bad = place.copy_of_run("runs/bad")
    bad.info.write_text("[1]")
    answer = place.warned("runs", says="is skipped")
    place.check("runs/good" in answer.stdout and "runs/bad" not in answer.stdout, answer.stdout)
    return "the other run is listed"


@fault(SNAPSHOT, "train, evaluate", short=True)
def first_bytes(place: Place) -> str:
    """The first bytes of users.arrow are broken."""
    run = place.copy_of_run()
    flip(run.snapshot / "users.arrow", 0.0)
    return replaced(place, run, r"users\.arrow is damaged")


@fault(SNAPSHOT, "train, evaluate")
def flipped_bit_of_holdings(place: Place) -> str:
    """One bit of holdings.arrow is flipped."""
    run = place.copy_of_run()
    flip(run.snapshot / "holdings.arrow", 0.5)
    return replaced(place, run, r"holdings\.arrow is damaged")


@fault(SNAPSHOT, "train, evaluate")
def empty_table(place: Place) -> str:
    """products.arrow is empty."""
    run = place.copy_of_run()
    (run.snapshot / "products.arrow").write_bytes(b"")
    return replaced(place, run, r"products\.arrow is damaged")


@fault(SNAPSHOT, "train, evaluate")
def table_of_another_snapshot(place: Place) -> str:
    """holdings.arrow is that of another snapshot."""
    run = place.copy_of_run()
    write_snapshot(make_snapshot(seed=1), place.folder / "other")
    shutil.copy(place.folder / "other" / "holdings.arrow", run.snapshot)
    return replaced(place, run, r"holdings\.arrow is damaged")


@fault(SNAPSHOT, "train, evaluate")
def deep_manifest(place: Place) -> str:
    """The manifest is nested 50,000 deep."""
    run = place.copy_of_run()
    (run.snapshot / "manifest.json").write_text("[" * 50_000)
    return replaced(place, run, r"manifest\.json is damaged")


@fault(SNAPSHOT, "train, evaluate")
def wrong_counts(place: Place) -> str:
    """The manifest counts 1e18 holdings."""
    run = place.copy_of_run()
    path = run.snapshot / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["counts"]["holdings"] = 10**18
    path.write_text(json.dumps(manifest))
    return replaced(place, run, "not what its manifest says")


@fault(SNAPSHOT, "train, evaluate")
def no_manifest(place: Place) -> str:
    """The manifest is missing."""
    run = place.copy_of_run()
    (run.snapshot / "manifest.json").unlink()
    return replaced(place, run, "half written")


@fault(SNAPSHOT, "train, evaluate")
def link_to_nothing(place: Place) -> str:
    """The snapshot is a link to nothing."""
    run = place.copy_of_run()
    shutil.rmtree(run.snapshot)
    run.snapshot.symlink_to(place.folder / "nowhere")
    return replaced(place, run, "link to nothing")


@fault(SNAPSHOT, "train, evaluate")
def file_for_a_snapshot(place: Place) -> str:
    """The snapshot is a file."""
    run = place.copy_of_run()
    shutil.rmtree(run.snapshot)
    run.snapshot.write_text("hello")
    return replaced(place, run, "is a file")


@fault(SNAPSHOT, "evaluate")
def snapshot_of_another_graph(place: Place) -> str:
    """The snapshot is newer than the model."""
    run = place.copy_of_run()
    write_snapshot(make_snapshot(seed=1), run.snapshot)
    place.refused("evaluate", "--run", "run", says="trained on another snapshot")
    return "the model is not measured on the wrong data"


@fault(OTHERS, "train")
def checkpoints_are_a_file(place: Place) -> str:
    """The folder of checkpoints is a file."""
    run = place.copy_of_run()
    (run.folder / "checkpoints").write_text("years of work")
    place.refused("train", *TRAIN, says="checkpoints is a file.*move it away")
    place.check((run.folder / "checkpoints").read_text() == "years of work", "changed")
    (run.folder / "checkpoints").unlink()
    place.is_sound(run)
    return "the file is unchanged, the older model too"


@fault(OTHERS, "train")
def checkpoints_hold_something_else(place: Place) -> str:
    """The folder of checkpoints holds other files."""
    run = place.copy_of_run()
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "thesis.txt").write_text("years of work")
    place.refused("train", *TRAIN, says="no checkpoint; move it away")
    place.check((run.folder / "checkpoints" / "thesis.txt").exists(), "deleted")
    return "the files are unchanged"
