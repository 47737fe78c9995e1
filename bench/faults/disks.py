"""Faults of disks, folders and limits: the operating system refuses to write, read or allocate."""

from __future__ import annotations

import re
import resource
import shutil
from pathlib import Path

from faults.commands import How
from faults.data import TRAIN
from faults.runner import Place, content_of, fault

FULL = "full disk"
READ_ONLY = "read-only"
LIMITS = "limits"
STREAMS = "streams"


@fault(FULL, "train", short=True)
def full_run_folder(place: Place) -> str:
    """The run folder is on a full disk."""
    files = place.world.sound().folder
    with place.disk("run", _kilobytes(files) + 4, files=files) as run:
        before = (run / "model.safetensors").read_bytes()
        place.refused("train", *TRAIN, "--seed", "7", says="the disk is full")
        place.check((run / "model.safetensors").read_bytes() == before, "the model changed")
        place.done("evaluate", "--run", "run")
    return "the older model is evaluated as before"


@fault(FULL, "train")
def full_disk_at_first_training(place: Place) -> str:
    """The run folder is full before there is a model."""
    files = place.world.sound().snapshot
    with place.disk("run", _kilobytes(files) + 12) as run:
        shutil.copytree(files, run / "snapshot")
        place.refused("train", *TRAIN, says="the disk is full")
        names = [path.name for path in run.iterdir()]
        place.check("model.safetensors" not in names, f"{names}")
    return "no model, nothing half written"


@fault(FULL, "report")
def full_report(place: Place) -> str:
    """The run folder has no space for a report."""
    files = place.world.sound().folder
    with place.disk("run", _kilobytes(files) + 4, files=files) as run:
        place.refused("report", "--run", "run", says=r"report\.html cannot be written.*is full")
        place.check(not (run / "report.html").exists(), "half a report")
    return "no report"


@fault(FULL, "train, with KINFOLIO_HOME on a full disk")
def full_home(place: Place) -> str:
    """The home folder is on a full disk."""
    run, words = place.copy_of_run(), (*TRAIN, "--text", "on")
    with place.disk("home", 4):
        place.warned("train", *words, says="texts.sqlite cannot be written: the disk is full.*cont")
    found = content_of(run)
    run.model.unlink()
    run.info.unlink()
    place.done("train", *words)
    place.check(content_of(run) == found, "another model")
    return "the model is the undisturbed one"


@fault(READ_ONLY, "train", short=True)
def read_only_run(place: Place) -> str:
    """The run folder is on a read-only file system."""
    with place.read_only("run", place.world.sound().folder):
        place.refused("train", *TRAIN, "--seed", "7", says="the file system is read-only")
        place.done("evaluate", "--run", "run")
    return "the older model is evaluated as before"


@fault(READ_ONLY, "report")
def read_only_report(place: Place) -> str:
    """A report into a read-only folder."""
    with place.read_only("run", place.world.sound().folder):
        place.refused("report", "--run", "run", says="read-only")
    return "nothing was written"


@fault(READ_ONLY, "runs")
def runs_of_a_read_only_folder(place: Place) -> str:
    """The run folder is read-only."""
    with place.read_only("run", place.world.sound().folder):
        answer = place.done("runs", "run")
        place.check("recall@20" in answer.stdout, answer.stdout)
    return "the run is listed"


@fault(LIMITS, "train, with ulimit -f", short=True)
def file_too_large(place: Place) -> str:
    """Files may have 4 kB."""
    run = place.copy_of_run()
    how = How(limits={resource.RLIMIT_FSIZE: 4096})
    place.refused("train", *TRAIN, "--seed", "7", says="largest size allowed", how=how)
    place.is_sound(run)
    return "the older model is unchanged; a checkpoint that is whole is resumed"


@fault(LIMITS, "train, with ulimit -n 24")
def few_descriptors(place: Place) -> str:
    """Only 24 files may be open."""
    run = place.copy_of_run()
    answer = place.kinfolio("train", *TRAIN, how=How(limits={resource.RLIMIT_NOFILE: 24}))
    place.check(answer.code in (0, 1), f"exit code {answer.code}")
    place.is_sound(run)
    return "the model is the undisturbed one"


@fault(LIMITS, "train --dim 4096, with ulimit -v")
def little_memory(place: Place) -> str:
    """A training may allocate 20 MB more."""
    run = place.copy_of_run()
    how = How(limits={resource.RLIMIT_AS: 20_000_000})
    words = [*TRAIN, "--dim", "4096", "--batch", "100000", "--negatives", "100000"]
    place.refused("train", *words, says="memory", how=how)
    place.is_sound(run)
    return "the older model is unchanged"


@fault(LIMITS, "train --run LONG")
def long_name(place: Place) -> str:
    """The name of the run has 300 characters."""
    name = "r" * 300
    place.refused("train", "--run", name, says="the name is too long; give a shorter one$")
    place.seen = re.sub(r"r{50,}( \.\.\. r+)?", "LONG", place.seen)
    return "nothing was written"


@fault(LIMITS, "train")
def file_in_place_of_the_run(place: Place) -> str:
    """The run is a file."""
    (place.folder / "run").write_text("years of work")
    answer = place.kinfolio("train", *TRAIN)
    place.check(answer.code == 2, f"exit code {answer.code}")  # a wrong argument
    place.check((place.folder / "run").read_text() == "years of work", "the file changed")
    return "the file is unchanged"


@fault(STREAMS, "--help > /dev/full", short=True)
def full_output(place: Place) -> str:
    """The output is a full device."""
    place.refused("--help", says="the disk is full", how=How(stdout="/dev/full"), is_fresh=True)
    return "exit code 1"


@fault(STREAMS, "--help >&-")
def closed_output(place: Place) -> str:
    """The output is closed."""
    answer = place.kinfolio("--help", how=How(stdout="closed"), is_fresh=True)
    place.check(answer.code == 1, f"exit code {answer.code}")
    return "exit code 1"


def _kilobytes(folder: Path) -> int:
    """Return the size of a folder on a tmpfs, in pages of 4 kB."""
    return sum(4 * (1 + path.lstat().st_size // 4096) for path in (folder, *folder.rglob("*")))
