"""Products, categories and people of one name: texts tell them apart, and keep their reasons."""

from __future__ import annotations

import re

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.checking.verify import find_faults
from kinfolio.llm_explain.explain import as_document, explain
from kinfolio.llm_explain.wording.clauses import load_clauses
from tests.conftest import RunCypher
from tests.llm_explain.community import store
from tests.llm_explain.conversation.scripted import ME, NONE

NAMES = [
    *("Ember Income", "EMBER  Income", "Bonds", "p3", "Harbour Fund", "Person", "x" * 10_000),
    *("", " \u200b ", "קרן הנמל"),
]
"""Of products by gid modulo their number: two look alike, one is a category, one an id, two blank,
one written from right to left."""


@pytest.fixture(scope="module")
def same_names(shared_graph: Graph, run_module_cypher: RunCypher) -> Graph:
    write_back(shared_graph, store(run_module_cypher))
    run_module_cypher(
        "MATCH (p:Product) SET p.name = $names[p.gid % size($names)], p.kind = 'fund' "
        "WITH DISTINCT 1 AS one MATCH (u:User) SET u.name = $names[u.gid % size($names)]",
        names=NAMES,
    )
    return shared_graph


@pytest.mark.parametrize("language", ["en", "de"])
def test_explanations_keep_their_reasons_and_tell_products_apart(
    same_names: Graph, language: str
) -> None:
    clauses = load_clauses(language).for_deployment(names_people=True)
    told_apart = 0
    for number, user in enumerate((ME, "bond", "hold", "someone", "person-20", "person-30")):
        for product in (f"p{(number + step) % 9}" for step in range(4)):
            found = explain(same_names, user, product, [NONE], clauses=clauses)
            assert found.grounded, found.text
            reasons = [sentence for sentence in found.sentences if sentence.evidence]
            assert reasons, found.text
            assert find_faults(as_document(found)) == []
            # The names are those of the check of the whole evidence, too.
            whole = explain(same_names, user, product, (), all_evidence=True, clauses=clauses)
            assert not check_text(found.text, whole)
            facts = [dict(piece.facts) for piece in found.evidence]
            names = {fact["name"] for fact in facts if "name" in fact and fact["claim"] != "itself"}
            assert found.label not in names
            told_apart += bool(re.search(rf"\({product}\)”", found.text))
    assert told_apart
