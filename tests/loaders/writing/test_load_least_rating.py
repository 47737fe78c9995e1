"""`load --least-rating`: low ratings are dismissals, as with a mapping."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.errors import BadConfig, BadInput
from kinfolio.loaders import load
from kinfolio.loaders.reading.meaning import Meaning
from tests.conftest import Cli, RunCypher

ROWS = "user,product,rating,weight\nu1,A,5,\nu1,B,2,1.5\nu2,A,1,\nu2,B,4,\nu2,C,,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "interactions.csv").write_text(ROWS)
    return tmp_path


def pairs(run_cypher: RunCypher, kind: str) -> list[str]:
    rows = run_cypher(f"MATCH (u)-[r:{kind}]->(p) RETURN u.id + p.id AS pair ORDER BY pair")
    return [row["pair"] for row in rows]


def test_a_low_rating_is_a_dismissal_and_a_pair_is_never_both(
    graph: Graph, run_cypher: RunCypher, folder: Path
) -> None:
    report = load(graph, folder, meaning=Meaning(least_rating=4))
    assert (report.users, report.products, report.interactions, report.dismissals) == (2, 3, 2, 3)
    assert report.notes == (
        "interactions.csv: weights are stored but not used: neither training nor recommendations "
        "read them, every interaction counts the same",
        "interactions.csv: 3 of 5 rows have a rating below 4 or none; they count as dismissed, not "
        "as held",
    )
    assert pairs(run_cypher, "HOLDS") == ["u1A", "u2B"]
    assert pairs(run_cypher, "DISMISSED") == ["u1B", "u2A", "u2C"]
    before = graph_hash(graph)
    run_cypher("MATCH (u:User) SET u.changed = 5")
    load(graph, folder, meaning=Meaning(least_rating=4))
    assert graph_hash(graph) == before
    assert run_cypher("MATCH (u:User) WHERE u.changed <> 5 RETURN u.id") == []
    # A rating that falls or rises moves the pair; what a user dismissed in a chat stays.
    run_cypher("MATCH (u {id: 'u1'}), (c {id: 'C'}) CREATE (u)-[:DISMISSED]->(c)")
    (folder / "interactions.csv").write_text("user,product,rating\nu1,A,1\nu2,A,5\nu1,C,5\n")
    load(graph, folder, meaning=Meaning(least_rating=4))
    assert pairs(run_cypher, "HOLDS") == ["u1C", "u2A", "u2B"]
    assert pairs(run_cypher, "DISMISSED") == ["u1A", "u1B", "u1C", "u2C"]
    removed = load(
        graph, folder, meaning=Meaning(least_rating=4), replace=lambda removed, users: None
    ).removed
    assert removed is not None
    assert (removed.interactions, removed.dismissals) == (1, 2)
    assert pairs(run_cypher, "DISMISSED") == ["u1A", "u1C"]
    load(graph, folder)
    assert pairs(run_cypher, "DISMISSED") == ["u1C"]


def test_a_rating_that_nobody_gave_stops_the_load(graph: Graph, folder: Path) -> None:
    with pytest.raises(BadInput, match=r"no rating of at least 6 \(its highest is 5\)"):
        load(graph, folder, meaning=Meaning(least_rating=6))
    with pytest.raises(BadConfig, match="--least-rating is nan"):
        load(graph, folder, meaning=Meaning(least_rating=float("nan")))
    (folder / "interactions.csv").write_text("user,product\nu1,A\n")
    with pytest.raises(BadInput, match=r"no rating of at least 1 \(it has no ratings\)"):
        load(graph, folder, meaning=Meaning(least_rating=1))


def test_the_command_says_that_ratings_are_not_read(cli: Cli, graph: Graph, folder: Path) -> None:
    sentence = "ratings (1 to 5) are stored but not read by training"
    assert sentence in cli("load", str(folder)).stderr
    assert sentence in cli("load", "--check", str(folder)).stderr
    checked = cli("load", "--check", "--least-rating", "4", str(folder))
    assert "3 of 5 rows have a rating below 4" in checked.stderr
    assert f"next: kinfolio load --least-rating 4 {folder}" in checked.stderr
    loaded = cli("load", "--least-rating", "4", str(folder))
    assert loaded.stdout.startswith("loaded 2 users, 3 products, 2 interactions, 3 dismissals, ")
