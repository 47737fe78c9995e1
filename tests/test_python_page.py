"""The outputs in docs/python.md are those of its code blocks, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages.python_page import PAGE, outputs, run_page

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection


def words(output: str) -> list[str | float]:
    """Words and numbers of an output."""
    found: list[str | float] = []
    for word in output.split():
        try:
            found.append(float(word))
        except ValueError:
            found.append(word)
    return found


def nearly(found: list[str | float]) -> list[object]:
    """The same with a tolerance for other processors' rounding."""
    return [
        pytest.approx(one, rel=0.05, abs=0.02) if isinstance(one, float) else one for one in found
    ]


@pytest.mark.slow
def test_every_block_of_the_python_page_gives_the_output_below_it(
    graph: Graph,
    server: Connection,
    server_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KINFOLIO_HOME", str(server_home))
    monkeypatch.setenv("NEO4J_URI", server.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", server.password)
    text = PAGE.read_text("utf-8")
    expected, found = outputs(text), outputs(run_page(text))
    assert sum(bool(output) for output in expected) >= 10
    assert [words(output) for output in found] == [nearly(words(one)) for one in expected]
