"""Commands through a proxy that cuts or silences their connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.run import Run
from tests.conftest import Result
from tests.proxy import proxy_to

Cli = Callable[..., Result]

WORDS = {
    "recommend": ("recommend", "p001"),
    "similar": ("similar", "swift-care-shares"),
    "audience": ("audience", "swift-care-shares"),
    "why-not": ("why-not", "p001", "swift-care-shares"),
    "show": ("show", "user", "p001"),
    "drift": ("drift",),
    "doctor": ("doctor",),
    "versions": ("versions", "list"),
    "db hash": ("db", "hash"),
}


@pytest.fixture(autouse=True)
def short_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinfolio.cypher.driver.RETRY_SECONDS", 0.2)


def assert_told(result: Result, words: str) -> None:
    told = result.stderr + result.stdout
    assert result.exit_code == 1, told
    assert words in told
    assert "Traceback" not in told
    assert "kinfolio db start" not in told


@pytest.mark.parametrize("limit", [50, 800])
@pytest.mark.parametrize("command", WORDS.values(), ids=WORDS)
def test_a_cut_connection_is_told_as_one(
    cli: Cli, demo_graph: Graph, command: tuple[str, ...], limit: int
) -> None:
    with proxy_to(demo_graph.connection.uri, "reset", limit) as proxy:
        result = cli(*command, env={"NEO4J_URI": proxy.uri})
    if result.exit_code == 0:  # the whole answer came before the cut
        assert command in (WORDS["doctor"], WORDS["versions"])
    else:
        assert_told(result, f"the connection to {proxy.uri} was cut")


@pytest.mark.parametrize("command", WORDS.values(), ids=WORDS)
def test_a_silent_server_is_not_waited_for_longer_than_the_timeout(
    cli: Cli, demo_graph: Graph, command: tuple[str, ...]
) -> None:
    before = time.monotonic()
    with proxy_to(demo_graph.connection.uri, "mute", 10) as proxy:
        result = cli(*command, "--timeout", "0.5", env={"NEO4J_URI": proxy.uri})
    assert_told(result, "does not answer within 0.5 s")
    assert time.monotonic() - before < 5


def test_a_server_that_becomes_silent_is_given_up_after_its_own_signs_of_life(
    demo_graph: Graph, cli: Cli
) -> None:
    with proxy_to(demo_graph.connection.uri, "mute", 3000) as proxy:
        result = cli("recommend", "p001", env={"NEO4J_URI": proxy.uri, "KINFOLIO_TIMEOUT": "1"})
    assert_told(result, f"the server at {proxy.uri} stopped answering in recommend_")
    assert proxy.connections == 1  # not tried again


def test_a_read_whose_last_answer_is_lost_has_its_rows(demo_graph: Graph) -> None:
    at = demo_graph.connection
    with proxy_to(at.uri) as proxy, Graph(replace(at, uri=proxy.uri)) as graph:
        rows = graph.read("load_counts")
        size = proxy.forwarded
    with proxy_to(at.uri, "reset", size - 1) as proxy, Graph(replace(at, uri=proxy.uri)) as graph:
        assert graph.read("load_counts") == rows
        assert proxy.connections == 1


def test_a_cut_read_is_tried_again(cli: Cli, demo_graph: Graph) -> None:
    with proxy_to(demo_graph.connection.uri, "reset", 3000, times=1) as proxy:
        result = cli("recommend", "p001", "--json", env={"NEO4J_URI": proxy.uri})
    assert result.exit_code == 0
    assert proxy.connections == 2
    assert result.stdout == cli("recommend", "p001", "--json").stdout


def test_a_cut_writeback_leaves_the_served_version_and_runs_again(
    cli: Cli, demo_graph: Graph, demo_run: Run
) -> None:
    answer = cli("recommend", "p001", "--json").stdout
    for limit in (800, 40_000):
        with proxy_to(demo_graph.connection.uri, "reset", limit) as proxy:
            result = cli(
                *("writeback", "--run", str(demo_run.folder)), env={"NEO4J_URI": proxy.uri}
            )
        assert_told(result, "was cut")
        assert cli("recommend", "p001", "--json").stdout == answer
    assert cli("writeback", "--run", str(demo_run.folder)).exit_code == 0


def test_a_cut_load_and_export_are_completed_by_running_them_again(
    cli: Cli, demo_graph: Graph, community: Path, tmp_path: Path
) -> None:
    whole = cli("db", "hash").stdout
    for command in (("load", str(community)), ("export", "--run", str(tmp_path / "run"))):
        with proxy_to(demo_graph.connection.uri, "reset", 20_000) as proxy:
            result = cli(*command, env={"NEO4J_URI": proxy.uri})
        assert_told(result, "was cut")
        assert cli(*command).exit_code == 0
    assert cli("db", "hash").stdout == whole


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf"])
def test_a_timeout_that_is_no_number_of_seconds_is_refused(cli: Cli, seconds: str) -> None:
    result = cli("recommend", "u1", "--timeout", seconds)
    assert f"--timeout is {seconds!r}; give a positive number" in result.stderr
