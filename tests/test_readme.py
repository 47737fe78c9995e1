"""The README's commands do what the README says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from tests.conftest import Result

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
SHORT = ["--steps", "50", "--tau", "0.3", "--text", "off"]
"""Added to the README's `kinfolio train`: the same road in seconds."""


def commands(after: str) -> list[list[str]]:
    """The kinfolio commands in the first code block after a line of the README."""
    block = re.search(r"```\n(.*?)```", README[README.index(after) :], re.DOTALL)
    assert block
    lines = [shlex.split(line, comments=True) for line in block[1].splitlines()]
    return [words[1:] for words in lines if words and words[0] == "kinfolio"]


def test_the_commands_for_after_the_demo_answer(
    demo_graph: Graph, cli: Callable[..., Result]
) -> None:
    typed = commands("<!-- tested -->")
    assert [words[0] for words in typed] == ["recommend", "explain", "why-not", "show", "doctor"]
    for words in typed:
        result = cli(*words)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.strip(), words


def test_the_road_with_ones_own_data_goes_to_its_end(
    graph: Graph,
    community: Path,
    cli: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-data").symlink_to(community)
    typed = commands("## Your own data")
    assert typed[-1] == ["db", "stop"]
    for words in typed[:-1]:
        result = cli(*words, *(SHORT if words[0] == "train" else []))
        assert result.exit_code == 0, (words, result.stderr)
    lists = (tmp_path / "lists.tsv").read_text("utf-8").splitlines()
    assert lists[0] == "user\trank\tproduct\tscore"
    assert len({line.split("\t")[0] for line in lists[1:]}) == 600
    # The tests' server is named by NEO4J_URI, and such a server is not kinfolio's to stop.
    assert cli("db", "stop").exit_code == 1
