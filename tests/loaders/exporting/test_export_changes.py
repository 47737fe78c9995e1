"""`--since`: only changes are read, and the result equals that of a full export."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig
from kinfolio.loaders import export_to, load
from kinfolio.records import Exported
from kinfolio.snapshot import read_snapshot
from tests.conftest import write_six_users

RunCypher = Callable[..., list[dict[str, Any]]]
CHANGED = "SET u.changed = timestamp()"


@pytest.fixture(scope="module")
def shared_users(shared_graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """The six users, once for all tests: each starts with a snapshot of the current graph."""
    load(shared_graph, write_six_users(tmp_path_factory.mktemp("six_users")))
    return shared_graph


@pytest.fixture
def older(shared_users: Graph, run_cypher: RunCypher, tmp_path: Path) -> Path:
    """A snapshot exported long after the last change."""
    run_cypher("MATCH (n) WHERE n:User OR n:Product SET n.changed = 1000")
    export_to(shared_users, tmp_path / "older")
    return tmp_path / "older"


def both(graph: Graph, older: Path) -> tuple[Exported, Exported]:
    """Export the changes, and the whole graph."""
    changes = export_to(graph, older.parent / "changes", since=older)
    return changes, export_to(graph, older.parent / "whole")


CHANGES = {
    "nothing": "RETURN 1",
    "a rating": f"MATCH (u:User {{id: 'u2'}})-[h:HOLDS]->() SET h.rating = 1.5 {CHANGED}",
    "a new holding": (
        f"MATCH (u:User {{id: 'u6'}}), (p:Product {{id: 'B'}}) CREATE (u)-[:HOLDS]->(p) {CHANGED}"
    ),
    "a holding less": (
        f"MATCH (u:User {{id: 'u1'}})-[h:HOLDS]->(:Product {{id: 'A'}}) DELETE h {CHANGED}"
    ),
    "no holdings any more": f"MATCH (u:User {{id: 'u5'}})-[h:HOLDS]->() DELETE h {CHANGED}",
    "a new user": "CREATE (u:User {id: 'u0', gid: 17, changed: timestamp()})",
    "a new user and a new product": (
        "CREATE (u:User {id: 'v', gid: 9, changed: timestamp()})-[:HOLDS {at: 5}]->"
        "(:Product {id: 'G', gid: 6, name: 'Grove', changed: timestamp()})"
    ),
    "another name": "MATCH (u:Product {id: 'C'}) SET u.name = 'Cedar' " + CHANGED,
    "a tie": (
        "MATCH (u:User {id: 'u5'}), (v:User {id: 'u1'}) CREATE (u)-[:TIED_TO]->(v) "
        "SET u.changed = timestamp(), v.changed = timestamp()"
    ),
    "a review": (
        "MATCH (u:User {id: 'u1'}), (p:Product {id: 'A'}) "
        f"CREATE (u)-[:WROTE]->(:Review {{id: 'r0', text: 'Grün'}})-[:ABOUT]->(p) {CHANGED}"
    ),
    "a part that is held out, which moves the cut": (
        f"MATCH (u:User {{id: 'u4'}})-[h:HOLDS]->() SET h.split = 'test' {CHANGED}"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_incremental_export_equals_a_full_one(
    older: Path, shared_users: Graph, run_cypher: RunCypher, change: str
) -> None:
    run_cypher(CHANGES[change])
    changes, whole = both(shared_users, older)
    assert (changes.how, changes.notes) == ("changes", ())
    assert whole.how == "whole"
    assert changes.hash == whole.hash == read_snapshot(older.parent / "changes").hash
    assert (change == "nothing") == (whole.hash == read_snapshot(older).hash)


def test_repeated_incremental_exports_equal_a_full_one(
    older: Path, shared_users: Graph, run_cypher: RunCypher
) -> None:
    run_cypher(
        "CREATE (:User {id: 'w', gid: 19, changed: timestamp()})-[:HOLDS]->"
        "(:Product {id: 'J', gid: 11, changed: timestamp()})"
    )
    export_to(shared_users, older, since=older)
    run_cypher(CHANGES["a review"].replace("r0", "r9"))
    run_cypher(CHANGES["a rating"])
    again = export_to(shared_users, older, since=older)
    assert again.how == "changes"
    assert again.hash == export_to(shared_users, older.parent / "whole").hash


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("MATCH (:User {id: 'u1'})-[h:HOLDS]->() DELETE h", "holdings"),
        ("MATCH (u:User {id: 'u5'}), (p:Product {id: 'B'}) CREATE (u)-[:HOLDS]->(p)", "holdings"),
        ("MATCH (u:User {id: 'u3'}) DETACH DELETE u", "users"),
        (
            "MATCH (p:Product {id: 'F'}) DETACH DELETE p CREATE (:Product {gid: 9, id: 'H'})",
            "products",
        ),
        ("MATCH (:User)-[t:TIED_TO]->() DELETE t", "ties"),
        ("MATCH (r:Review {id: 'r1'}) DETACH DELETE r", "reviews"),
    ],
)
def test_unmarked_changes_are_detected_by_counts(
    older: Path, shared_users: Graph, run_cypher: RunCypher, change: str, table: str
) -> None:
    run_cypher(change)
    changes, whole = both(shared_users, older)
    assert changes.how == "whole"
    assert changes.hash == whole.hash
    (note,) = changes.notes
    assert note.startswith(f"{table} are other ones than the changes marked in the graph say")


def test_users_without_row_numbers_are_included(
    older: Path, shared_users: Graph, run_cypher: RunCypher
) -> None:
    run_cypher("MATCH (p:Product {id: 'A'}) CREATE (:User {id: 'x'})-[:HOLDS]->(p)")
    changes, whole = both(shared_users, older)
    assert changes.hash == whole.hash
    assert "x" in read_snapshot(older.parent / "changes").user_ids


def test_load_marks_its_changes(older: Path, shared_users: Graph, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "interactions.csv").write_text("user,product,rating\nu1,A,1\ny,K,2\nu5,A,3\n")
    (folder / "ties.csv").write_text("source,target\ny,u1\n")
    load(shared_users, folder)
    changes, whole = both(shared_users, older)
    assert (changes.how, changes.notes) == ("changes", ())
    assert changes.hash == whole.hash


def test_an_unusable_older_snapshot_leads_to_a_full_export(
    older: Path, shared_users: Graph
) -> None:
    whole = export_to(shared_users, older)
    nothing = export_to(shared_users, older, since=older.parent / "nothing")
    assert "there is no snapshot in" in nothing.notes[0]
    manifest = json.loads((older / "manifest.json").read_text())
    (older / "manifest.json").write_text(json.dumps({**manifest, "server": "Neo4j/1 community"}))
    other = export_to(shared_users, older, since=older)
    assert "was not exported from this server" in other.notes[0]
    (older / "holdings.arrow").write_bytes(b"ARROW1")
    damaged = export_to(shared_users, older, since=older)
    assert "is damaged" in damaged.notes[0]
    assert whole.hash == nothing.hash == other.hash == damaged.hash


def test_changes_cannot_be_added_to_a_part(older: Path, shared_users: Graph) -> None:
    export_to(shared_users, older, around="u1")
    with pytest.raises(BadConfig, match="holds a part of the graph"):
        export_to(shared_users, older, since=older)


def test_a_pair_held_twice_leads_to_a_full_export(
    older: Path, shared_users: Graph, run_cypher: RunCypher
) -> None:
    run_cypher("MATCH (u:User {id: 'u1'}), (p:Product {id: 'A'}) CREATE (u)-[:HOLDS]->(p)")
    export_to(shared_users, older)
    changes, whole = both(shared_users, older)
    assert changes.how == "whole"
    assert "two holdings of one pair" in changes.notes[0]
    assert changes.hash == whole.hash
