"""Commands with closed and full streams, narrow encodings, and files that cannot be written."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection
from tests.conftest import Cli, RunCypher, environment_of, write_six_users
from tests.limits import limit

FULL = "kinfolio: standard output cannot be written: the disk is full"
CLOSED = "kinfolio: standard output cannot be written: it is closed"
STREAMS = [
    # Command, redirection, exit code, the line on stderr.
    ("--version", ">/dev/full", 1, FULL),
    ("--version", ">&-", 1, CLOSED),
    ("completion bash", ">/dev/full", 1, FULL),
    ("completion bash", ">&-", 1, CLOSED),
    ("completion bash", ">&- 2>&-", 1, ""),
    ("completion bash", "<&- 2>&- >/dev/null", 0, ""),
    ("completion bash", "2>/dev/full >/dev/null", 0, ""),
    ("completion bash", "| true", 0, ""),
    ("runs --json", ">/dev/full", 1, FULL),
    ("recomend", "2>/dev/full", 2, ""),
    ("runs --no-such", "2>&-", 2, ""),
    ("load --check six", ">&-", 1, CLOSED),
    ("load --check six", "2>/dev/full >/dev/null", 0, ""),
]


def run_shell(
    command: str, folder: Path, environment: Mapping[str, str] = {}, input: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run `kinfolio` by a shell, with its streams as a user would redirect them."""
    return subprocess.run(
        ["bash", "-c", f"{shlex.quote(sys.executable)} -m kinfolio.cli {command}"],
        input=input,
        cwd=folder,
        env=os.environ | {"KINFOLIO_HOME": str(folder / "home")} | dict(environment),
        capture_output=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(("command", "redirection", "code", "line"), STREAMS)
def test_a_stream_that_cannot_be_used_is_told_in_one_line(
    command: str, redirection: str, code: int, line: str, tmp_path: Path
) -> None:
    write_six_users(tmp_path / "six")
    done = run_shell(f"{command} {redirection}", tmp_path)
    errors = [one for one in done.stderr.decode().splitlines() if one.startswith("kinfolio: ")]
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert len(errors) == bool(line)
    assert done.stderr.decode().find(line) >= 0


@pytest.fixture
def variables(server: Connection, server_home: Path) -> dict[str, str]:
    return environment_of(server, server_home)


def test_characters_that_a_stream_cannot_carry_are_escaped(
    six_users: Graph, run_cypher: RunCypher, variables: dict[str, str], tmp_path: Path
) -> None:
    name = "Ämber 🪙 €uro"
    run_cypher("MATCH (p:Product {id: 'C'}) SET p.name = $name", name=name)
    variables["PYTHONIOENCODING"] = "ascii"
    done = run_shell("show product C", tmp_path, variables)
    assert done.returncode == 0, done.stderr
    assert rb"\u00c4mber \ud83e\ude99 \u20acuro" in done.stdout
    variables["PYTHONIOENCODING"] = "latin-1"
    done = run_shell("show product C --json", tmp_path, variables)
    assert "Ämber".encode("latin-1") in done.stdout
    assert json.loads(done.stdout.decode("latin-1"))["properties"]["name"] == name


def test_a_chat_survives_a_line_that_is_no_text(
    six_users: Graph, variables: dict[str, str], tmp_path: Path
) -> None:
    lines = b"hello \xff\xfe\n\0\0\n why \0 A?\nhello\n"
    done = run_shell("chat u1 --model none --json", tmp_path, variables, lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert len(answers) >= 3
    assert answers[-1]["intent"] == "small_talk"
    done = run_shell("chat u1 --model none <&-", tmp_path, variables)
    assert done.returncode == 1
    assert b"standard input cannot be read: it is closed" in done.stderr


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".lock")
    }


FILES = [
    # Command, largest file in bytes, what stderr says.
    ("export --run {0}/run", 200, "{0}/run/snapshot cannot be written"),
    ("train --run {0}/whole --steps 5 --dim 8 --text off", 200, "cannot be written"),
    ("recommend --all --out {0}/lists.tsv", 20, "{0}/lists.tsv cannot be written"),
    ("map init {0}/names.toml", 200, "{0}/names.toml cannot be written"),
]


