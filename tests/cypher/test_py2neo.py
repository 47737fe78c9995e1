"""py2neo and the driver read the same; and each limitation in docs/cypher.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from py2neo.errors import ClientError
from py2neo.ogm import Property

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.models import Category, EmbeddingVersion, Product, Review, User, explore
from kinfolio.cypher.queries import query
from kinfolio.loaders import load
from tests.conftest import write_six_users

MODELS = (Category, EmbeddingVersion, Product, Review, User)
ENDS = {
    (User, "holds"): "(a:User)-[r:HOLDS]->(b:Product)",
    (User, "dismissed"): "(a:User)-[r:DISMISSED]->(b:Product)",
    (User, "recommended"): "(a:User)-[r:RECOMMENDED]->(b:Product)",
    (User, "ties"): "(a:User)-[r:TIED_TO]-(b:User)",
    (User, "tied_to"): "(a:User)-[r:TIED_TO]->(b:User)",
    (User, "tied_from"): "(a:User)<-[r:TIED_TO]-(b:User)",
    (User, "reviews"): "(a:User)-[r:WROTE]->(b:Review)",
    (Product, "categories"): "(a:Product)-[r:IN_CATEGORY]->(b:Category)",
    (Product, "holders"): "(a:Product)<-[r:HOLDS]-(b:User)",
    (Product, "reviews"): "(a:Product)<-[r:ABOUT]-(b:Review)",
    (Product, "dismissed_by"): "(a:Product)<-[r:DISMISSED]-(b:User)",
    (Product, "recommended_to"): "(a:Product)<-[r:RECOMMENDED]-(b:User)",
    (Review, "author"): "(a:Review)<-[r:WROTE]-(b:User)",
    (Review, "about"): "(a:Review)-[r:ABOUT]->(b:Product)",
    (Category, "products"): "(a:Category)<-[r:IN_CATEGORY]-(b:Product)",
}


@pytest.fixture(scope="module")
def full(shared_graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """The six users with one node and relationship of each kind; read only."""
    load(shared_graph, write_six_users(tmp_path_factory.mktemp("six_users")))
    with open_driver(shared_graph.connection) as driver, driver.session() as session:
        session.run(
            "MATCH (u:User {id: 'u1'}), (p:Product {id: 'D'}), (q:Product {id: 'E'}) "
            "CREATE (u)-[:DISMISSED]->(p), "
            "(u)-[:RECOMMENDED {score: 0.25, rank: 1, version: 'one'}]->(q), "
            "(:EmbeddingVersion {name: 'one', slot: 'a', state: 'active', heads: 2, dim: 2, "
            "  metrics: '{}', created_at: '2030-01-01', users: 1, products: 6, index_recall: 1.0}) "
            "SET u.name = 'Ünal 💶', u.counted_a = 4611686018427387904, u.own_a = [0.5, -1.5] "
            "WITH 1 AS one MATCH (p:Product) SET p.message_a = [0.5, 1.0], "
            "p.embedding_a = [x IN range(1, 6) | x * (p.gid - 2) / 7.0]"
        ).consume()
    return shared_graph


@pytest.fixture(scope="module")
def explored(full: Graph) -> Iterator[Any]:
    with explore(full.connection) as opened:
        yield opened


def key(model: Any) -> str:
    return str(model.__primarykey__)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_both_read_the_same_nodes(explored: Any, run_cypher: Any, model: Any) -> None:
    rows = run_cypher(f"MATCH (n:{model.__name__}) RETURN properties(n) AS has")
    expected = {row["has"][key(model)]: row["has"] for row in rows}
    names = [name for name, value in vars(model).items() if isinstance(value, Property)]
    assert expected
    assert len(model.match(explored)) == len(expected)
    for found in model.match(explored):
        has = expected[getattr(found, key(model))]
        assert set(has) <= set(names)
        assert {name: getattr(found, name) for name in names} == {n: has.get(n) for n in names}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{end[0].__name__}.{end[1]}")
def test_both_read_the_same_relationships_and_properties(
    explored: Any, run_cypher: Any, end: Any
) -> None:
    model, attribute = end
    other_key = "name" if "(b:Category)" in ENDS[end] else "id"
    rows = run_cypher(
        f"MATCH {ENDS[end]} RETURN a.{key(model)} AS a, b.{other_key} AS b, properties(r) AS has"
    )
    found = [
        {"a": getattr(one, key(model)), "b": getattr(thing, other_key), "has": dict(has)}
        for one in model.match(explored)
        for _, (_, has), thing in getattr(one, attribute).triples()
    ]
    assert rows
    assert sorted(found, key=str) == sorted(rows, key=str)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("chat_user", {"user_id": "u1"}),
        ("show_user", {"id": "u2", "sample": 10}),
        ("show_product", {"id": "C", "sample": 10}),
        (
            "explain_pair",
            {
                "user_id": "u1",
                "product_id": "C",
                "version": "first",
                "harmless": None,
                "facts": ["risk"],
            },
        ),
        ("explain_neighbours", {"user_ids": ["u1"], "product_gid": 2, "cut": None}),
        ("why_not_facts", {"user_id": "u6", "product_id": "D", "harmless": None}),
        (
            "recommend_query_vector",
            {"users": [["u1", 0], ["u6", 99]], "only": None, "checked": True},
        ),
        (
            "recommend_score",
            {"user_id": "u1", "product_ids": ["A"], "query": [0.1] * 6, "width": 6},
        ),
        ("version_list", {}),
    ],
)
def test_both_return_the_same_rows_of_a_statement(
    full: Graph, explored: Any, name: str, parameters: dict[str, Any]
) -> None:
    rows = full.read(name, **parameters)
    others = explored.run(query(name), **parameters).data()
    for row in (*rows, *others):
        row.get("version", {}).pop("silent_seconds", None) if name == "version_list" else None
    assert rows
    assert others == rows


SCHEMA_CALLS = {
    "create_index": ("Product", "name"),
    "drop_index": ("Product", "name"),
    "get_indexes": ("Product",),
    "create_uniqueness_constraint": ("Product", "name"),
    "drop_uniqueness_constraint": ("Product", "name"),
    "get_uniqueness_constraints": ("Product",),
}


@pytest.mark.parametrize("call", SCHEMA_CALLS)
def test_schema_calls_use_removed_syntax(explored: Any, call: str) -> None:
    with pytest.raises(ClientError, match=r"yntax|by schema|no procedure"):
        getattr(explored.schema, call)(*SCHEMA_CALLS[call])


def test_labels_and_types_are_listed(explored: Any) -> None:
    assert {"User", "Product"} <= set(explored.schema.node_labels)
    assert {"HOLDS", "TIED_TO"} <= set(explored.schema.relationship_types)


def test_a_vector_is_not_returned(explored: Any) -> None:
    (row,) = explored.run("CYPHER 25 RETURN vector([1, 2], 2, FLOAT32) AS v").data()
    assert row["v"] == {"originalType": "VECTOR(2, FLOAT32)", "reason": "UNKNOWN_TYPE"}


def test_a_time_with_a_zone_cannot_be_sent_and_loses_its_zone_in_python(explored: Any) -> None:
    moment = datetime(2024, 1, 31, 10, tzinfo=UTC)
    with pytest.raises(TypeError, match="utcoffset"):
        explored.run("RETURN $t AS t", t=moment)
    (row,) = explored.run("RETURN datetime('2024-01-31T10:00Z') AS t").data()
    assert row["t"].tzinfo is not None
    assert row["t"].to_native() == moment.replace(tzinfo=None)


def test_a_node_has_no_element_id(explored: Any) -> None:
    node = explored.nodes.match("User", id="u1").first()
    assert isinstance(node.identity, int)
    assert not hasattr(node, "element_id")


@pytest.fixture
def pair(full: Graph, run_cypher: Any) -> Iterator[None]:
    """Two users with two ties, deleted afterwards."""
    run_cypher(
        "CREATE (a:User {id: 'x1', gid: 91}), (b:User {id: 'x2', gid: 92}), "
        "(a)-[:TIED_TO {kind: 'follows'}]->(b), (a)-[:TIED_TO {kind: 'family'}]->(b)"
    )
    yield
    run_cypher("MATCH (u:User) WHERE u.id IN ['x1', 'x2', 'x3'] DETACH DELETE u")


@pytest.mark.usefixtures("pair")
def test_of_parallel_relationships_one_is_read_and_a_push_overwrites_the_others(
    explored: Any, run_cypher: Any
) -> None:
    kinds = "MATCH (:User {id: 'x1'})-[r:TIED_TO]->(:User {id: 'x2'}) RETURN r.kind AS kind"
    assert {row["kind"] for row in run_cypher(kinds)} == {"follows", "family"}
    ann = User.match(explored, "x1").first()
    assert len(list(ann.tied_to.triples())) == 1
    explored.push(ann)
    assert len({row["kind"] for row in run_cypher(kinds)}) == 1


@pytest.mark.usefixtures("pair")
def test_a_push_deletes_relationships_created_meanwhile(explored: Any, run_cypher: Any) -> None:
    ann = User.match(explored, "x1").first()
    assert [other.id for other in ann.tied_to] == ["x2"]
    run_cypher("MATCH (a:User {id: 'x1'}) CREATE (a)-[:TIED_TO]->(:User {id: 'x3', gid: 93})")
    explored.push(ann)
    rows = run_cypher("MATCH (:User {id: 'x1'})-[:TIED_TO]->(b) RETURN DISTINCT b.id AS id")
    assert [row["id"] for row in rows] == ["x2"]


def test_functions_of_cypher_25_need_its_prefix(explored: Any) -> None:
    with pytest.raises(ClientError, match="vector"):
        explored.run("RETURN vector([1, 2], 2, FLOAT32) AS v")


def test_it_uses_bolt_4(explored: Any) -> None:
    explored.run("RETURN 1").data()
    pools = explored.service.connector._pools
    versions = {one.protocol_version for pool in pools.values() for one in pool._free_list}
    assert {version[0] for version in versions} == {4}
