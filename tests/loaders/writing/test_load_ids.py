"""Ids in every form of spelling meet in one node, also those of a graph that was loaded before."""

from __future__ import annotations

from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.loaders import load
from tests.conftest import Cli, RunCypher

DECOMPOSED, COMPOSED = "Zoe\u0308", "Zo\u00eb"
FILES = {
    "users.csv": f"user,name\nu1 ,Kim\n{DECOMPOSED},Zoe\n3,Max\n",
    "products.tsv": "product\tcategory\n\u00a0A\tBonds \nB\tBonds\n",
    "interactions.csv": f"user,product\nu1,A\u200b\n{COMPOSED},A\n\ufeff3,B\n",
    "ties.csv": "source,target\n3.0,1.0\n1.0,3.0\n",
    "reviews.csv": "review,user,product\n7.0,u1, B\n",
}


def put(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def test_users_of_all_tables_meet_and_commands_read_ids_in_any_form(
    graph: Graph, run_cypher: RunCypher, cli: Cli, tmp_path: Path
) -> None:
    folder = put(tmp_path / "in", FILES | {"interactions.csv": FILES["interactions.csv"] + "1,A\n"})
    report = load(graph, folder)
    assert (report.users, report.products, report.ties, report.rejected) == (4, 2, 2, ())
    users = run_cypher("MATCH (u:User) RETURN u.id AS id, u.name AS name ORDER BY u.gid")
    assert [(row["id"], row["name"]) for row in users] == [
        ("1", None),
        ("3", "Max"),
        (COMPOSED, "Zoe"),
        ("u1", "Kim"),
    ]
    assert run_cypher("MATCH (c:Category) RETURN c.name AS name") == [{"name": "Bonds"}]
    assert run_cypher("MATCH (r:Review) RETURN r.id AS id") == [{"id": "7"}]
    before = graph_hash(graph)
    load(graph, folder)
    assert graph_hash(graph) == before
    for typed in (" u1", "u1\u200b"):
        assert cli("show", "user", typed, "--json").exit_code == 0
    assert cli("show", "user", DECOMPOSED, "--json").exit_code == 0
    assert cli("show", "product", "A\u00a0", "--json").exit_code == 0


def test_nodes_of_an_earlier_version_are_renamed_and_not_doubled(
    graph: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    """An earlier version stored the ids as they were in the files."""
    run_cypher(
        """
        CREATE (:User {id: 'u1 ', gid: 0, embedding_a: [1.0]}), (:User {id: $zoe, gid: 1}),
               (:User {id: '3', gid: 2}), (:User {id: '3.0', gid: 3}), (:User {id: '1.0', gid: 4}),
               (:Product {id: '\u00a0A', gid: 0}), (:Product {id: 'A\u200b', gid: 1}),
               (:Product {id: 'B', gid: 2}), (:Review {id: '7.0'})
        """,
        zoe=DECOMPOSED,
    )
    report = load(graph, put(tmp_path / "in", FILES))
    users = run_cypher("MATCH (u:User) RETURN u.id AS id, u.gid AS gid ORDER BY gid")
    assert {row["gid"]: row["id"] for row in users} == {
        0: "u1", 1: COMPOSED, 2: "3", 3: "3.0", 4: "1",
    }  # fmt: skip
    assert run_cypher("MATCH (u:User {id: 'u1'}) RETURN u.embedding_a AS a") == [{"a": [1.0]}]
    assert run_cypher("MATCH (r:Review) RETURN r.id AS id") == [{"id": "7"}]
    remaining = [note for note in report.notes if "of an earlier load remain" in note]
    assert [note.split("; ")[0] for note in remaining] == [
        "1 users of an earlier load remain beside those of the files, e.g. '3.0' beside '3'",
        "1 products of an earlier load remain beside those of the files, e.g. 'A\\u200b' "
        "beside 'A'",
    ]
    load(graph, tmp_path / "in", replace=lambda removed, users: None)
    assert run_cypher("MATCH (u:User) RETURN count(u) AS n") == [{"n": 3}]