@pytest.mark.filterwarnings("ignore:.*joblib will operate in serial mode")
def test_a_command_that_cannot_write_says_so_and_leaves_nothing_half_written(
    six_users: Graph, cli: Cli, tmp_path: Path
) -> None:
    assert cli("export", "--run", f"{tmp_path}/whole").exit_code == 0
    before = content(tmp_path)
    for command, most, sentence in FILES:
        with limit(resource.RLIMIT_FSIZE, most):
            result = cli(*command.format(tmp_path).split())
        error = result.stderr.splitlines()[-1]
        assert result.exit_code == 1, command
        assert error.startswith("kinfolio: ")
        assert f"{sentence.format(tmp_path)}: the file exceeds the largest size" in error
        assert "Traceback" not in result.stderr
        assert {k: v for k, v in content(tmp_path).items() if "checkpoints" not in k} == before
    for command in ("export --run {0}/whole/run.json/x", "recommend --all --out {0}/file/l.tsv"):
        (tmp_path / "file").touch()
        (tmp_path / "whole" / "run.json").touch()
        result = cli(*command.format(tmp_path).split())
        assert result.exit_code == 1
        assert "is a file, a folder was expected" in result.stderr.splitlines()[-1]
    result = cli("recommend", "--all", "--out", "/dev/full")
    assert "kinfolio: /dev/full cannot be written: the disk is full" in result.stderr
    assert Path("/dev/full").is_char_device()


def test_a_load_does_not_need_its_list_of_rejected_rows(
    graph: Graph, cli: Cli, tmp_path: Path
) -> None:
    folder = write_six_users(tmp_path / "six")
    with (folder / "ties.tsv").open("a", encoding="utf-8") as file:
        file.write("u1\t\t\n")
    (tmp_path / "home").touch()
    result = cli("load", str(folder), "--rejects", str(tmp_path / "home" / "rejects.tsv"))
    assert result.exit_code == 0, result.stderr
    assert f"{tmp_path}/home cannot be written: it is a file" in result.stderr
    assert "this command continues without it" in result.stderr
    assert "1 rows were rejected" in result.stderr + result.stdout


def test_an_unexpected_error_is_one_line_and_its_details_are_in_a_file(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Callable[[], None]:
        raise ZeroDivisionError("no\nnumber")

    monkeypatch.setattr("click.shell_completion.BashComplete.source", fail)
    result = cli("completion", "bash", env={"KINFOLIO_HOME": str(tmp_path)})
    (log,) = (tmp_path / "logs").iterdir()
    assert result.exit_code == 1
    assert result.stderr == (
        f"kinfolio: an unexpected error: ZeroDivisionError: no number; details are in {log}\n"
    )
    assert "Traceback" in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0
    (tmp_path / "file").touch()
    result = cli("completion", "bash", env={"KINFOLIO_HOME": str(tmp_path / "file")})
    assert result.stderr.endswith("set KINFOLIO_DEBUG=1 and type the same command again\n")
    result = cli("completion", "bash", env={"KINFOLIO_HOME": str(tmp_path), "KINFOLIO_DEBUG": "1"})
    assert "Traceback" in result.stderr


def test_a_name_that_is_too_long_is_one_sentence_without_details(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "r" * 300
    result = cli("train", "--run", name, env={"KINFOLIO_HOME": str(tmp_path / "home")})
    assert result.exit_code == 1
    sentence = result.stderr.splitlines()[-1]
    assert re.fullmatch(
        r"kinfolio: r+ \.\.\. r+/snapshot cannot be used: the name is too long; give a shorter one",
        sentence,
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere: run it as another user")
def test_a_folder_without_permission_is_told(graph: Graph, cli: Cli, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = cli("recommend", "--all", "--out", str(tmp_path / "l.tsv"))
    assert "cannot be written: permission denied; change its permissions" in result.stderr
