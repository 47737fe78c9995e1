"""`kinfolio evaluate-explanations` on recommendations of a trained model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.evaluation.deletion import delete_evidence
from kinfolio.llm_explain.evaluation.fluency import distinct_n, reading_ease
from kinfolio.llm_explain.evaluation.measure import reference_similarity
from kinfolio.llm_explain.evidence.attribution import read_attribution
from kinfolio.llm_explain.evidence.contributions import LinearScore, rank_by_size
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.run import Run
from tests.conftest import Result, RunCypher


def test_explanations_of_a_trained_model_have_no_faults(
    demo_graph: Graph, demo_run: Run, cli: Callable[..., Result]
) -> None:
    run = str(demo_run.folder)
    arguments = ("evaluate-explanations", "--run", run, "--json")
    result = cli(*arguments, "--pairs", "24")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["pairs"] == 24
    assert report["grounded"] == 1
    assert report["worst_sum"] < 1e-5
    assert report["worst_remainder"] < 1e-5
    assert report["faults"] == []
    assert (report["without_evidence"], report["plain_sentences"]) == (0, 0)
    assert report["writers"] == {"none": 24}
    assert report["deletion"]["compared"] > 0
    assert report["deletion"]["fall_named"] > report["deletion"]["fall_random"]
    assert json.loads((demo_run.folder / "explanations.json").read_text("utf-8")) == report
    other = json.loads(
        cli(*arguments, "--pairs", "8", "--length", "long", "--language", "de").stdout
    )
    assert other["grounded"] == 1
    assert other["share_covered"] > report["share_covered"]
    assert "Das ist keine Anlageberatung." in other["examples"][0]


def test_the_baseline_compares_each_text_with_the_reference_of_another_pair() -> None:
    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.eye(5, dtype=np.float32)[[int(text) for text in texts]]

    found = reference_similarity(list("01234"), list("01234"), encode, seed=3)
    assert found == {
        "pairs": 5,
        "cosine": 1.0,
        "of_others": 0.0,
        "nearer": 1.0,
        "among_references": 0.0,
    }


def test_texts_are_compared_with_references(
    demo_graph: Graph, demo_run: Run, cli: Callable[..., Result], tmp_path: Path
) -> None:
    listed = json.loads(cli("recommend", "p007", "-k", "3", "--json").stdout)["products"]
    file = tmp_path / "references.tsv"
    rows = [f"p007\t{line['product']}\tYou may like {line['name']}." for line in listed]
    header = "user\tproduct\texplanation"
    file.write_text("\n".join([header, *rows, "p007\tnowhere\tx"]), "utf-8")
    arguments = ("--run", str(demo_run.folder), "--references", str(file), "--json")
    found = json.loads(cli("evaluate-explanations", *arguments).stdout)["references"]
    assert found["pairs"] == 3
    assert "MiniLM" in found["measure"]
    assert found["of_others"] < found["cosine"] <= 1
    assert found["nearer"] > 0.5
    assert found["of_others"] <= found["among_references"] <= 1
    file.write_text("user\tproduct\nu\tp\n", "utf-8")
    failed = cli("evaluate-explanations", *arguments)
    assert failed.exit_code == 1
    assert "lacks the columns explanation" in failed.stderr


def test_the_score_without_a_holding_is_that_of_a_graph_without_it(
    demo_graph: Graph, run_cypher: RunCypher
) -> None:
    from kinfolio.gnn.serving.recommend import recommend, score_of

    line = recommend(demo_graph, "p007", 1).products[0]
    found, score = read_attribution(
        demo_graph, "p007", line.product, load_clauses(), all_evidence=True
    )
    order, _ = rank_by_size(score.contributions())
    place = next(n for n, piece in enumerate(found.evidence) if piece.kind == "holding")
    keep = np.ones(len(order), dtype=np.bool_)
    assert score.score(keep) == pytest.approx(line.score, abs=1e-5)
    keep[order[place]] = False
    split = "MATCH (:User {id: 'p007'})-[r:HOLDS]->(:Product {id: $id}) SET r.split = $split"
    held = found.evidence[place].path[2].id
    run_cypher(split, id=held, split="test")
    try:
        without = score_of(demo_graph, "p007", line.product)
    finally:
        run_cypher(split, id=held, split=None)
    assert score.score(keep) == pytest.approx(without, abs=1e-5)


def test_deleted_evidence_lowers_the_score_as_computed_by_hand() -> None:
    # One head: q = (3, 4) / 5, embedding (1, 0), bias .5; without the first piece q = (0, 1).
    score = LinearScore(
        messages=np.array([[3.0, 0.0], [0.0, 4.0]]),
        prior=np.zeros(2),
        prior_weight=1.0,
        weights=np.array([1.0, 0.0]),
        link_weights=np.array([0.2, 0.0]),
        embedding=np.array([1.0, 0.0]),
        bias=0.5,
        heads=1,
    )
    found = delete_evidence(score, [0], np.random.default_rng(0))
    assert found.score == pytest.approx(0.6 + 0.2 + 0.5)
    assert found.named == pytest.approx(0.8)
    assert found.random == pytest.approx(0.5)  # only popularity adds anything else
    assert found.alone == pytest.approx(1.0 + 0.2)


def test_diversity_and_reading_ease_are_those_computed_by_hand() -> None:
    assert distinct_n(["a b a b"], 2) == pytest.approx(2 / 3)
    assert reading_ease(["The cat sat."]) == pytest.approx(206.835 - 1.015 * 3 - 84.6)
    assert reading_ease([]) == 0.0
