"""Real errors of the operating system become one sentence; nothing half written stays."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy
import torch

from kinfolio.errors import BadInput, FileError, OutOfMemory, RunBroken, ServerUnreachable
from kinfolio.llm_explain.checking.check import read_text
from kinfolio.os_errors import os_errors
from kinfolio.run import read_json, whole_file, write_json
from tests.limits import limit

ROWS = np.zeros(100_000)
"""More bytes than the largest size that the tests allow."""


def with_arrow(path: Path) -> None:
    table = pa.table({"x": ROWS})
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


WRITERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("x" * 800_000, "utf-8"),
    "bytes": lambda path: path.write_bytes(ROWS.tobytes()),
    "npy": lambda path: ROWS.tofile(path),
    "arrow": with_arrow,
    "safetensors": lambda path: safetensors.numpy.save_file({"x": ROWS}, path),
    "torch": lambda path: torch.save({"x": torch.from_numpy(ROWS)}, path),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_that_exceeds_the_limit_is_told_and_the_old_one_stays(
    writer: str, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    path.write_text("old", "utf-8")
    with (
        limit(resource.RLIMIT_FSIZE, 50_000),
        pytest.raises(FileError) as caught,
        whole_file(path) as temporary,
    ):
        WRITERS[writer](temporary)
    assert str(caught.value) == (
        f"{path} cannot be written: the file exceeds the largest size allowed; "
        "type: ulimit -f unlimited"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert path.read_text("utf-8") == "old"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("folder", "{0}/folder cannot be written: it is a folder, a file was expected"),
        ("file/below/out", "{0}/file cannot be written: it is a file, a folder was expected"),
        ("x" * 300, "cannot be written: the name is too long"),
    ],
)
def test_the_path_in_the_way_is_named(name: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("", "utf-8")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileError) as caught:
        write_json(tmp_path / name, {})
    assert sentence.format(tmp_path) in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_a_name_of_the_longest_length_is_written(tmp_path: Path) -> None:
    write_json(tmp_path / ("x" * 255), {"a": 1})
    assert read_json(tmp_path / ("x" * 255)) == {"a": 1}


def test_a_link_is_followed_and_a_device_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_json(tmp_path / "link", {"a": 1})
    assert (tmp_path / "link").is_symlink()
    assert read_json(tmp_path / "file") == {"a": 1}
    write_json(Path("/dev/null"), {})
    assert Path("/dev/null").is_char_device()
    with pytest.raises(FileError, match="/dev/full cannot be written: the disk is full"):
        write_json(Path("/dev/full"), {})


def test_a_file_that_cannot_be_read_is_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot be read: it is a folder"):
        read_json(tmp_path)
    for number, text in enumerate(("{", "[" * 100_000, f'{{"a": {"9" * 5_000}}}', "[]", "\0")):
        (tmp_path / str(number)).write_text(text, "utf-8")
        with pytest.raises(RunBroken):
            read_json(tmp_path / str(number))


def test_too_few_descriptors_are_told(tmp_path: Path) -> None:
    lowest = os.dup(0)
    os.close(lowest)
    with (
        limit(resource.RLIMIT_NOFILE, lowest),
        pytest.raises(FileError, match="too many files are open; type: ulimit -n 4096"),
    ):
        write_json(tmp_path / "out", {})


def test_a_file_that_the_system_refuses_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read: the name is too long"):
        read_text(tmp_path / ("x" * 300))
    with pytest.raises(BadInput, match="cannot be read as text"):
        read_text(tmp_path)


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: np.zeros(1 << 48),
        lambda: torch.zeros(1 << 48),
        lambda: pa.allocate_buffer(1 << 48),
        lambda: bytearray(1 << 48),
    ],
)
def test_used_up_memory_is_told(allocate: Callable[[], object]) -> None:
    sentence = "memory is used up while the model is read"
    with pytest.raises(OutOfMemory, match=sentence), os_errors("the model", "read"):
        allocate()


def insert(file: Path, size: int) -> None:
    with closing(sqlite3.connect(file, timeout=0)) as database, os_errors(file), database:
        database.execute("CREATE TABLE IF NOT EXISTS a (b)")
        database.execute("INSERT INTO a VALUES (?)", ("x" * size,))


def test_sqlite_is_told_by_cause(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    insert(file, 1)
    with limit(resource.RLIMIT_FSIZE, 50_000), pytest.raises(FileError) as caught:
        insert(file, 200_000)
    assert str(caught.value).startswith(f"{file} cannot be written: the file exceeds")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(FileError, match="is in use by another program; wait"):
            insert(file, 1)
    file.write_bytes(b"x" * 5_000)
    with pytest.raises(FileError, match=r"is damaged .*; move it away"):
        insert(file, 1)
    with pytest.raises(FileError, match="cannot be written: it is a folder"), os_errors(tmp_path):
        sqlite3.connect(tmp_path)


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    for error in (ServerUnreachable("gone"), ValueError("x"), RuntimeError("y"), TimeoutError()):
        with pytest.raises(type(error)) as caught, whole_file(tmp_path / "out"):
            raise error
        assert caught.value is error
    with (
        pytest.raises(FileError, match=r"a cannot be written \(Operation canceled\)"),
        os_errors("a"),
    ):
        raise OSError(errno.ECANCELED, "")


def test_another_place_is_proposed_only_where_it_helps() -> None:
    for number, helps in ((errno.ENOSPC, True), (errno.EROFS, True), (errno.EMFILE, False)):
        with pytest.raises(FileError) as caught, os_errors("a", cure="give another --out"):
            raise OSError(number, "")
        assert str(caught.value).endswith("or give another --out") == helps
