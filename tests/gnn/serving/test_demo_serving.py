"""Serving on the demo graph: own rules, stored lists, similar products, and the fold-in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput, NotFound
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.recommend_all import recommend_all
from kinfolio.gnn.serving.rules import read_rules
from kinfolio.gnn.serving.similar import similar_products
from kinfolio.gnn.serving.user_state import read_user_states
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.run import Run
from tests.gnn.recipes import HARMLESS, recipe

RunCypher = Callable[..., list[dict[str, Any]]]
K = 6


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Two rules of a deployment: one about the product alone, one about both."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "short-name.cypher").write_text(
        "// The name is short enough\n// for the form.\nsize(p.name) < 24\n"
    )
    (folder / "same-letter.cypher").write_text(
        "// Holds something of the same kind.\n"
        "EXISTS { MATCH (u)-[:HOLDS]->(x:Product) WHERE x.kind = p.kind } // or nothing\n"
    )
    return folder


def test_own_rules_apply_to_single_lists_to_all_lists_and_to_why_not(
    demo_graph: Graph, run_cypher: RunCypher, rules: Path, tmp_path: Path
) -> None:
    own = read_rules(demo_graph, rules)
    assert [rule.name for rule in own] == ["same-letter", "short-name"]
    assert own[1].reason == "The name is short enough for the form."
    recommend_all(demo_graph, tmp_path / "all.tsv", K, rules=own)
    lines = [line.split("\t") for line in (tmp_path / "all.tsv").read_text("utf-8").splitlines()]
    users = run_cypher("MATCH (u:User) RETURN u.id AS id ORDER BY id LIMIT 25")
    some_forbidden = 0
    for row in users:
        found = recommend(demo_graph, row["id"], K, rules=own)
        ids = [line.product for line in found.products]
        assert ids == [cells[2] for cells in lines if cells[0] == row["id"]]
        allowed = run_cypher(
            "MATCH (u:User {id: $user}), (p:Product) WHERE size(p.name) < 24 "
            "AND EXISTS { (u)-[:HOLDS]->(:Product {kind: p.kind}) } RETURN p.id AS id",
            user=row["id"],
        )
        assert set(ids) <= {one["id"] for one in allowed}
        without = recommend(demo_graph, row["id"], K).products
        some_forbidden += len({line.product for line in without} - set(ids))
        if ids:
            answer = why_not(demo_graph, row["id"], ids[-1], rules=own)
            assert (answer.allowed, answer.rank) == (True, len(ids))
    assert some_forbidden > 10
    user = users[0]["id"]
    long_name = run_cypher(
        "MATCH (p:Product) WHERE size(p.name) >= 24 RETURN p.id AS id ORDER BY id LIMIT 1"
    )[0]["id"]
    answer = why_not(demo_graph, user, long_name, rules=own)
    verdict = next(rule for rule in answer.rules if rule.rule == "short-name")
    assert (verdict.passed, answer.allowed) == (False, False)
    assert verdict.reason == "The name is short enough for the form."
    assert answer.rank is not None


def test_a_rule_that_evaluates_to_null_excludes_the_product(
    demo_graph: Graph, tmp_path: Path
) -> None:
    (tmp_path / "unknown.cypher").write_text("p.nobody_has_this = 1")
    own = read_rules(demo_graph, tmp_path)
    notes: list[str] = []
    assert recommend(demo_graph, "p007", rules=own, warn=notes.append).products == ()
    assert "are ruled out by rules of your own" in notes[-1]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("broken.cypher", "p.risk <", "is no condition about u and p"),
        ("number.cypher", "1 + 1", "expected Boolean"),
        ("writes.cypher", "true) = true SET p.risk = coalesce((1", "is no condition about u and p"),
        ("other.cypher", "q.risk = 1", "`q` not defined"),
        ("empty.cypher", "// Only a reason.", "holds no condition"),
        ("held.cypher", "true", "cannot name a rule"),
        ("Two Words.cypher", "true", "cannot name a rule"),
    ],
)
def test_a_file_that_is_no_rule_is_refused_with_the_reason(
    name: str, text: str, why: str, demo_graph: Graph, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=why) as error:
        read_rules(demo_graph, tmp_path)
    assert name in str(error.value)


def test_a_folder_without_rules_is_refused(demo_graph: Graph, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotFound, match="rule"):
            read_rules(demo_graph, folder)


def test_rules_on_the_command_line(
    demo_graph: Graph, rules: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    env = {"KINFOLIO_RULES": str(rules)}
    listed = json.loads(cli("recommend", "p007", "-k", "3", "--json", env=env).stdout)
    product = listed["products"][0]["product"]
    shown = cli("why-not", "p007", product, "--rules", str(rules)).stdout
    assert "pass  short-name   The name is short enough for the form." in shown
    failed = cli("recommend", "p007", "--rules", str(tmp_path / "none"))
    assert failed.exit_code == 1
    assert failed.stderr.startswith("kinfolio: there is no folder of rules")


def test_the_fold_in_of_every_user_equals_the_stored_embedding(
    demo_graph: Graph, run_cypher: RunCypher
) -> None:
    users = [row["id"] for row in run_cypher("MATCH (u:User) RETURN u.id AS id")]
    stored = {state.user: state for state in read_user_states(demo_graph, users)}
    slot = next(iter(stored.values())).slot
    counted = run_cypher(
        f"MATCH (u:User) RETURN u.id AS id, u.counted_{slot} AS counted ORDER BY id"
    )
    # With another fingerprint everybody counts as changed since the training.
    run_cypher(f"MATCH (u:User) SET u.counted_{slot} = -1")
    try:
        folded = {state.user: state for state in read_user_states(demo_graph, users)}
    finally:
        run_cypher(
            f"UNWIND $rows AS row MATCH (u:User {{id: row.id}}) SET u.counted_{slot} = row.counted",
            rows=counted,
        )
    compared = 0
    for user, state in stored.items():
        if state.source == "stored":
            assert folded[user].source in ("folded_in", "ties", "text")
            assert np.abs(np.subtract(folded[user].query, state.query)).max() < 1e-4
            compared += 1
    assert compared > 500


def test_similar_products_equal_those_by_cosine(
    demo_graph: Graph, demo_run: Run, run_cypher: RunCypher
) -> None:
    embeddings = read_embeddings(demo_run)
    vectors = embeddings.product_vectors.astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    is_open = {
        row["id"]
        for row in run_cypher("MATCH (p:Product) WHERE coalesce(p.open, true) RETURN p.id AS id")
    }
    for place in (0, 17, 99):
        cosines = vectors @ vectors[place]
        best = [
            (embeddings.product_ids[other], cosines[other])
            for other in np.argsort(-cosines)
            if other != place and embeddings.product_ids[other] in is_open
        ][:5]
        found = similar_products(demo_graph, embeddings.product_ids[place], 5)
        assert [line.product for line in found.products] == [product for product, _ in best]
        assert [line.score for line in found.products] == pytest.approx(
            [cosine for _, cosine in best], abs=1e-5
        )
        assert found.search == "exact"


def test_similar_products_by_the_index_equal_the_exact_ones(
    demo_graph: Graph, demo_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = read_embeddings(demo_run).product_ids[::20]
    exact = [similar_products(demo_graph, product, 5).products for product in some]
    monkeypatch.setattr("kinfolio.gnn.serving.similar.EXACT_BELOW", 10)
    found = [similar_products(demo_graph, product, 5) for product in some]
    assert {one.search for one in found} == {"index"}
    assert [one.products for one in found] == exact


def test_similar_on_the_command_line(
    demo_graph: Graph, demo_run: Run, cli: Callable[..., Any]
) -> None:
    product = read_embeddings(demo_run).product_ids[0]
    answer = json.loads(cli("similar", product, "-k", "2", "--json").stdout)
    assert list(answer) == ["product", "version", "search", "products"]
    assert len(answer["products"]) == 2
    assert cli("similar", product).stdout.splitlines()[0] == "rank\tproduct\tname\tscore"
    failed = cli("similar", product[:-1])
    assert failed.exit_code == 1
    assert failed.stderr.startswith("kinfolio: there is no product")


def lines_of(found: Any) -> list[tuple[str, Any]]:
    """Products and scores of an answer, as pytest compares them."""
    return [(line.product, pytest.approx(line.score, abs=1e-4)) for line in found.products]


@pytest.mark.parametrize("heading", ["Recommend", "Recommend by the index"])
def test_plain_cypher_recommends_the_same_products(
    heading: str, demo_graph: Graph, run_cypher: RunCypher
) -> None:
    for row in run_cypher("MATCH (u:User) RETURN u.id AS id ORDER BY id LIMIT 30"):
        found = recommend(demo_graph, row["id"])
        rows = run_cypher(recipe(heading), user=row["id"], harmless=HARMLESS)
        assert [(one["product"], one["score"]) for one in rows] == lines_of(found)


def test_plain_cypher_finds_similar_products(demo_graph: Graph, run_cypher: RunCypher) -> None:
    for row in run_cypher("MATCH (p:Product) RETURN p.id AS id ORDER BY id LIMIT 5"):
        rows = run_cypher(recipe("Similar products"), product=row["id"])
        found = similar_products(demo_graph, row["id"])
        assert [(one["product"], one["score"]) for one in rows] == lines_of(found)


def test_plain_cypher_returns_the_verdicts_of_the_rules(
    demo_graph: Graph, run_cypher: RunCypher
) -> None:
    products = run_cypher("MATCH (p:Product) RETURN p.id AS id ORDER BY id LIMIT 20")
    verdicts = set()
    for row in products:
        answer = run_cypher(recipe("Why not"), user="p007", product=row["id"], harmless=HARMLESS)[0]
        found = why_not(demo_graph, "p007", row["id"])
        assert {rule.rule: rule.passed for rule in found.rules}.items() <= answer.items()
        assert (answer["rank"], answer["score"]) == (
            found.rank,
            pytest.approx(found.score, abs=1e-4),
        )
        verdicts.add(found.allowed)
    assert verdicts == {True, False}


@pytest.fixture
def stored(demo_graph: Graph, run_cypher: RunCypher) -> Iterator[RunCypher]:
    """The stored lists as rows, removed at the end."""
    yield lambda: run_cypher(
        "MATCH (u:User)-[r:RECOMMENDED]->(p:Product) "
        "RETURN u.id AS user, r.rank AS rank, p.id AS product, r.score AS score, "
        "r.version AS version ORDER BY user, rank"
    )
    run_cypher("MATCH ()-[r:RECOMMENDED]->() DELETE r")


def test_lists_in_the_graph_equal_those_of_the_file_and_are_dropped_with_their_version(
    demo_graph: Graph,
    demo_run: Run,
    stored: RunCypher,
    run_cypher: RunCypher,
    cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    cli("recommend", "--all", "--materialise", "-k", "9")
    first = stored()
    out = tmp_path / "all.tsv"
    answer = cli("recommend", "--all", "--materialise", "-k", str(K), "--out", str(out), "--json")
    assert json.loads(answer.stdout) == {
        "file": str(out),
        "users": 600,
        "k": K,
        "materialised": True,
    }
    rows = stored()
    assert len(first) > len(rows)
    lines = [line.split("\t") for line in out.read_text("utf-8").splitlines()[1:]]
    assert [(r["user"], str(r["rank"]), r["product"]) for r in rows] == [
        (cells[0], cells[1], cells[2]) for cells in sorted(lines, key=lambda c: (c[0], int(c[1])))
    ]
    own = run_cypher(recipe("Stored lists"), user="p007", harmless=HARMLESS)
    assert [(one["product"], one["score"]) for one in own] == lines_of(
        recommend(demo_graph, "p007", K)
    )
    version = rows[0]["version"]
    assert version == recommend(demo_graph, "p007").version
    write_back(demo_graph, read_embeddings(demo_run), name="next")
    assert {row["version"] for row in stored()} == {version}
    assert cli("versions", "drop", version).exit_code == 0
    assert stored() == []
