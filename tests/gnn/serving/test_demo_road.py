"""A trained model of the generated community, served by the graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.user_state import read_user_states
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.run import Run

RunCypher = Callable[..., list[dict[str, Any]]]


def test_without_changes_since_the_export_all_users_use_stored_vectors(
    demo_graph: Graph, demo_run: Run
) -> None:
    embeddings = read_embeddings(demo_run)
    states = {state.user: state for state in read_user_states(demo_graph, embeddings.user_ids)}
    for user_id, vector in zip(embeddings.user_ids, embeddings.user_vectors, strict=True):
        assert (states[user_id].source == "stored") == bool(vector.any())
        if vector.any():
            assert states[user_id].query[:-2] == pytest.approx(vector, abs=1e-6)


def test_fold_in_equals_the_trained_embedding(
    demo_graph: Graph, demo_run: Run, run_cypher: RunCypher
) -> None:
    embeddings = read_embeddings(demo_run)
    with_vector = np.flatnonzero(embeddings.user_vectors.any(axis=1))
    ids = [embeddings.user_ids[row] for row in with_vector[::10]]
    stored = read_user_states(demo_graph, ids)
    run_cypher("MATCH (u:User) WHERE u.counted_a IS NOT NULL SET u.counted_a = u.counted_a + 1")
    try:
        folded = read_user_states(demo_graph, ids)
    finally:
        run_cypher("MATCH (u:User) WHERE u.counted_a IS NOT NULL SET u.counted_a = u.counted_a - 1")
    assert {state.source for state in stored} == {"stored"}
    assert "folded_in" in {state.source for state in folded}
    for before, after in zip(stored, folded, strict=True):
        assert np.allclose(before.query, after.query, atol=1e-5), (before.user, after.source)


def test_a_new_user_with_holdings_gets_a_list_without_training(
    demo_graph: Graph, demo_run: Run, run_cypher: RunCypher, cli: Callable[..., Any]
) -> None:
    embeddings = read_embeddings(demo_run)
    run_cypher(
        "CREATE (u:User {id: 'newcomer', risk_tolerance: 5, country: 'FR'}) "
        "WITH u UNWIND $products AS id MATCH (p:Product {id: id}) CREATE (u)-[:HOLDS]->(p)",
        products=list(embeddings.product_ids[:4]),
    )
    try:
        answer = json.loads(cli("recommend", "newcomer", "-k", "3", "--json").stdout)
    finally:
        run_cypher("MATCH (u:User {id: 'newcomer'}) DETACH DELETE u")
    assert answer["source"] == "folded_in"
    assert len(answer["products"]) == 3


def test_lists_have_only_eligible_products(demo_graph: Graph, run_cypher: RunCypher) -> None:
    rows = run_cypher("MATCH (u:User) RETURN u.id AS id ORDER BY id LIMIT 20")
    for row in rows:
        found = [line.product for line in recommend(demo_graph, row["id"]).products]
        assert found
        broken = run_cypher(
            "MATCH (u:User {id: $id}), (p:Product) WHERE p.id IN $found AND ("
            "EXISTS { (u)-[:HOLDS|DISMISSED]->(p) } OR p.open = false "
            "OR p.risk > coalesce(u.risk_tolerance, -1) "
            "OR NOT coalesce(u.country, '') IN coalesce(p.countries, [u.country, ''])) "
            "RETURN p.id AS id",
            id=row["id"],
            found=found,
        )
        assert broken == []


def test_the_command_writes_back_and_prints_the_contract(
    demo_graph: Graph, demo_run: Run, cli: Callable[..., Any]
) -> None:
    result = cli("writeback", "--run", str(demo_run.folder), "--json")
    answer = json.loads(result.stdout)
    assert list(answer) == [
        *("version", "slot", "users", "products", "index_recall@10", "seconds"),
        *("state", "replaced"),
    ]
    assert (answer["state"], answer["replaced"]) == ("active", None)
    assert (answer["slot"], answer["products"]) == ("b", 120)
    assert answer["index_recall@10"] > 0.95
    assert "from slot a: " in cli("writeback", "--run", str(demo_run.folder)).stdout


def test_a_run_without_a_model_is_refused(cli: Callable[..., Any], tmp_path: Any) -> None:
    result = cli("writeback", "--run", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert result.stderr.startswith("kinfolio: ")
    assert "kinfolio export" in result.stderr
