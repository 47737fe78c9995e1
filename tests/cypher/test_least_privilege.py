"""Reading commands cannot write: their sessions read, and the server holds them to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError
from tests.conftest import Result, RunCypher

WRITE = "CREATE (x:Intruder) RETURN 1 AS one"


def test_the_server_refuses_a_write_in_a_read(six_users: Graph, run_cypher: RunCypher) -> None:
    with Graph(six_users.connection, source=lambda *_: WRITE) as graph:
        with pytest.raises(KinfolioError):
            graph.read("show_counts")
        with pytest.raises(KinfolioError), graph.snapshot_reads() as reads:
            reads.read("show_counts")
        with pytest.raises(KinfolioError):
            graph.run_text("it", WRITE)
        assert graph.write("show_counts") == [{"one": 1}]  # the statement is valid
    assert run_cypher("MATCH (x:Intruder) DETACH DELETE x RETURN count(*) AS n") == [{"n": 1}]


READING = [
    ("recommend", "u2"),
    ("recommend", "--all", "--out", "lists.tsv"),
    ("explain", "u2", "D"),
    ("why-not", "u2", "F"),
    ("similar", "A"),
    ("audience", "A"),
    ("show", "user", "u2"),
    ("show", "product", "A"),
    ("drift",),
    ("doctor",),
    ("versions",),
    ("db", "hash"),
    ("map", "init", "mapping.toml"),
    ("map", "check"),
]


def test_reading_commands_open_read_sessions_only(
    six_users: Graph,
    cli: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    session = Graph._session

    def recorded(graph: Graph, mode: str) -> object:
        opened.append(mode)
        return session(graph, mode)

    monkeypatch.setattr(Graph, "_session", recorded)
    for command in READING:
        done = cli(*command)
        assert opened, (command, done)
        assert set(opened) == {"READ"}, command
        opened.clear()
