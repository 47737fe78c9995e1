"""The README's commands and code run as documented."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pages.pictures import FOLDER, THEMES, draw

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection
from tests.conftest import Result

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SHORT = ["--steps", "50", "--tau", "0.3", "--text", "off"]
"""Added to the README's `kinfolio train`: the same steps in seconds."""
Cli = Callable[..., Result]


def block(after: str) -> str:
    """The first code block after a text of the README."""
    found = re.search(r"```\w*\n(.*?)```", README[README.index(after) :], re.DOTALL)
    assert found, after
    return found[1]


def commands(after: str) -> list[list[str]]:
    """Arguments of the kinfolio commands in the first code block after a text."""
    lines = [shlex.split(line, comments=True) for line in block(after).splitlines()]
    assert all(words[0] == "kinfolio" for words in lines)
    return [words[1:] for words in lines]


@pytest.fixture
def my_data(community: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with the generated community as `my-data`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-data").symlink_to(community)
    return tmp_path


def test_the_readme_is_short_and_its_links_exist() -> None:
    assert len(README.splitlines()) <= 120
    targets = re.findall(r'\]\(([\w./-]+)\)|(?:src|srcset)="([^"]+)"', README)
    assert targets
    for target in {one or other for one, other in targets}:
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", THEMES)
def test_the_picture_is_the_one_that_make_pictures_draws(name: str) -> None:
    assert (FOLDER / f"overview-{name}.svg").read_text("utf-8") == draw(THEMES[name])


def test_the_first_two_commands_are_targets_of_make() -> None:
    typed = [line.split() for line in block("## Try it").splitlines()]
    assert typed == [["make", "setup"], ["make", "demo"]]
    for _, target in typed:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_the_commands_after_the_demo_answer(demo_graph: Graph, cli: Cli) -> None:
    for words in commands("<!-- tested: demo -->"):
        result = cli(*words, input="why the second?\n" if words[0] == "chat" else "")
        assert result.exit_code == 0, result.stderr
        assert result.stdout.strip(), words


@pytest.mark.slow
def test_the_shell_commands_run_from_files_to_lists(graph: Graph, cli: Cli, my_data: Path) -> None:
    for words in commands("<!-- tested: shell -->"):
        result = cli(*words, *(SHORT if words[0] == "train" else []))
        assert result.exit_code == 0, (words, result.stderr)
    lists = (my_data / "lists.tsv").read_text("utf-8").splitlines()
    assert lists[0] == "user\trank\tproduct\tscore"
    assert len({line.split("\t")[0] for line in lists[1:]}) == 600


@pytest.mark.slow
def test_the_python_lines_run_from_files_to_reasons(
    graph: Graph,
    server: Connection,
    server_home: Path,
    my_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KINFOLIO_HOME", str(server_home))
    monkeypatch.setenv("NEO4J_URI", server.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", server.password)
    code = block("<!-- tested: python -->")
    short = "db.train(config=kinfolio.TrainConfig(steps=50, tau=0.3, text='off'))"
    assert "db.train()" in code
    exec(code.replace("db.train()", short), {})
    assert "[1]" in capsys.readouterr().out
