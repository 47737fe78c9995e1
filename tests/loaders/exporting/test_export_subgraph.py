"""Snapshots of a subgraph, by a statement or around a user, and a model trained on one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, BadInput, KinfolioError, NotFound
from kinfolio.loaders import export_to, load
from kinfolio.records import Snapshot
from kinfolio.snapshot import read_snapshot
from tests.conftest import Cli, write_six_users


@pytest.fixture(scope="module")
def shared_users(shared_graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """The six users, read-only."""
    load(shared_graph, write_six_users(tmp_path_factory.mktemp("six_users")))
    return shared_graph


def part(graph: Graph, folder: Path, **choice: Any) -> Snapshot:
    """Export a subgraph and read its snapshot."""
    assert export_to(graph, folder / "snapshot", **choice).how == "part"
    return read_snapshot(folder / "snapshot")


def test_users_of_a_statement_are_exported_with_their_edges_and_reviews(
    shared_users: Graph, tmp_path: Path
) -> None:
    found = part(shared_users, tmp_path, subgraph="MATCH (u:User {country: 'DE'}) RETURN u")
    assert found.user_ids == ("u1", "u2", "u5")
    assert found.user_gids.tolist() == [0, 1, 4]
    assert found.product_ids == ("A", "B", "C", "E")
    assert found.product_gids.tolist() == [0, 1, 2, 4]
    assert found.holdings.source.tolist() == [0, 0, 1, 1, 1, 2]
    assert found.holdings.target.tolist() == [0, 1, 0, 1, 2, 3]
    assert (found.ties.source.tolist(), found.ties.target.tolist()) == ([0], [1])
    assert found.reviews.text == ("Low costs and a broad index.",)


@pytest.mark.parametrize(
    "statement",
    [
        "MATCH (u:User) WHERE u.id IN ['u6', 'u2'] RETURN u",
        "MATCH (u:User) WHERE u.id IN ['u6', 'u2'] RETURN 1 AS one, u.id AS user",
        "MATCH (u:User) WHERE u.id IN ['u6', 'u2'] RETURN u.id, 5",
        "UNWIND ['u2', 'u6', 'u2'] AS id RETURN id",
    ],
)
def test_a_statement_returns_users_as_nodes_or_ids(
    shared_users: Graph, tmp_path: Path, statement: str
) -> None:
    found = part(shared_users, tmp_path, subgraph=statement)
    assert found.user_ids == ("u2", "u6")
    # u6 holds nothing, but wrote about A.
    assert found.product_ids == ("A", "B", "C")


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("MATCH (u:User) SET u.seen = true RETURN u", "read-only statement"),
        ("CREATE (u:User {id: 'x'}) RETURN u", "read-only statement"),
        ("MATCH (u:User) CALL (u) { DETACH DELETE u } IN TRANSACTIONS", "read-only statement"),
        ("DROP INDEX user_changed", "read-only statement"),
        ("CREATE USER someone SET PASSWORD 'something'", "read-only statement"),
        ("MATCH (u:User RETURN u", "--subgraph cannot be run: Invalid input"),
        ("RETURN 1; RETURN 2", "--subgraph cannot be run: Expected exactly one statement"),
        ("MATCH (u:User) RETURN $what", "--subgraph cannot be run: Expected parameter"),
        ("", "--subgraph cannot be run"),
        ("MATCH (u:User) RETURN u.gid", "the column 'u.gid' of --subgraph gives '0'"),
        ("MATCH (u:User) RETURN u.name", "gives nothing (null)"),
        ("MATCH (p:Product) RETURN p", "6 nodes that are no users"),
        ("RETURN 'nobody'", "'nobody', which is no user's id"),
        ("MATCH (u:User {id: 'nobody'}) RETURN u", "--subgraph gives no users"),
        ("MATCH ()-[h:HOLDS]->() RETURN h", "users were expected, as nodes or as their ids"),
    ],
)
def test_a_statement_without_users_is_refused_in_one_sentence(
    shared_users: Graph, tmp_path: Path, statement: str, sentence: str
) -> None:
    with pytest.raises(KinfolioError) as caught:
        export_to(shared_users, tmp_path / "run" / "snapshot", subgraph=statement)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, BadInput | NotFound)
    assert not (tmp_path / "run").exists()
    assert export_to(shared_users, tmp_path / "all").counts["users"] == 6


@pytest.mark.parametrize(
    ("user", "hops", "expected"),
    [
        ("u5", 0, ("u5",)),
        # u4 is tied to u5 and holds E as u5 does.
        ("u5", 1, ("u4", "u5")),
        ("u5", 9, ("u4", "u5")),
        # u6 is tied to u1 only.
        ("u6", 1, ("u1", "u6")),
        # u1 is tied to u2 and shares B with u2 and u3.
        ("u6", 2, ("u1", "u2", "u3", "u6")),
    ],
)
def test_a_hop_is_a_tie_or_a_shared_product(
    shared_users: Graph, tmp_path: Path, user: str, hops: int, expected: tuple[str, ...]
) -> None:
    assert part(shared_users, tmp_path, around=user, hops=hops).user_ids == expected


def test_a_subgraph_without_holdings_is_refused(shared_users: Graph, tmp_path: Path) -> None:
    with pytest.raises(KinfolioError, match="holds no products"):
        export_to(shared_users, tmp_path / "snapshot", around="u6", hops=0)


def test_conflicting_options_are_refused_in_one_sentence(
    shared_users: Graph, tmp_path: Path, cli: Cli
) -> None:
    with pytest.raises(BadConfig, match="exclude each other"):
        export_to(shared_users, tmp_path / "snapshot", around="u1", subgraph="RETURN 'u1'")
    with pytest.raises(NotFound, match="there is no user 'nobody'"):
        export_to(shared_users, tmp_path / "snapshot", around="nobody")
    result = cli("export", "--run", str(tmp_path), "--hops", "2")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "name the user with --around USER" in result.stderr


def test_a_model_of_a_subgraph_is_written_back_to_its_nodes(
    shared_users: Graph, tmp_path: Path, cli: Cli
) -> None:
    run = str(tmp_path / "run")
    assert cli("export", "--run", run, "--around", "u1", "--hops", "1").exit_code == 0
    small = ["--steps", "3", "--dim", "4", "--text", "off", "--device", "cpu", "--tau", "0.2"]
    assert cli("train", "--run", run, *small).exit_code == 0
    back = cli("writeback", "--run", run, "--json")
    assert back.exit_code == 0, back.stderr
    assert '"products": 3' in back.stdout
    answer = cli("recommend", "u1", "--json")
    assert answer.exit_code == 0, answer.stderr
    assert '"product": "C"' in answer.stdout
    # u5 was not in the subgraph and is scored from the holdings of products that were.
    assert cli("recommend", "u5", "--json").exit_code == 0
