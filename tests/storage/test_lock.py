"""One process at a time writes into a run; what killed processes left is cleared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kinfolio.errors import NotReady
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.os_errors import scratch_folder
from kinfolio.run import Run, whole_file
from kinfolio.snapshot import read_snapshot, write_snapshot
from kinfolio.storage.lock import locked
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, run_of

HOLDER = """
import sys
from pathlib import Path
from kinfolio.os_errors import scratch_folder
from kinfolio.run import whole_file
from kinfolio.snapshot_writer import scratch_beside
from kinfolio.storage.lock import locked

folder = Path(sys.argv[1])
with {block} as held:
    print(held, flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(block: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process inside a `with` block; yields it, and what the block yields."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(block=block), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_the_second_one_is_told_who_works_there_and_a_killed_one_does_not_block(
    tmp_path: Path,
) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    config = replace(SMALL, text="off", quick=True, links="off")
    train(run, config, cache=tmp_path / "texts")
    with other_process('locked(folder, "train")', run.folder) as (process, _):
        sentence = rf"in use: kinfolio train \(process {process.pid}\) .* since 20\d\d-"
        with pytest.raises(NotReady, match=sentence):
            train(run, config, cache=tmp_path / "texts")
        with pytest.raises(NotReady, match="wait until it ends, or give another --run"):
            write_snapshot(make_snapshot(seed=5), run.snapshot)
        # Reading is not locked.
        read_embeddings(run)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert (run.folder / ".lock").exists()
        train(run, config, cache=tmp_path / "texts")
    assert sorted(path.name for path in run.folder.iterdir()) == [
        *("model.safetensors", "run.json", "snapshot")
    ]


def test_a_failed_step_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "run", "train"):
        raise KeyboardInterrupt
    with locked(tmp_path / "run", "train"), pytest.raises(NotReady, match=f"process {os.getpid()}"):
        locked(tmp_path / "run", "train").__enter__()
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.parametrize(
    "block",
    [
        'whole_file(folder / "l.tsv")',
        'scratch_beside(folder / "snapshot")',
        'scratch_folder("load")',
    ],
)
def test_what_a_killed_process_left_is_cleared_by_the_next_run_of_the_step(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_again() -> None:
        with whole_file(tmp_path / "l.tsv") as file:
            file.write_text("")
        with scratch_folder("load"):
            pass
        if "snapshot" in block:
            write_snapshot(make_snapshot(seed=4), tmp_path / "snapshot")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = tmp_path / ".l.tsv.notes"
    mine.write_text("years of work")
    with other_process(block, tmp_path) as (process, name):
        left = Path(name)
        assert left.exists()
        if "snapshot" not in block:  # which is locked
            run_again()
            assert left.exists()
        process.kill()
        process.wait()
        assert left.exists()
        run_again()
        assert not left.exists()
    assert mine.exists()


def test_an_export_killed_between_two_renames_has_lost_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path)
    write_snapshot(make_snapshot(seed=4), run.snapshot)
    expected = read_snapshot(run.snapshot).hash
    run.snapshot.rename(tmp_path / ".snapshot.old-abc")
    half = replace(make_snapshot(seed=5), product_texts=("too", "few"))
    with pytest.raises(ValueError, match="length"):
        write_snapshot(half, run.snapshot)
    assert read_snapshot(run.snapshot).hash == expected
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]
