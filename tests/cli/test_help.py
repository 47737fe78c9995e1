"""The examples in the help of the commands work on the graph of the demo."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from kinfolio.cli.main import cli as kinfolio
from kinfolio.cypher.graph import Graph
from kinfolio.run import Run
from tests.conftest import Result

PARSED_ONLY = {
    "demo": "trains a model; tests/conftest.py does the same",
    "db restore": "replaces the graph of the tests, as tests/cypher/server/test_upkeep.py does",
    "db stop": "stops the server of the tests",
    "db wipe": "deletes the graph of the tests",
    "map remove": "deletes the embeddings of the other examples",
    "train": "trains for minutes",
    "report": "repeats the evaluation of `evaluate`",
    "events add": "names a list that was shown, as tests/gnn/feedback/test_report.py does",
    "mcp": "waits for another program",
    "watch": "refreshes until it is stopped, as in tests/api/refreshing",
    "serve": "answers until it is stopped, as in tests/web",
    "token revoke": "names a token that was created before",
}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield all commands with their full names, in the order of the help."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


EXAMPLES = {name: command.epilog or "" for name, command in commands(kinfolio)}
# `map check` reads the file of `map init`. A split needs two versions; the active one stays.
_LAST = [
    *("map check", "writeback", "lineage", "versions approve", "versions split"),
    *("versions rollback", "versions drop"),
]
RUN = [name for name in EXAMPLES if name not in {*PARSED_ONLY, *_LAST, "map"}] + _LAST


def read_example(text: str) -> tuple[list[str], str]:
    """Return the arguments of an example and its standard input."""
    found = re.fullmatch(
        r"Example:  (?:echo '(.*)' \| )?(?:eval \"\$\()?kinfolio (.*?)(?:\)\")?", text
    )
    assert found, text
    return shlex.split(found[2]), found[1] or ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, community: Path, demo_run: Run) -> Path:
    """A working directory with the files that the examples name."""
    path = tmp_path_factory.mktemp("examples")
    (path / "my-data").symlink_to(community)
    (path / "letter.txt").write_text("Nine of ten banks recommend this note [1].", "utf-8")
    shutil.copytree(demo_run.folder, path / "runs" / "default")
    return path


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_command_has_an_example_of_itself(name: str) -> None:
    arguments, _ = read_example(EXAMPLES[name])
    assert " ".join(arguments).startswith(name)


@pytest.mark.parametrize("name", PARSED_ONLY)
def test_an_example_that_is_expensive_is_valid(name: str) -> None:
    arguments, _ = read_example(EXAMPLES[name])
    command: click.Command = kinfolio
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), arguments.pop(0))
        assert found is not None
        command = found
    assert command.make_context(name, arguments).command is command


@pytest.mark.parametrize("name", RUN)
def test_an_example_works_after_the_demo(
    name: str,
    demo_graph: Graph,
    folder: Path,
    cli: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    arguments, typed = read_example(EXAMPLES[name])
    # `db` manages kinfolio's own server, which is the one of the tests.
    env = {"NEO4J_URI": None} if arguments[0] == "db" else {}
    result = cli(*arguments, input=typed, env=env)
    assert result.exit_code == 0, result.stderr
    assert result.stdout
