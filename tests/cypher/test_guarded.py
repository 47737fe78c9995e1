"""Generated statements: which run, and that no other reaches private data of other users."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.guarded import MAX_ROWS, check_statement, guarded_rows
from kinfolio.errors import BadInput
from tests.conftest import write_six_users

ME = "(me:User {id: $user_id})"


@pytest.fixture(scope="module")
def loaded(shared_graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    from kinfolio.loaders import load

    load(shared_graph, write_six_users(tmp_path_factory.mktemp("data")))
    return shared_graph


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (
            f"MATCH {ME}-[h:HOLDS]->(p:Product) RETURN p.name AS name, h.rating ORDER BY name",
            [
                {"name": "Amber Bond Fund", "h.rating": 5.0},
                {"name": "Birch Equity Fund", "h.rating": 4.0},
                {"name": "Cedar Index Fund", "h.rating": 5.0},
            ],
        ),
        (f"MATCH {ME}-[:TIED_TO]-() RETURN count(*) AS ties", [{"ties": 2}]),
        (
            f"MATCH {ME}-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product) RETURN p, r.rating AS stars",
            [{"p": "Cedar Index Fund", "stars": 5.0}],
        ),
        (
            "MATCH (p:Product)-[:IN_CATEGORY]->(c:Category {name: 'Bonds'}) WHERE p.risk < 2 "
            "AND p.name STARTS WITH 'Elm' "
            "AND NOT (:User {id: $user_id})-[:HOLDS]->(p:Product) RETURN p.id AS id",
            [{"id": "E"}],
        ),
        (
            f"MATCH {ME} OPTIONAL MATCH (me:User {{id: $user_id}})-[:DISMISSED]->(p:Product) "
            "RETURN me.country AS country, collect(p) AS dismissed",
            [{"country": "DE", "dismissed": ""}],
        ),
    ],
)
def test_data_of_the_asker_and_products_are_read(
    loaded: Graph, statement: str, rows: list[dict[str, Any]]
) -> None:
    assert guarded_rows(loaded, statement, "u2") == rows


REFUSED = [
    "MATCH (u:User) RETURN u.name",
    "MATCH (u:User {id: 'u1'})-[:HOLDS]->(p:Product) RETURN p.id",
    "MATCH (n) RETURN n",
    "MATCH p = (n) RETURN p",
    "MATCH (p:Product), (u) RETURN u.name",
    "MATCH (p:Product), x = (u) RETURN u.name",
    "MATCH (p:Product) MATCH (p)--(u) RETURN u.name",
    "MATCH (p:Product)<-[:HOLDS]-(u:User) RETURN u.id",
    "MATCH (p:Product)<-[:HOLDS]-() RETURN count(*)",
    f"MATCH {ME}-[:TIED_TO]-(f:User) RETURN f.name",
    f"MATCH {ME}-[t:TIED_TO]-() RETURN t",
    f"MATCH {ME}-[:TIED_TO]-()-[:TIED_TO]-() RETURN count(*)",
    f"MATCH {ME}-[:HOLDS]->(p:Product)<-[:HOLDS]-(u:User) RETURN u.id",
    "MATCH (r:Review) RETURN r.text",
    f"MATCH {ME}-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product)<-[:ABOUT]-(o:Review) RETURN o.text",
    "MATCH (u:$(toUpper('x'))) RETURN u",
    "MATCH (u:Product|User) RETURN u.id",
    "MATCH (u IS User) RETURN u.id",
    "MATCH (u WHERE u.risk_tolerance > 0) RETURN u.id",
    "MATCH ((a:Product)-[:IN_CATEGORY]->(c:Category)){1,3} RETURN a.id",
    "MATCH (v:EmbeddingVersion) RETURN v.name",
    "MATCH (p:Product) RETURN p.embedding_a",
    "MATCH (p:Product) RETURN p {.*}",
    "MATCH (p:Product) RETURN p['text']",
    "MATCH (p:Product) SET p.name = 'x' RETURN p",
    "CREATE (p:Product {id: 'x'}) RETURN p",
    "MATCH (p:Product) DETACH DELETE p",
    "CALL db.labels() YIELD label RETURN label",
    "CALL { MATCH (u:User) RETURN u } RETURN u.id",
    "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row",
    "SHOW USERS",
    "USE system MATCH (p:Product) RETURN p.id",
    "MATCH (p:Product) RETURN p.id UNION MATCH (u:User) RETURN u.id",
    "MATCH (p:Product) RETURN p.id; MATCH (n) DETACH DELETE n",
    "MATCH (p:Product) RETURN p.id // MATCH (u:User)",
    "MATCH (p:Product) RETURN p.id /* x */",
    "MATCH (u:`User`) RETURN u.id",
    "MATCH (u:\\u0055ser) RETURN u.id",
    "MATCH (p:Product {id: $other}) RETURN p.id",
    "MATCH (p:Product) RETURN apoc.version()",
    "MATCH (p:Product) WHERE EXISTS { (x)-[:HOLDS]->(p) } RETURN p.id",
    "MATCH (p:Product) RETURN [(p)<-[:HOLDS]-(u) | u.id]",
    f"MATCH {ME} RETURN startNode(me)",
    "MATCH § RETURN 1",
    "MATCH (p:Product) RETURN 'A certain gain of 9 %' AS fact",
    "MATCH (p:Product) RETURN p.risk + 90 AS percent",
    "MATCH (p:Product) WITH 'Zoe holds it' AS fact RETURN fact",
    "UNWIND ['you', 'win'] AS fact RETURN fact",
    "MATCH (p:Product) RETURN [x IN collect(p) WHERE true | 'you win'] AS fact",
    "MATCH (p:Product) RETURN CASE WHEN p.risk > p.risk THEN p.name ELSE 'win' END AS fact",
    "MATCH (p:Product) RETURN [x IN collect(p) WHERE true], 'you win' AS fact",
    "MATCH (p:Product) RETURN p.name AS skip, 'you win' AS fact",
    "MATCH (p:Product) - [:IN_CATEGORY] - (c) RETURN c.name",
    "MATCH (p:Product) WHERE NOT (p) < - [:HOLDS] - (:User) RETURN p.id",
    "MATCH (p:Product {name: p.embedding_a}) RETURN p.id",
    "MATCH (p:Product RETURN p.id",
    "MATCH (p:Product)) RETURN p.id",
    "RETURN " + "1 + " * 500 + "1",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_any_other_statement_is_refused_before_it_is_sent(statement: str) -> None:
    with pytest.raises(BadInput, match="was not run"):
        check_statement(statement)


def test_a_statement_that_fails_writes_or_takes_long_is_reported(loaded: Graph) -> None:
    with pytest.raises(BadInput, match="cannot be run"):
        guarded_rows(loaded, "MATCH (p:Product) RETURN q.name", "u2")
    many = ", ".join(f"(p{n}:Product)" for n in range(14))
    started = time.monotonic()
    with pytest.raises(BadInput, match="cannot be run"):
        guarded_rows(loaded, f"MATCH {many} RETURN sum(p0.risk * p13.risk)", "u2")
    assert time.monotonic() - started < 30
    rows = guarded_rows(loaded, "MATCH (a:Product), (b:Product), (c:Product) RETURN a.id", "u2")
    assert len(rows) == MAX_ROWS
    for text in ("CREATE (x:Product) RETURN 1", "MATCH (n) RETURN n", "CALL db.labels()"):
        # The plan alone is refused, too.
        with pytest.raises(BadInput, match="cannot be run"):
            loaded.run_text(
                "it", text, seconds=2, limit=1, forbidden=("AllNodesScan", "ProcedureCall")
            )
