"""Damaged files of a run: named in one sentence with the step to run again, never believed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kinfolio.errors import BadInput, KinfolioError, NotReady, RunBroken
from kinfolio.gnn.evaluation.ablations import ablation_configs
from kinfolio.gnn.evaluation.evaluate import evaluate
from kinfolio.gnn.model_file import load_embeddings
from kinfolio.gnn.reporting.model_card import model_card
from kinfolio.gnn.reporting.plots import curves
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.train import read_embeddings, read_servable
from kinfolio.loaders.pyg.stores import open_stores
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot, write_snapshot
from kinfolio.snapshot_tables import TABLES
from kinfolio.storage.run_info import RunInfo
from tests.conftest import run_command
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, trained

WRONG: tuple[Any, ...] = (None, "many", [3], {"x": 1}, -1.5)


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinfolio.storage.document._REPLACED_SECONDS", 0.0)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A trained run."""
    folder = tmp_path_factory.mktemp("sound")
    return trained(folder, make_snapshot(seed=4), replace(SMALL, text="off"))


@pytest.fixture
def run(sound: Run, tmp_path: Path) -> Run:
    """A copy of it, to be damaged."""
    shutil.copytree(sound.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def refused(run: Run, *also: str) -> str:
    """Return the sentence with which `evaluate` refuses a run."""
    for command in ("evaluate", *also):
        answer = run_command(command, "--run", str(run.folder))
        assert answer.exit_code == 1, answer
        assert not answer.stdout
        *progress, sentence = answer.stderr.splitlines()
        assert sentence.startswith("kinfolio: "), answer.stderr
        assert all(line.endswith(" ...") for line in progress), answer.stderr
    return sentence


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def test_a_flipped_bit_anywhere_in_the_model_is_found(run: Run) -> None:
    content = run.model.read_bytes()
    for place in (0, 9, len(content) // 3, len(content) // 2, len(content) - 1):
        flip(run.model, place)
        assert "model.safetensors is damaged" in refused(run)
        assert f"type: kinfolio train --run {run.folder}" in refused(run)
        with pytest.raises(RunBroken, match="is damaged"):
            read_servable(run)
        run.model.write_bytes(content)
    evaluate(run)


def test_the_model_of_another_run_is_refused(run: Run, tmp_path: Path) -> None:
    other = trained(tmp_path / "other", make_snapshot(seed=5), replace(SMALL, text="off"))
    shutil.copy(other.model, run.model)
    assert "of another run" in refused(run)
    without_checksums(run)
    assert "of another run" in refused(run)
    shutil.copy(other.info, run.info)
    assert "trained on another snapshot" in refused(run)


def without_checksums(run: Run) -> None:
    """Make it a run of an earlier version."""
    info = json.loads(run.info.read_text())
    del info["checksums"]
    run.info.write_text(json.dumps(info))


MODELS: dict[str, Callable[[dict[str, Any], dict[str, str]], object]] = {
    "rows cut": lambda arrays, _: arrays.update(user_vectors=arrays["user_vectors"][:-1]),
    "columns cut": lambda arrays, _: arrays.update(
        product_vectors=arrays["product_vectors"][:, 1:]
    ),
    "other numbers": lambda arrays, _: arrays.update(bias=arrays["bias"].astype(np.float16)),
    "not finite": lambda arrays, _: arrays["user_vectors"].__setitem__(3, np.nan),
    "no bias": lambda arrays, _: arrays.pop("bias"),
    "links out of range": lambda arrays, _: arrays.update(
        link_offsets=np.arange(16),
        link_products=np.full(15, 99, np.int32),
        link_weights=np.ones(15, np.float32),
    ),
    "links that do not fit": lambda arrays, _: arrays["link_offsets"].__setitem__(2, 10**6),
    "99 heads": lambda _, header: header.update(heads="99"),
    "heads no number": lambda _, header: header.update(heads='"two"'),
    "heads nested": lambda _, header: header.update(heads="[" * 10_000 + "]" * 10_000),
    "ids cut": lambda _, header: header.update(user_ids='["u1"]'),
    "ids no texts": lambda _, header: header.update(product_ids=json.dumps([1] * 15)),
    "no snapshot": lambda _, header: header.pop("snapshot"),
}


@pytest.mark.parametrize("damage", MODELS)
def test_a_model_of_other_shapes_is_refused_without_checksums_too(damage: str, run: Run) -> None:
    from safetensors import safe_open

    without_checksums(run)
    before = read_embeddings(run)
    with safe_open(run.model, "np") as file:
        header = file.metadata()
    arrays = load_file(run.model)
    MODELS[damage](arrays, header)
    save_file({name: np.ascontiguousarray(one) for name, one in arrays.items()}, run.model, header)
    with pytest.raises(RunBroken, match=r"model\.safetensors is damaged and cannot be read"):
        read_embeddings(run)
    assert before.user_ids


def _fields(content: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in content.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from _fields(value, (*path, name))


def test_no_field_of_run_json_can_crash_a_command(sound: Run, run: Run) -> None:
    info: RunInfo = sound.need_info()
    evaluation = evaluate(sound)
    num_refused = 0
    for path in _fields(dict(info)):
        for wrong in (*WRONG, KeyError):
            content = json.loads(sound.info.read_text())
            inner = content
            for name in path[:-1]:
                inner = inner[name]
            if wrong is KeyError:
                del inner[path[-1]]
            else:
                inner[path[-1]] = wrong
            run.info.write_text(json.dumps(content))
            try:
                found = run.need_info()
                model_card(evaluation, found, {}, "")
                curves(found["history"])
                ablation_configs(found)
            except KinfolioError:
                num_refused += 1
    assert num_refused > 100


CONTENTS = {
    "empty": "",
    "no object": "[]",
    "no field": "{}",
    "half": '{"config": {"te',
    "deep": '{"a": ' * 50_000,
    "many digits": '{"tau": ' + "9" * 5_000 + "}",
    "beyond 64 bits": '{"tau": 99999999999999999999}',
    "beyond floats": '{"tau": 1e400}',
    "infinite": '{"tau": Infinity}',
    "not a number": '{"tau": NaN}',
    "no text": "\x00\x01",
}


@pytest.mark.parametrize("content", CONTENTS)
def test_documents_that_are_no_run_json_or_manifest_are_damaged(content: str, run: Run) -> None:
    good = run.info.read_text()
    run.info.write_text(CONTENTS[content])
    assert f"{run.info} is damaged" in refused(run)
    listed = run_command("runs", str(run.folder))
    assert "is skipped" in listed.stderr
    run.info.write_text(good)
    manifest = run.snapshot / "manifest.json"
    manifest.write_text(CONTENTS[content])
    sentence = refused(run, "train", "report")
    assert "manifest.json" in sentence or "snapshot format None" in sentence
    assert f"type: kinfolio export --run {run.folder}" in sentence


def test_a_flipped_bit_anywhere_in_a_snapshot_is_found(run: Run) -> None:
    for table in TABLES:
        path = run.snapshot / f"{table}.arrow"
        content = path.read_bytes()
        for place in (0, 3, 7, len(content) // 2, len(content) - 20, len(content) - 1):
            flip(path, place)
            with pytest.raises(RunBroken, match="type: kinfolio export"):
                read_snapshot(run.snapshot)
            with pytest.raises(RunBroken, match="type: kinfolio export"):
                open_stores(run.snapshot)
            path.write_bytes(content)
    read_snapshot(run.snapshot)


def test_no_field_of_a_manifest_can_crash_a_command(run: Run) -> None:
    path = run.snapshot / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in ("format", "counts", "hash", "cut", "held_out", "files"):
        for wrong in WRONG:
            path.write_text(json.dumps(manifest | {name: wrong}))
            if (name, wrong) != ("cut", None):
                with pytest.raises(RunBroken, match="type: kinfolio export"):
                    read_snapshot(run.snapshot)
    counts = manifest["counts"] | {"holdings": 10**9}
    path.write_text(json.dumps(manifest | {"counts": counts}))
    with pytest.raises(RunBroken, match="not what its manifest says"):
        open_stores(run.snapshot)


def test_a_snapshot_of_an_earlier_version_is_read_and_its_content_is_checked(run: Run) -> None:
    path = run.snapshot / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["files"]
    path.write_text(json.dumps(manifest))
    read_snapshot(run.snapshot)
    holdings = run.snapshot / "holdings.arrow"
    flip(holdings, holdings.read_bytes().index(b"\x03\0\0\0\x03\0\0\0"))
    with pytest.raises(RunBroken):
        read_snapshot(run.snapshot)


OTHER_THINGS = ("nothing", "an empty file", "a text", "a folder", "a link to nothing")


@pytest.mark.parametrize("thing", OTHER_THINGS)
def test_other_things_in_place_of_a_file_are_named(thing: str, sound: Run, run: Run) -> None:
    for path in (run.snapshot, run.snapshot / "ties.arrow", run.info, run.model):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        if thing == "a folder":
            path.mkdir()
        elif thing == "a link to nothing":
            path.symlink_to(run.folder / "nowhere")
        elif thing != "nothing":
            path.write_text("hello" if thing == "a text" else "")
        sentence = refused(run)
        assert f"type: kinfolio {'export' if 'snapshot' in str(path) else 'train'}" in sentence
        assert str(run.folder) in sentence
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        shutil.copytree(sound.folder, run.folder, dirs_exist_ok=True)


def test_a_table_of_another_snapshot_is_refused(run: Run, tmp_path: Path) -> None:
    write_snapshot(make_snapshot(seed=5), tmp_path / "other")
    shutil.copy(tmp_path / "other" / "ties.arrow", run.snapshot)
    assert "ties.arrow is damaged" in refused(run)


def test_mapped_arrays_that_are_damaged_are_written_again(run: Run) -> None:
    kind = ("user", "holds", "product")
    open_stores(run.snapshot)
    files = sorted((run.snapshot / "arrays" / "counted").glob("*.npy"))
    assert len(files) > 10
    for file in files[::6]:
        content = file.read_bytes()
        for damage in (b"", content[:-1], content[:100] + b"x" + content[101:]):
            file.write_bytes(damage)
            open_stores(run.snapshot)[1].incoming(kind)
            assert file.read_bytes() == content


def test_checkpoints_that_are_something_else_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.write_text("a file")
    with pytest.raises(BadInput, match="is a file, a folder of checkpoints was expected"):
        Checkpoints(folder, {})
    folder.unlink()
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match=r"holds 'thesis\.txt', which is no checkpoint"):
        Checkpoints(folder, {})
    assert (folder / "thesis.txt").read_text() == "years of work"


def test_a_checkpoint_with_a_flipped_bit_is_not_resumed(tmp_path: Path) -> None:
    one = Checkpoints(tmp_path / "checkpoints", {"a": 1})
    for step in (1, 2):
        one.save({"head": 1}, {"step": step})
    assert one.load({"head": 1}) == {"step": 2}
    assert one.load({"head": 2}) is None
    (file,) = (tmp_path / "checkpoints").glob("*.pt")
    content = file.read_bytes()
    for place in range(0, len(content), 97):
        flip(file, place)
        assert one.load({"head": 1}) is None
        file.write_bytes(content)


def test_damaged_files_do_not_stop_the_step_that_writes_them(run: Run, tmp_path: Path) -> None:
    from kinfolio.gnn.training.train import train

    before = read_embeddings(run)
    run.model.write_bytes(b"")
    run.info.write_text("{}")
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "training.json").write_text("[" * 50_000)
    train(run, replace(SMALL, text="off"), cache=tmp_path / "texts")
    np.testing.assert_array_equal(read_embeddings(run).user_vectors, before.user_vectors)
    shutil.rmtree(run.snapshot)
    run.snapshot.symlink_to(tmp_path / "nothing")
    with suppress(BadInput):
        write_snapshot(make_snapshot(seed=4), run.snapshot)


def test_files_replaced_while_they_are_read_are_read_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = trained(tmp_path / "other", make_snapshot(seed=5), replace(SMALL, text="off"))
    read = load_embeddings

    def replaced_meanwhile(path: Path) -> object:
        found = read(path)
        for name in (run.model.name, run.info.name):
            os.replace(other.folder / name, run.folder / name)
        monkeypatch.setattr("kinfolio.gnn.model_file.load_embeddings", read)
        return found

    monkeypatch.setattr("kinfolio.gnn.model_file.load_embeddings", replaced_meanwhile)
    expected = make_snapshot(seed=5).hash
    assert read_embeddings(run).snapshot == expected


def test_a_run_that_is_not_there_is_not_damaged(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        read_embeddings(Run(tmp_path / "none"))
