"""The mapping that `map init` guesses for different graphs."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.inspection.check import check_mapping
from kinfolio.cypher.inspection.file import as_toml
from kinfolio.cypher.inspection.guess import guess
from kinfolio.cypher.inspection.inventory import inspect
from kinfolio.cypher.mapping.names import Mapping, mapping_from
from kinfolio.errors import NotReady


def guessed(graph: Graph) -> Mapping:
    """The guess, which must be the same when read from its file, and without problems."""
    found = inspect(graph)
    mapping = guess(graph, found)
    assert mapping_from(tomllib.loads(as_toml(mapping, found))) == mapping
    assert [line for line in check_mapping(graph, mapping) if line.level == "problem"] == []
    return mapping


def test_a_shop_with_relationships_from_product_to_user(graph: Graph, run_cypher: Any) -> None:
    run_cypher(
        "UNWIND range(1, 20) AS n CREATE (c:Customer {customerId: n, email: 'c' + n}) "
        "WITH c, n UNWIND [1, 2, 3] AS k MERGE (p:Item {sku: 'S' + ((n * k) % 10)}) "
        "ON CREATE SET p.title = 'Item ' + p.sku, p.available = true "
        "CREATE (p)-[:BOUGHT_BY {date: datetime('2024-05-0' + k)}]->(c) "
        "CREATE (c)-[:DISLIKES]->(p)"
    )
    mapping = guessed(graph)
    assert (mapping.users.label, mapping.users.id, mapping.users.id_type) == (
        *("Customer", "customerId", "integer"),
    )
    assert (mapping.products.label, mapping.products.id) == ("Item", "sku")
    assert (mapping.products.name, mapping.products.open) == ("title", "available")
    assert (mapping.holdings.type, mapping.holdings.direction) == ("BOUGHT_BY", "in")
    assert (mapping.holdings.at, mapping.holdings.at_unit) == ("date", "date")
    assert mapping.dismissals is not None
    assert mapping.dismissals.type == "DISLIKES"
    assert (mapping.ties, mapping.reviews, mapping.categories) == (None, None, None)


def test_reviews_as_nodes(graph: Graph, run_cypher: Any) -> None:
    run_cypher(
        "UNWIND range(1, 12) AS n CREATE (u:Reader {id: 'r' + n}) "
        "MERGE (b:Book {isbn: 'b' + (n % 4)}) ON CREATE SET b.title = 'Book ' + b.isbn "
        "CREATE (u)-[:READ {at: 1700000000000 + n}]->(b) "
        "CREATE (u)-[:POSTED]->(:Opinion {body: 'A long and quiet book, ' + n})-[:OF]->(b) "
        "MERGE (t:Topic {name: 'topic ' + (n % 2)}) MERGE (t)-[:COVERS]->(b)"
    )
    mapping = guessed(graph)
    assert mapping.holdings.type == "READ"
    assert mapping.holdings.at_unit == "milliseconds"
    assert mapping.reviews is not None
    assert (mapping.reviews.label, mapping.reviews.wrote, mapping.reviews.about) == (
        *("Opinion", "POSTED", "OF"),
    )
    assert mapping.reviews.text == "body"
    assert mapping.categories is not None
    assert (mapping.categories.type, mapping.categories.direction) == ("COVERS", "in")


def test_the_standard_model_is_guessed_exactly(six_users: Graph) -> None:
    mapping = guessed(six_users)
    assert (mapping.users.label, mapping.users.id) == ("User", "id")
    assert (mapping.products.label, mapping.products.id) == ("Product", "id")
    assert mapping.holdings.type == "HOLDS"
    assert mapping.ties is not None
    assert mapping.ties.type == "TIED_TO"
    assert mapping.reviews is not None
    assert (mapping.reviews.label, mapping.reviews.text) == ("Review", "text")
    assert mapping.categories is not None
    assert mapping.categories.type == "IN_CATEGORY"


def test_names_of_any_characters_are_quoted_in_the_file(graph: Graph, run_cypher: Any) -> None:
    run_cypher(
        'UNWIND range(1, 5) AS n CREATE (:`Per\n"son` {`the\nid`: n})-[:`R\n[x]`]->'
        "(:`Mov'ie\\\\` {`i\\u0009d`: 'm' + n})"
    )
    mapping = guessed(graph)
    assert {mapping.users.label, mapping.products.label} == {'Per\n"son', "Mov'ie\\\\"}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("RETURN 1", "no relationships"),
        ("CREATE (:A {id: 1})-[:X]->(:A {id: 2})", "two different labels"),
        ("CREATE (:User {id: 1})-[:BOUGHT]->(:Item {x: 1.5})", "no property of Item nodes"),
    ],
)
def test_a_graph_without_users_or_products_is_reported(
    graph: Graph, run_cypher: Any, statement: str, words: str
) -> None:
    run_cypher(statement)
    with pytest.raises(NotReady, match=words):
        guess(graph, inspect(graph))


def test_an_indexed_key_is_the_id_rather_than_a_name_and_low_ratings_are_reported(
    graph: Graph, run_cypher: Any
) -> None:
    run_cypher("CREATE CONSTRAINT slug_key FOR (n:Viewer) REQUIRE n.slug IS UNIQUE")
    try:
        run_cypher(
            "UNWIND range(1, 20) AS n CREATE (u:Viewer {slug: 's' + n, name: 'Viewer ' + n}) "
            "WITH u, n MERGE (m:Movie {title: 'Movie ' + (n % 7)}) "
            "CREATE (u)-[:RATED {stars: 1 + n % 5}]->(m)"
        )
        mapping = guessed(graph)
        assert (mapping.users.id, mapping.users.name) == ("slug", "name")
        assert mapping.products.id == "title"
        lines = check_mapping(graph, mapping)
    finally:
        run_cypher("DROP CONSTRAINT slug_key")
    (line,) = [one for one in lines if one.line == "rating" and one.note]
    assert line.level == "warning"
    assert "8 of 20 ratings are below the middle of their range, 3" in line.note
    assert "1 in 4, 2 in 4, 3 in 4, 4 in 4, 5 in 4" in line.note
    assert "least_rating = 3.0" in line.note
