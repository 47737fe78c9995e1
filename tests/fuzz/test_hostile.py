"""The short form of `hostile.py`: some hundred hostile names through files and every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from tests.conftest import Result, RunCypher
from tests.fuzz.hostile import hostile_names, load, rename, serve


@pytest.fixture(scope="module")
def names() -> list[str]:
    return list(hostile_names(400))


@pytest.mark.parametrize("ending", ["jsonl", "csv", "tsv", "parquet"])
def test_hostile_names_of_a_file_are_stored_as_they_are(
    graph: Graph, cli: Callable[..., Result], run_cypher: RunCypher, names: list[str],
    tmp_path: Path, ending: str,
) -> None:  # fmt: skip
    assert load(cli, run_cypher, names, tmp_path / "data", ending) == []


def test_hostile_names_in_the_graph_have_no_effect(
    demo_graph: Graph, cli: Callable[..., Result], run_cypher: RunCypher, names: list[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    user = run_cypher("MATCH (u:User)-[:HOLDS]->() RETURN u.id AS id ORDER BY id LIMIT 1")[0]["id"]
    rename(run_cypher, names)
    assert serve(cli, run_cypher, user, names, tmp_path, is_full=True) > 50
