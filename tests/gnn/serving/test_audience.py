"""Audiences equal those of brute force: the score and the verdicts of every user, sorted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotFound, NotReady
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.audience import population
from kinfolio.gnn.serving.audience.audience import audience
from kinfolio.gnn.serving.recommend import score_of
from kinfolio.gnn.serving.rules import Rule
from kinfolio.gnn.serving.user_state import read_user_state
from kinfolio.gnn.serving.verdicts import read_verdicts
from kinfolio.records import Connection

if TYPE_CHECKING:
    from tests.gnn.conftest import World

RunCypher = Callable[..., list[dict[str, Any]]]
NUM_USERS, NUM_PRODUCTS = 60, 80
MAIN = "p56"
PRODUCTS = (MAIN, 'it\'s "0"', "p03", "p66", "p77")
"""One that most may have, one for certain countries and risks, a closed one, unrated ones."""


@pytest.fixture(scope="module")
def changed(server: Connection, shared_graph: Graph, make_world: Callable[..., World]) -> Graph:
    """A world written back, then changed: new users, new holdings and ties, one without a gid."""
    world = make_world(3, NUM_USERS, NUM_PRODUCTS)
    embeddings = world.embeddings()
    # Equal vectors of many users: equal scores where the links are equal.
    vectors = embeddings.user_vectors.copy()
    vectors[30:50] = vectors[30]
    # A head without a vector: the other one counts alone.
    vectors[12, : embeddings.dim] = 0
    with open_driver(server) as driver, driver.session() as session:
        world.store(lambda text, **parameters: session.run(text, parameters).data())
        write_back(shared_graph, replace(embeddings, user_vectors=vectors), check_sums=False)
        for text in (
            "UNWIND range(0, 4) AS i CREATE (:User {id: ['holds', 'tied', 'wrote', 'nothing', "
            "'also nothing'][i], gid: 60 + i, risk_tolerance: 9, country: 'FR'})",
            "CREATE (:User {id: 'no gid', risk_tolerance: 9, country: 'FR'})",
            "MATCH (u:User {id: 'no gid'}), (p:Product) WHERE p.gid IN [1, 2, 9, 14] "
            "CREATE (u)-[:HOLDS]->(p)",
            "MATCH (u:User {id: 'holds'}), (p:Product {gid: 3}) CREATE (u)-[:HOLDS]->(p)",
            "MATCH (u:User {id: 'tied'}), (v:User {gid: 7}) CREATE (u)-[:TIED_TO]->(v)",
            "MATCH (u:User {id: 'wrote'}), (p:Product {gid: 5}) "
            "CREATE (u)-[:WROTE]->(:Review {id: 'r'})-[:ABOUT]->(p)",
            "UNWIND range(10, 19) AS i MATCH (u:User {gid: i}), (p:Product {gid: 79 - i}) "
            "MERGE (u)-[:HOLDS]->(p)",
            "MATCH (u:User {gid: 20}), (v:User {gid: 21}) CREATE (u)-[:TIED_TO]->(v)",
            "MATCH (u:User {gid: 22}) CREATE (u)-[:TIED_TO]->(u)",
            "MATCH (u:User {gid: 23})-[h:HOLDS]->(p) CREATE (u)-[:HOLDS {split: 'train'}]->(p)",
        ):
            session.run(text).consume()
    return shared_graph


def brute_force(
    graph: Graph, run: RunCypher, product: str, rules: Sequence[Rule] = ()
) -> list[tuple[str, float, str]]:
    """All users whom the rules allow the product, with score and source, best first."""
    found = []
    for row in run("MATCH (u:User) RETURN u.id AS id"):
        if all(one.passed for one in read_verdicts(graph, row["id"], product, rules=rules)):
            score = score_of(graph, row["id"], product)
            assert score is not None
            found.append((row["id"], score, read_user_state(graph, row["id"]).source))
    return sorted(found, key=lambda one: (-round(one[1], 9), one[0]))


def test_audiences_are_those_of_brute_force(changed: Graph, run_cypher: RunCypher) -> None:
    everybody = []
    for product in PRODUCTS:
        expected = brute_force(changed, run_cypher, product)
        for k in (1, 7, 30, 1_000):
            found = audience(changed, product, k)
            assert [(one.user, one.score, one.source) for one in found.users] == expected[:k]
            assert [one.rank for one in found.users] == list(range(1, len(found.users) + 1))
            assert found.eligible == len(expected)
        everybody += expected
    # The case is as hard as intended: users of every source, equal scores, a user without a gid.
    sources = {source for _, _, source in everybody}
    assert sources == {"stored", "folded_in", "ties", "text", "popularity"}
    scores = [score for _, score, source in everybody if source == "stored"]
    assert len(set(scores)) < len(scores)
    assert "no gid" in {user for user, _, _ in everybody}


def test_pages_and_the_first_page_give_the_same_audience(
    changed: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = audience(changed, MAIN, 20)
    monkeypatch.setattr(population, "PAGE_GIDS", 7)
    with Graph(changed.connection) as graph:
        assert audience(graph, MAIN, 20) == expected


def test_own_rules_count_about_the_user_and_about_the_product(
    changed: Graph, run_cypher: RunCypher
) -> None:
    rules = [
        Rule(name="land", reason="Not in Spain.", condition="u.country <> 'ES' OR p.gid = 0"),
        Rule(
            name="new",
            reason="Holds something.",
            condition="EXISTS { MATCH (u)-[:HOLDS]->(x:Product) WHERE x.gid <> p.gid }",
        ),
    ]
    expected = brute_force(changed, run_cypher, MAIN, rules)
    found = audience(changed, MAIN, rules=rules)
    assert [(one.user, one.score) for one in found.users] == [one[:2] for one in expected]
    assert 0 < found.eligible < audience(changed, MAIN).eligible


def test_every_write_counts_the_next_time(changed: Graph, run_cypher: RunCypher) -> None:
    first = audience(changed, MAIN, 3).users[0].user
    run_cypher(
        "MATCH (u:User {id: $user}), (p:Product {id: 'p56'}) CREATE (u)-[:DISMISSED]->(p)",
        user=first,
    )
    assert first not in {one.user for one in audience(changed, MAIN, 100).users}
    run_cypher("MATCH (u:User {id: $user})-[d:DISMISSED]->({id: 'p56'}) DELETE d", user=first)
    # A holding beside it, by Cypher: the user is folded in.
    run_cypher(
        "MATCH (u:User {id: $user}), (p:Product {id: 'p50'}) CREATE (u)-[:HOLDS]->(p)", user=first
    )
    assert [(one.user, one.score, one.source) for one in audience(changed, MAIN, 9).users] == (
        brute_force(changed, run_cypher, MAIN)[:9]
    )
    run_cypher("MATCH (:User {id: $user})-[h:HOLDS]->({id: 'p50'}) DELETE h", user=first)


@pytest.mark.parametrize("value", ["[1.0, 2.0]", "'text'", "[0.0/0.0] + u.embedding_a[1..]"])
def test_a_user_with_a_damaged_vector_is_folded_in(
    changed: Graph, run_cypher: RunCypher, value: str
) -> None:
    before = run_cypher("MATCH (u:User {gid: 30}) RETURN u.embedding_a AS e")[0]["e"]
    run_cypher(f"MATCH (u:User {{gid: 30}}) SET u.embedding_a = {value}")
    try:
        expected = brute_force(changed, run_cypher, MAIN)
        found = audience(changed, MAIN)
        assert [one.user for one in found.users] == [one[0] for one in expected]
        assert [one.score for one in found.users] == pytest.approx(
            [one[1] for one in expected], abs=1e-12
        )
    finally:
        run_cypher("MATCH (u:User {gid: 30}) SET u.embedding_a = $e", e=before)


def test_short_lists_and_wrong_inputs_say_what_to_do(changed: Graph, run_cypher: RunCypher) -> None:
    warnings: list[str] = []
    run_cypher("CREATE (:Product {id: 'new', gid: 80, name: 'New'}), (:Product {id: 'shut'})")
    found = audience(changed, MAIN, 1_000, warn=warnings.append)
    assert f"{found.eligible} of 1000 asked for" in warnings[-1]
    with pytest.raises(NotFound, match="there is no product 'p4'"):
        audience(changed, "p4")
    with pytest.raises(NotReady, match=r"'new' has no vector .* type: kinfolio refresh"):
        audience(changed, "new")
    with pytest.raises(BadConfig, match="number of users from 1 to 1,000"):
        audience(changed, MAIN, 0)


def test_without_a_version_all_users_have_the_number_of_holders(
    graph: Graph, run_cypher: RunCypher, make_world: Callable[..., World]
) -> None:
    make_world(3, NUM_USERS, NUM_PRODUCTS).store(run_cypher)
    warnings: list[str] = []
    found = audience(graph, MAIN, 12, warn=warnings.append)
    expected = brute_force(graph, run_cypher, MAIN)
    assert [(one.user, one.score, one.source) for one in found.users] == expected[:12]
    assert (found.eligible, found.version) == (len(expected), None)
    assert "kinfolio writeback" in warnings[0]


def test_nobody_may_have_a_closed_product(changed: Graph, run_cypher: RunCypher) -> None:
    run_cypher("MATCH (p:Product {id: 'p56'}) SET p.open = false")
    try:
        assert audience(changed, MAIN).users == ()
    finally:
        run_cypher("MATCH (p:Product {id: 'p56'}) SET p.open = true")


def test_a_cosine_is_as_exact_as_the_margin_assumes(changed: Graph, run_cypher: RunCypher) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        one, other = rng.normal(size=(2, 130)).astype(np.float32).astype(float)
        near = run_cypher(
            "RETURN vector.similarity.cosine($one, $other) AS near",
            one=one.tolist(),
            other=other.tolist(),
        )[0]["near"]
        right = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
        assert abs(2 * near - 1 - right) < 2e-6
