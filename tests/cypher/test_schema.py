from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.errors import BadInput, NotReady
from tests.conftest import drop_constraints


def constraints(run_cypher: Any) -> set[tuple[str, str]]:
    rows = run_cypher("SHOW CONSTRAINTS YIELD labelsOrTypes, properties, type")
    return {(row["labelsOrTypes"][0], row["properties"][0]) for row in rows}


def test_each_key_of_the_graph_is_unique(graph: Graph, run_cypher: Any) -> None:
    drop_constraints(run_cypher)
    create_schema(graph)
    assert constraints(run_cypher) == {
        ("User", "id"),
        ("User", "gid"),
        ("Product", "id"),
        ("Product", "gid"),
        ("Review", "id"),
        ("Category", "name"),
        ("EmbeddingVersion", "name"),
    }


def test_the_schema_is_idempotent(graph: Graph, run_cypher: Any) -> None:
    before = constraints(run_cypher)
    create_schema(graph)
    assert constraints(run_cypher) == before


def test_data_that_violate_the_schema_are_reported(graph: Graph, run_cypher: Any) -> None:
    run_cypher("DROP CONSTRAINT user_id")
    run_cypher("CREATE (:User {id: 'twice', gid: 1}), (:User {id: 'twice', gid: 2})")
    with pytest.raises(BadInput, match="twice"):
        create_schema(graph)
    run_cypher("MATCH (n) DETACH DELETE n")
    create_schema(graph)


def test_a_constraint_left_on_another_label_is_told(graph: Graph, run_cypher: Any) -> None:
    run_cypher("DROP CONSTRAINT user_gid")
    run_cypher("CREATE CONSTRAINT user_gid FOR (n:Person) REQUIRE n.gid IS UNIQUE")
    with pytest.raises(NotReady, match=r"row numbers of User need .* DROP CONSTRAINT user_gid"):
        create_schema(graph)
