"""The same rows give the same graph in any order and format; marking of changes."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.loaders import load, write_community

RunCypher = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def community_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("community_folder")
    write_community(folder, num_users=60, num_products=30)
    # Two rows of one key, one of which is retained by content.
    for path in folder.iterdir():
        if path.name.startswith("interactions"):
            lines = path.read_text("utf-8").splitlines()
            path.write_text("\n".join([*lines, lines[5], lines[9]]) + "\n", "utf-8")
    return folder


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of the community, without empty values."""
    with path.open(encoding="utf-8", newline="") as lines:
        if path.suffix == ".jsonl":
            rows = [json.loads(line) for line in lines]
        elif path.suffix == ".csv":
            rows = list(csv.DictReader(lines))
        else:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [{name: value for name, value in row.items() if value not in (None, "")} for row in rows]


def as_jsonl(rows: list[dict[str, Any]], path: Path) -> None:
    with gzip.open(path.with_suffix(".jsonl.gz"), "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def as_parquet(rows: list[dict[str, Any]], path: Path) -> None:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    pq.write_table(pa.table(columns), path.with_suffix(".parquet"))


def test_the_graph_does_not_depend_on_the_order_and_format_of_rows(
    graph: Graph, run_cypher: RunCypher, community_folder: Path, tmp_path: Path
) -> None:
    load(graph, community_folder)
    expected = graph_hash(graph)
    for number, write in enumerate((as_parquet, as_jsonl)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for path in community_folder.iterdir():
            rows = read(path)
            random.Random(number).shuffle(rows)
            write(rows, folder / path.name)
        load(graph, folder)
        assert graph_hash(graph) == expected  # into the existing graph
        run_cypher("MATCH (n) DETACH DELETE n")
        load(graph, folder)
        assert graph_hash(graph) == expected  # into an empty graph


def test_the_hash_changes_with_every_kind_of_change(
    graph: Graph, run_cypher: RunCypher, community_folder: Path
) -> None:
    load(graph, community_folder)
    seen = {graph_hash(graph)}
    changes = (
        "MATCH (u:User {gid: 3}) SET u.country = 'XX'",
        "MATCH (p:Product {gid: 3}) SET p.name = 'other'",
        "MATCH (u:User {gid: 3}) SET u.gid = 10000",
        "MATCH (:User)-[h:HOLDS]->() WITH h LIMIT 1 SET h.weight = 7.5",
        "MATCH (:User)-[h:HOLDS]->() WITH h LIMIT 1 DELETE h",
        "MATCH (:User)-[t:TIED_TO]->() WITH t LIMIT 1 DELETE t",
        "MATCH (r:Review) WITH r LIMIT 1 SET r.text = 'other'",
        "MATCH (c:Category) WITH c LIMIT 1 SET c.name = 'other'",
        "MATCH (u:User {gid: 4}), (p:Product {gid: 4}) CREATE (u)-[:DISMISSED]->(p)",
    )
    for change in changes:
        run_cypher(change)
        seen.add(graph_hash(graph))
    assert len(seen) == len(changes) + 1


def test_the_hash_ignores_properties_that_kinfolio_adds(
    graph: Graph, run_cypher: RunCypher, community_folder: Path
) -> None:
    load(graph, community_folder)
    before, plain = graph_hash(graph), graph_hash(graph, with_gids=False)
    run_cypher("MATCH (u:User) SET u.embedding_a = [1.0], u.changed = 5 CREATE (:EmbeddingVersion)")
    assert graph_hash(graph) == before
    run_cypher("MATCH (u:User) SET u.gid = u.gid + 1000")
    assert graph_hash(graph) != before
    assert graph_hash(graph, with_gids=False) == plain


TABLES = {
    "users.csv": "user,country\nu1,DE\nu2,AT\nu3,CH\nu4,FR\n",
    "products.csv": "product,name,category\nA,Amber,Bonds\nB,Birch,Equity\n",
    "interactions.csv": "user,product,rating\nu1,A,3\nu2,A,4\nu3,B,5\n",
    "ties.csv": "source,target,kind\nu1,u2,friend\n",
    "reviews.csv": "review,user,product,text\nr1,u4,A,good\n",
}


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("users.csv", "u1,DE", "u1,IT", {"u1"}),
        ("users.csv", "u4,FR\n", "u4,FR\nu5,FR\n", {"u5"}),
        ("products.csv", "Amber", "Ambra", {"A"}),
        ("products.csv", "Birch,Equity", "Birch,Funds", {"B"}),
        ("interactions.csv", "u2,A,4", "u2,A,1", {"u2"}),
        ("interactions.csv", "u3,B,5\n", "u3,B,5\nu4,B,5\n", {"u4"}),
        ("ties.csv", "u1,u2,friend\n", "u1,u2,friend\nu3,u4,friend\n", {"u3", "u4"}),
        ("reviews.csv", "good", "bad", {"u4"}),
        ("reviews.csv", "r1,u4,A", "r1,u3,A", {"u3", "u4"}),
        ("reviews.csv", "good\n", "good\nr2,u1,B,fine\n", {"u1"}),
        ("users.csv", "u1,DE\nu2,AT", "u2,AT\nu1,DE", set()),
    ],
)
def test_changed_is_set_on_changed_nodes_only(
    graph: Graph,
    run_cypher: RunCypher,
    tmp_path: Path,
    file: str,
    old: str,
    new: str,
    changed: set[str],
) -> None:
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    load(graph, tmp_path)
    assert run_cypher("MATCH (n:User|Product) WHERE n.changed IS NULL RETURN n.id") == []
    run_cypher("MATCH (n:User|Product) SET n.changed = 5")
    (tmp_path / file).write_text(TABLES[file].replace(old, new))
    load(graph, tmp_path)
    found = run_cypher("MATCH (n:User|Product) WHERE n.changed <> 5 RETURN n.id AS id")
    assert {row["id"] for row in found} == changed
