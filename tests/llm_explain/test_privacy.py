"""Limits of a deployment: names of people, the smallest number stated, the notice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig
from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.evidence.attribution import read_attribution
from kinfolio.llm_explain.evidence.path_exists import path_exists
from kinfolio.llm_explain.explain import write_explanation
from kinfolio.llm_explain.explanation import Evidence, Explanation
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from tests.conftest import Cli
from tests.llm_explain.community import NAMES, WORDS
from tests.llm_explain.conversation.scripted import NONE
from tests.llm_explain.samples import PRODUCT, explanation, piece


def explanations(graph: Graph, clauses: Clauses) -> Iterator[tuple[Explanation, Evidence]]:
    for user in WORDS:
        for product in range(len(NAMES)):
            attribution, _ = read_attribution(graph, user, f"p{product}", clauses)
            found = write_explanation(attribution, (NONE,), clauses=clauses)
            yield from ((found, item) for item in found.evidence)


def test_people_are_named_where_the_deployment_allows_it(
    community_graph: Graph,
) -> None:
    clauses = load_clauses().for_deployment(names_people=True)
    ties = [(f, e) for f, e in explanations(community_graph, clauses) if e.kind == "tie"]
    assert ties
    for found, item in ties:
        name = str(dict(item.facts)["name"])
        assert found.writer == "none"
        assert name in found.text
        assert check_text(found.text, found) == ()
        person = item.path[2]
        assert person.label == "User"
        assert person.id is not None
        assert path_exists(community_graph, item.path, found.user)


def test_people_are_not_named_by_default(community_graph: Graph) -> None:
    for _, item in explanations(community_graph, load_clauses()):
        assert item.kind != "tie" or "name" not in dict(item.facts)


def _said_of_ties(graph: Graph, user: str, product: str, clauses: Clauses) -> list[str]:
    """All that an answer says of tied persons: sentences, facts, paths and contributions."""
    attribution, _ = read_attribution(graph, user, product, clauses, all_evidence=True)
    found = write_explanation(attribution, (NONE,), clauses=clauses, length="long")
    tied = {piece.id for piece in found.evidence if piece.kind == "tie"}
    return [
        *(one.text for one in found.sentences if tied & set(one.evidence)),
        *(str(piece) for piece in found.evidence if piece.id in tied),
    ]


def _attacked(
    graph: Graph, run: Callable[..., list[dict[str, Any]]], clauses: Clauses
) -> tuple[int, int]:
    """Number of pairs, and of those in which an answer tells whether a tied person holds it.

    The attacker compares answers before and after a tie is deleted, or has one tie only. Both
    succeed only if what is said of ties depends on what the person holds: so each answer is asked
    for twice, in a graph in which the tied persons hold the product and in one in which they
    do not, all else being equal.
    """
    pairs = [(user, f"p{n}") for user in WORDS[:4] for n in range(0, len(NAMES), 2)]
    tied = "MATCH (u:User {id: $user})-[:TIED_TO]-(v:User), (p:Product {id: $product}) "
    told = 0
    for user, product in pairs:
        ends = {"user": user, "product": product}
        before = run(
            tied + "OPTIONAL MATCH (v)-[h:HOLDS]->(p) WITH DISTINCT v, h, properties(h) AS old "
            "WITH v.id AS v, old, h DELETE h RETURN v, old",
            **ends,
        )
        without = _said_of_ties(graph, user, product, clauses)
        run(tied + "WITH DISTINCT v, p CREATE (v)-[:HOLDS {rating: 5.0}]->(p)", **ends)
        told += _said_of_ties(graph, user, product, clauses) != without
        run(tied + "MATCH (v)-[h:HOLDS]->(p) WITH DISTINCT h DELETE h", **ends)
        run(
            "UNWIND $rows AS row WITH row WHERE row.old IS NOT NULL "
            "MATCH (v:User {id: row.v}), (p:Product {id: $product}) "
            "CREATE (v)-[h:HOLDS]->(p) SET h = row.old",
            rows=before,
            product=product,
        )
    return len(pairs), told


def test_no_answer_tells_what_a_tied_person_holds(
    community_graph: Graph, run_module_cypher: Callable[..., list[dict[str, Any]]]
) -> None:
    pairs, told = _attacked(community_graph, run_module_cypher, load_clauses())
    assert (pairs, told) == (28, 0)
    # The attack is one: it succeeds where the deployment allows any number of people.
    clauses = load_clauses().for_deployment(min_people=1)
    assert _attacked(community_graph, run_module_cypher, clauses)[1] > 5


@pytest.mark.parametrize("fewest", [1, 9, 1_000])
def test_smaller_numbers_of_people_are_withheld(community_graph: Graph, fewest: int) -> None:
    clauses = load_clauses().for_deployment(min_people=fewest)
    numbers = []
    for found, item in explanations(community_graph, clauses):
        facts = dict(item.facts)
        numbers += [facts[key] for key in ("holders", "both") if key in facts]
        assert check_text(found.text, found) == ()
    assert numbers
    assert all(isinstance(n, str) or n >= fewest for n in numbers)
    assert fewest == 1 or any(isinstance(n, str) for n in numbers)


def test_a_text_that_states_a_withheld_number_is_caught() -> None:
    few = explanation(piece(1, "popularity", 0.5, claim="many", holders="fewer than 9"))
    assert check_text("Fewer than 9 people hold this bond [1].", few) == ()
    assert check_text("This bond is held by 7 people [1].", few) != ()
    assert check_text("Fewer than 5 people hold this bond [1].", few) != ()


def test_a_person_whom_the_evidence_does_not_name_is_caught() -> None:
    facts = {"claim": "holds", "person": "a friend of yours", "tie": "friend_in"}
    named = explanation(piece(1, "tie", 0.5, name="Ada Quill", **facts))
    assert check_text("Ada Quill already has this bond [1].", named) == ()
    assert check_text(f"{PRODUCT} is held by Ben Quill [1].", named) != ()
    assert check_text(
        "Ada Quill already has this bond [1].", explanation(piece(1, "tie", 0.5, **facts))
    )


def test_the_limits_come_from_the_environment(community_graph: Graph, cli: Cli) -> None:
    notice = "Ask your adviser. Values can fall."
    env = {"KINFOLIO_NOTICE": notice, "KINFOLIO_FEWEST_PEOPLE": "1000"}
    counted = next(
        found.product
        for found, item in explanations(community_graph, load_clauses())
        if found.user == "people" and "holders" in dict(item.facts)
    )
    result = cli("explain", "people", counted, "--model", "none", "--json", env=env)
    found = json.loads(result.stdout)
    assert found["text"].endswith(notice)
    assert "This is not advice" not in found["text"]
    facts = [piece["facts"] for piece in found["evidence"]]
    counts = [one[key] for one in facts for key in ("holders", "both") if key in one]
    assert set(counts) <= {"fewer than 1000"}


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"KINFOLIO_FEWEST_PEOPLE": "few"}, "give a whole number"),
        ({"KINFOLIO_FEWEST_PEOPLE": "0"}, "from 1 on"),
        ({"KINFOLIO_NAME_PEOPLE": "maybe"}, "give yes or no"),
        ({"KINFOLIO_NOTICE": "x" * 600 + "."}, "at most 500"),
    ],
)
def test_invalid_limits_are_refused(cli: Cli, env: dict[str, str], sentence: str) -> None:
    result = cli("explain", "people", "p0", "--model", "none", env=env)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_notice_must_be_a_sentence() -> None:
    with pytest.raises(BadConfig, match="full stop"):
        load_clauses().for_deployment(notice="and buy")
