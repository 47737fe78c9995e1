"""Lists without embeddings in the graph: by popularity, under the same rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.recommend_all import recommend_all
from kinfolio.gnn.serving.why_not import why_not

SMALL = """
UNWIND ['u1', 'u2', 'u3'] AS id CREATE (:User {id: id, risk_tolerance: 3, country: 'FR'})
WITH count(*) AS _
CREATE (a:Product {id: 'a', name: 'Amber'}), (b:Product {id: 'b', risk: 3, countries: ['FR']}),
       (c:Product {id: 'c', open: false}), (d:Product {id: 'd', risk: 4}),
       (e:Product {id: 'e', countries: ['DE', 'AT']})
WITH a, b, c, d, e
MATCH (u1:User {id: 'u1'}), (u2:User {id: 'u2'}), (u3:User {id: 'u3'})
CREATE (u1)-[:HOLDS]->(a), (u2)-[:HOLDS]->(a), (u2)-[:HOLDS]->(b), (u2)-[:HOLDS]->(d),
       (u3)-[:DISMISSED]->(b), (u2)-[:HOLDS]->(c), (u1)-[:HOLDS]->(e)
"""


def test_products_are_ordered_by_popularity_under_the_rules(
    graph: Graph, run_cypher: Callable[..., Any], tmp_path: Path
) -> None:
    run_cypher(SMALL)
    warnings: list[str] = []
    found = recommend(graph, "u3", 5, warn=warnings.append)
    assert [(x.product, x.name, x.score) for x in found.products] == [("a", "Amber", 2.0)]
    assert (found.version, found.search, found.source) == (None, None, "popularity")
    assert "no embeddings are in the graph yet" in warnings[0]
    assert warnings[1] == (
        "1 of 5 asked for: 1 are closed, 1 are not sold in the user's country, "
        "1 were dismissed, 1 are above the user's risk tolerance"
    )
    assert [x.product for x in recommend(graph, "u1").products] == ["b"]
    recommend_all(graph, tmp_path / "all.tsv", 5)
    assert (tmp_path / "all.tsv").read_text().splitlines()[1:] == ["u1\t1\tb\t1", "u3\t1\ta\t2"]


def test_each_rule_gives_its_reason(graph: Graph, run_cypher: Callable[..., Any]) -> None:
    run_cypher(SMALL)
    run_cypher("CREATE (:User {id: 'u4'})")

    def reason(user: str, product: str, rule: str) -> tuple[bool, str]:
        found = why_not(graph, user, product)
        built_in = ["held", "dismissed", "closed", "country", "risk", "unrated"]
        assert [r.rule for r in found.rules] == built_in
        return next((r.passed, r.reason) for r in found.rules if r.rule == rule)

    assert reason("u1", "a", "held") == (False, "u1 already holds Amber")
    assert reason("u3", "a", "held") == (True, "u3 does not hold Amber")
    assert reason("u3", "b", "dismissed") == (False, "u3 has dismissed b")
    assert reason("u1", "b", "dismissed") == (True, "u1 has not dismissed b")
    assert reason("u1", "c", "closed") == (False, "c is closed to new buyers")
    assert reason("u1", "a", "closed") == (True, "nothing says that Amber is closed")
    assert reason("u1", "e", "country") == (False, "e is sold in AT, DE only, and u1 is in FR")
    assert reason("u1", "b", "country") == (True, "b is sold in FR, and u1 is in FR")
    assert reason("u4", "b", "country") == (
        False,
        "b is sold in FR only, and the country of u4 is unknown",
    )
    assert reason("u1", "a", "country") == (True, "Amber is not limited to certain countries")
    assert reason("u1", "d", "risk") == (
        False,
        "d has risk level 4, above the risk tolerance of u1, 3",
    )
    assert reason("u1", "b", "risk") == (
        True,
        "b has risk level 3, within the risk tolerance of u1, 3",
    )
    assert reason("u4", "b", "risk") == (
        False,
        "b has risk level 3, and the risk tolerance of u4 is unknown",
    )
    assert reason("u1", "a", "risk") == (True, "Amber states no risk level")
    found = why_not(graph, "u3", "d")
    assert (found.rank, found.score, found.allowed) == (2, 1.0, False)
