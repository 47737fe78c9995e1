"""`load --replace`: rows that are no longer in the files are removed, after a confirmation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph, Rows
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.errors import ServerUnreachable
from kinfolio.loaders import load
from kinfolio.loaders.reports import Removed
from kinfolio.records import Slot
from tests.conftest import Result, write_six_users

RunCypher = Callable[..., list[dict[str, Any]]]

SMALLER = {
    "users.csv": "user,country,risk_tolerance\nu1,DE,4\nu2,DE,4\nu4,CH,5\n",
    "products.csv": "product,name,category\nA,Amber Bond Fund,Bonds\nD,Dune Gold Trust,Gold\n",
    "interactions.tsv": "user\tproduct\nu1\tA\nu2\tA\nu4\tD\n",
    "ties.tsv": "source\ttarget\tkind\nu1\tu2\tfollows\n",
}


@pytest.fixture
def smaller(tmp_path: Path) -> Path:
    folder = tmp_path / "smaller"
    folder.mkdir()
    for name, text in SMALLER.items():
        (folder / name).write_text(text)
    return folder


def test_replace_removes_rows_that_are_no_longer_in_the_files(
    six_users: Graph, run_cypher: RunCypher, smaller: Path
) -> None:
    run_cypher("MATCH (n:User|Product) SET n.changed = 5, n.embedding_a = [1.0, 2.0]")
    run_cypher("CREATE (:EmbeddingVersion {name: 'v1', slot: 'a'})")
    counts: list[Removed] = []
    report = load(six_users, smaller, replace=lambda removed, users: counts.append(removed))
    assert counts == [report.removed]
    assert counts == [Removed(users=3, products=4, interactions=7, ties=3, reviews=3, categories=2)]
    assert [row["id"] for row in run_cypher("MATCH (u:User) RETURN u.id AS id ORDER BY id")] == [
        "u1",
        "u2",
        "u4",
    ]
    found = run_cypher("MATCH (u)-[:HOLDS]->(p) RETURN u.id + p.id AS pair ORDER BY pair")
    assert [row["pair"] for row in found] == ["u1A", "u2A", "u4D"]
    assert run_cypher("MATCH (c:Category) RETURN c.name AS c ORDER BY c") == [
        {"c": "Bonds"},
        {"c": "Gold"},
    ]
    assert run_cypher("MATCH (r:Review) RETURN count(*) AS n") == [{"n": 0}]
    assert run_cypher("MATCH (v:EmbeddingVersion) RETURN v.name AS name") == [{"name": "v1"}]
    assert run_cypher("MATCH (u:User {id: 'u1'}) RETURN u.embedding_a AS e") == [{"e": [1.0, 2.0]}]
    changed = run_cypher("MATCH (u:User) WHERE u.changed <> 5 RETURN u.id AS id ORDER BY id")
    assert [row["id"] for row in changed] == ["u1", "u2", "u4"]
    again = load(six_users, smaller, replace=lambda removed, users: counts.append(removed))
    assert again.removed == Removed(
        users=0, products=0, interactions=0, ties=0, reviews=0, categories=0
    )


class Failing(Graph):
    """A graph whose server becomes unreachable during the removal."""

    left = 2

    def write(self, name: str, /, *, slot: Slot = "a", **parameters: Any) -> Rows:
        if name.startswith("load_remove"):
            self.left -= 1
            if self.left < 0:
                raise ServerUnreachable("nothing answers at bolt://127.0.0.1:1")
        return super().write(name, slot=slot, **parameters)


def test_an_interrupted_removal_resumes(
    six_users: Graph, run_cypher: RunCypher, smaller: Path, tmp_path: Path
) -> None:
    load(six_users, smaller, replace=lambda removed, users: None)
    expected = graph_hash(six_users)
    run_cypher("MATCH (n) DETACH DELETE n")
    load(six_users, tmp_path / "six_users")
    with Failing(six_users.connection) as failing, pytest.raises(ServerUnreachable):
        load(failing, smaller, replace=lambda removed, users: None)
    load(six_users, smaller, replace=lambda removed, users: None)
    assert graph_hash(six_users) == expected


def test_without_a_terminal_and_without_yes_nothing_is_changed(
    cli: Callable[..., Result], graph: Graph, smaller: Path, tmp_path: Path
) -> None:
    load(graph, write_six_users(tmp_path / "six"))
    before = graph_hash(graph)
    refused = cli("load", "--replace", str(smaller))
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1] == (
        "kinfolio: 3 users, 4 products, 7 interactions, 3 ties, 3 reviews, 2 categories would be "
        "removed, which needs a confirmation; to remove them, type: "
        f"kinfolio load --replace --yes {smaller}"
    )
    assert graph_hash(graph) == before
    done = cli("load", "--replace", "--yes", str(smaller))
    assert done.exit_code == 0
    assert "removed 3 users, 4 products, 7 interactions" in done.stdout
    assert graph_hash(graph) != before
