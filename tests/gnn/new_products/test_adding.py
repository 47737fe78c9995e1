"""Products that are loaded after the write-back are served like those of the training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady
from kinfolio.gnn.new_products import adding
from kinfolio.gnn.new_products.adding import add_new_products
from kinfolio.gnn.new_products.embedding import NewVectors
from kinfolio.gnn.new_products.storing import product_rows
from kinfolio.gnn.publishing.health import check_graph
from kinfolio.gnn.publishing.version_check import check_versions
from kinfolio.gnn.publishing.versions import rollback
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.audience.audience import audience
from kinfolio.gnn.serving.recommend import recommend, score_of
from kinfolio.gnn.serving.recommend_all import recommend_all
from kinfolio.gnn.serving.similar import similar_products
from kinfolio.gnn.serving.user_state import read_user_states
from kinfolio.gnn.serving.what_if import what_if
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.llm_explain.explain import explain
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.llm_explain.wording.writers import writers_for
from kinfolio.loaders import export, load
from kinfolio.run import Run
from tests.conftest import Cli, RunCypher, write_six_users
from tests.gnn.trained import SMALL, Words

WRITERS = writers_for("none", Path(), print)
CONFIG = replace(SMALL, steps=30)
NEW = (
    "G,Glade Bond Fund,fund,Bonds,2,true,,Lends to states and pays a coupon.\n"
    "H,Hazel Nothing,,,,,,\n"
)


@pytest.fixture
def served(graph: Graph, tmp_path: Path) -> Path:
    """A graph of six users whose model has been written back; the folder of its files."""
    folder = write_six_users(tmp_path / "files")
    load(graph, folder)
    run = Run(tmp_path / "run")
    export(graph, run.snapshot)
    train(run, CONFIG, cache=tmp_path / "texts", load=Words)
    write_back(graph, read_embeddings(run), name="one")
    write_back(graph, read_embeddings(run), name="two")
    return folder


def load_new(graph: Graph, folder: Path, products: str = NEW) -> None:
    """Load products after the others, without giving them vectors."""
    file = folder / "products.csv"
    file.write_text(file.read_text("utf-8") + products, "utf-8")
    load(graph, folder)


def add(graph: Graph, tmp_path: Path) -> list[tuple[str, int, int, str | None]]:
    found = add_new_products(graph, tmp_path / "texts", load=Words)
    return [(one.version, one.added, one.updated, one.problem) for one in found]


def test_a_new_product_is_listed_everywhere(graph: Graph, served: Path, tmp_path: Path) -> None:
    assert score_of(graph, "u1", "F") is not None
    load_new(graph, served)
    assert score_of(graph, "u1", "G") is None
    assert add(graph, tmp_path) == [("two", 2, 0, None), ("one", 2, 0, None)]
    listed = recommend(graph, "u1", 10)
    assert "G" in [one.product for one in listed.products]
    score = next(one.score for one in listed.products if one.product == "G")
    assert score_of(graph, "u1", "G") == pytest.approx(score, abs=1e-9)
    verdict = why_not(graph, "u1", "G")
    assert verdict.allowed
    assert verdict.score == score
    assert verdict.rank
    file = tmp_path / "all.tsv"
    recommend_all(graph, file, 10)
    assert f"u1\t{verdict.rank}\tG\t" in file.read_text("utf-8")
    assert "A" in [one.product for one in similar_products(graph, "G", 5).products]


def test_the_checks_of_the_versions_hold_and_nothing_is_written_twice(
    graph: Graph, served: Path, tmp_path: Path, run_cypher: RunCypher
) -> None:
    load_new(graph, served)
    assert check_versions(graph)[0].ok
    add(graph, tmp_path)
    before = run_cypher("MATCH (n) RETURN elementId(n) AS id, properties(n) AS p ORDER BY id")
    assert add(graph, tmp_path) == [("two", 0, 0, None), ("one", 0, 0, None)]
    assert before == run_cypher(
        "MATCH (n) RETURN elementId(n) AS id, properties(n) AS p ORDER BY id"
    )
    for report in check_versions(graph):
        assert report.ok, report.checks
        details = {check.name: check.detail for check in report.checks}
        assert details["hash of products"].startswith("8 products")
        assert details["recipe"].startswith("for new products")
    unserved = next(one for one in check_graph(graph) if one.name == "unserved products")
    assert unserved.detail == "every product has a vector"


def test_more_that_is_known_later_changes_the_vector(
    graph: Graph, served: Path, tmp_path: Path
) -> None:
    load_new(graph, served)
    add(graph, tmp_path)
    before = score_of(graph, "u1", "G"), score_of(graph, "u1", "H")
    with (served / "reviews.jsonl").open("a", encoding="utf-8") as file:
        for user in ("u1", "u2"):
            row = {"review": f"{user}-G", "user": user, "product": "G", "text": "wind and gold"}
            file.write(json.dumps(row) + "\n")
    load(graph, served)
    assert add(graph, tmp_path) == [("two", 0, 1, None), ("one", 0, 1, None)]
    after = score_of(graph, "u1", "G"), score_of(graph, "u1", "H")
    assert after[0] != before[0]
    assert after[1] == before[1]
    assert all(report.ok for report in check_versions(graph))


def test_a_rollback_and_a_new_write_back_keep_them(
    graph: Graph, served: Path, tmp_path: Path, run_cypher: RunCypher
) -> None:
    load_new(graph, served)
    add(graph, tmp_path)
    score = score_of(graph, "u1", "G")
    rollback(graph)
    assert score_of(graph, "u1", "G") == score  # the same model is in both slots
    write_back(graph, read_embeddings(Run(tmp_path / "run")), name="three")
    assert score_of(graph, "u1", "G") is None
    assert add(graph, tmp_path) == [("three", 2, 0, None), ("one", 0, 0, None)]
    assert score_of(graph, "u1", "G") == score
    assert all(report.ok for report in check_versions(graph))
    export(graph, Run(tmp_path / "again").snapshot)
    train(Run(tmp_path / "again"), CONFIG, cache=tmp_path / "texts", load=Words)
    write_back(graph, read_embeddings(Run(tmp_path / "again")), name="four")
    assert run_cypher(
        "MATCH (p:Product) WHERE p.new_a IS NOT NULL OR p.new_b IS NOT NULL "
        "RETURN count(p.new_a) AS a, count(p.new_b) AS b"
    ) in ([{"a": 2, "b": 0}], [{"a": 0, "b": 2}])
    assert add(graph, tmp_path) == [("four", 0, 0, None), ("three", 0, 0, None)]


def test_products_of_which_nothing_is_known_stay_out(
    graph: Graph, served: Path, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run_cypher("CREATE (:Product {id: 'nameless'})")
    assert add(graph, tmp_path)[0] == ("two", 0, 0, None)
    assert score_of(graph, "u1", "nameless") is None
    warnings: list[str] = []
    recommend(graph, "u1", 100, warn=warnings.append)
    assert "1 came after the training" in warnings[-1]


def test_problems_are_told_and_leave_the_version_as_it_is(
    graph: Graph, served: Path, tmp_path: Path, run_cypher: RunCypher
) -> None:
    load_new(graph, served)
    run_cypher("MATCH (v:EmbeddingVersion {name: 'two'}) SET v.recipe = null")
    run_cypher("MATCH (v:EmbeddingVersion {name: 'one'}) REMOVE v.recipe, v.hash_recipe")
    damaged, older = add_new_products(graph, tmp_path / "texts", load=Words)
    assert damaged.problem
    assert "recipe of version two is damaged" in damaged.problem
    assert older.problem
    assert "version one has no recipe" in older.problem
    report = check_versions(graph, "two")[0]
    assert [check.name for check in report.checks if not check.ok] == ["recipe"]


def test_an_explanation_says_by_what_a_new_product_is_known_and_adds_up(
    graph: Graph, served: Path, tmp_path: Path
) -> None:
    load_new(graph, served)
    add(graph, tmp_path)
    for language, words in (
        ("en", "new to the model, it is known only by its text and its category."),
        ("de", "kennt bisher nur den Text und die Kategorie."),
    ):
        found = explain(
            *(graph, "u1", "G", WRITERS),
            clauses=load_clauses(language),
            all_evidence=True,
        )
        assert words in found.text
        assert found.grounded
        assert found.known_by == ("text", "category")
        assert found.score == score_of(graph, "u1", "G")
        assert sum(one.contribution for one in found.evidence) == pytest.approx(
            found.score, abs=1e-5
        )
    assert explain(graph, "u1", "C", WRITERS).known_by == ()
    assert why_not(graph, "u1", "G").known_by == ("text", "category")
    assert why_not(graph, "u1", "C").known_by == ()


def test_new_users_with_new_holdings_of_new_products(
    graph: Graph, served: Path, tmp_path: Path
) -> None:
    load_new(graph, served)
    add(graph, tmp_path)
    before = {state.user: state.query for state in read_user_states(graph, ["u1", "u2"])}
    with (served / "users.csv").open("a", encoding="utf-8") as file:
        file.write("u7,DE,4\n")
    with (served / "interactions.tsv").open("a", encoding="utf-8") as file:
        file.write("u7\tG\t5\t2024-07-01\nu7\tB\t5\t2024-07-01\nu1\tG\t5\t2024-07-01\n")
    load_new(graph, served, "I,Iris Bond,fund,Bonds,2,true,,Lends to towns.\n")
    assert add(graph, tmp_path) == [("two", 1, 0, None), ("one", 1, 0, None)]
    after = {state.user: state for state in read_user_states(graph, ["u1", "u2", "u7"])}
    assert after["u2"].query == before["u2"]
    assert after["u1"].query != before["u1"]
    assert (after["u1"].source, after["u7"].source) == ("folded_in", "folded_in")
    for user in ("u1", "u7"):
        listed = [one.product for one in recommend(graph, user, 20).products]
        assert "I" in listed
        assert "G" not in listed
        found = explain(graph, user, "I", WRITERS, all_evidence=True)
        assert "G" in {step.id for one in found.evidence for step in one.path}
        assert found.remainder == pytest.approx(0, abs=1e-9)
    scores = {one.user: one.score for one in audience(graph, "I", 10).users}
    assert scores["u7"] == pytest.approx(score_of(graph, "u7", "I"), abs=1e-6)
    assert what_if(graph, "u2", added=["G"]).products
    assert all(report.ok for report in check_versions(graph))


def test_a_graph_of_other_names_lists_new_products(
    movies: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run = Run(tmp_path / "run")
    export(movies, run.snapshot)
    train(run, CONFIG, cache=tmp_path / "texts", load=Words)
    write_back(movies, read_embeddings(run), name="one")
    run_cypher(
        "MATCH (g:Genre) WITH g LIMIT 1 "
        "CREATE (:Movie {movieId: 99999, title: 'A Later Film'})-[:IN_GENRE]->(g)"
    )
    assert add(movies, tmp_path) == [("one", 1, 0, None)]
    assert score_of(movies, "Viewer 003", "99999") is not None
    assert why_not(movies, "Viewer 003", "99999").rank
    assert all(report.ok for report in check_versions(movies))
    assert add(movies, tmp_path) == [("one", 0, 0, None)]


def test_an_interrupted_run_leaves_a_sound_version_and_is_completed_by_the_next(
    graph: Graph, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "AT_ONCE", 1)
    load_new(graph, served)

    def stop(name: str) -> Words:
        words = Words(name)
        if score_of(graph, "u1", "G") is not None:
            raise KeyboardInterrupt
        return words

    with pytest.raises(KeyboardInterrupt):
        add_new_products(graph, tmp_path / "other", load=stop)
    assert score_of(graph, "u1", "G") is not None
    assert score_of(graph, "u1", "H") is None
    assert all(report.ok for report in check_versions(graph))
    assert add(graph, tmp_path) == [("two", 1, 0, None), ("one", 2, 0, None)]
    assert all(report.ok for report in check_versions(graph))


def test_without_the_encoder_they_wait_and_the_reason_is_told(
    graph: Graph, served: Path, tmp_path: Path
) -> None:
    def missing(_: str) -> Words:
        raise NotReady("the text encoder is not installed")

    notes: list[str] = []
    assert not any(one.problem for one in add_new_products(graph, tmp_path, load=missing))
    load_new(graph, served)
    found = add_new_products(graph, tmp_path / "other", load=missing, note=notes.append)
    assert [one.added for one in found] == [0, 0]
    assert set(notes) == {"new products are not listed: the text encoder is not installed"}
    assert score_of(graph, "u1", "G") is None


def test_load_and_refresh_list_them(
    cli: Cli, graph: Graph, served: Path, run_cypher: RunCypher
) -> None:
    file = served / "products.csv"
    file.write_text(file.read_text("utf-8") + NEW, "utf-8")
    loaded = json.loads(cli("load", str(served), "--json").stdout)
    assert loaded["notes"][-2].startswith("version two lists 2 new products")
    run_cypher("CREATE (:Product {id: 'hand', name: 'Made by Hand', countries: ['FR']})")
    done = json.loads(cli("refresh", "--new-only", "--json").stdout)
    assert (done["published"], done["version"]) == (False, "two")
    assert [(one["version"], one["added"]) for one in done["versions"]] == [("two", 1), ("one", 1)]
    assert score_of(graph, "u6", "hand") is not None
    assert "no new products" in cli("refresh", "--new-only").stdout


def test_a_vector_longer_than_the_versions_rows_is_shortened() -> None:
    long = np.array([[3.0, 4.0], [0.3, 0.4]], np.float32)
    found = NewVectors(vectors=long, messages=long, bias=np.full(2, 0.6, np.float32))
    rows = product_rows(found, 1.0)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1])
    assert rows[0] == pytest.approx([0.48, 0.64, 0.6, 0], abs=1e-6)
    assert rows[1, :3] == pytest.approx([0.3, 0.4, 0.6])
