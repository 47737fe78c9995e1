"""Evidence on a real server: sums, paths, counts, privacy."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotFound, NotReady
from kinfolio.gnn.serving.recommend import score_of
from kinfolio.llm_explain.evidence.attribution import MAX_STATED, MIN_COVERED, read_attribution
from kinfolio.llm_explain.evidence.contributions import contributions, num_covering, rank_by_size
from kinfolio.llm_explain.evidence.path_exists import path_exists
from kinfolio.llm_explain.explanation import Attribution
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.records import Step
from tests.llm_explain.community import NAMES, WORDS

RunCypher = Callable[..., list[dict[str, Any]]]
USERS = (*WORDS, "person-20", "person-43", "person-44", "person-45", "person-46", "person-47")
PAIRS = [(user, f"p{n}") for user, n in itertools.product(USERS, range(len(NAMES)))]


def attribution(
    graph: Graph, user: str, product: str, *, min_people: int = 5, all_evidence: bool = False
) -> Attribution:
    clauses = load_clauses().for_deployment(min_people=min_people)
    return read_attribution(graph, user, product, clauses, all_evidence=all_evidence)[0]


def facts(found: Attribution, kind: str) -> list[dict[str, Any]]:
    return [dict(piece.facts) for piece in found.evidence if piece.kind == kind]


def test_contributions_sum_to_the_score_of_recommend(community_graph: Graph) -> None:
    for user, product in PAIRS[::2]:
        score = score_of(community_graph, user, product)
        every = attribution(community_graph, user, product, all_evidence=True)
        assert every.score == score
        assert abs(sum(piece.contribution for piece in every.evidence) - every.score) < 1e-5
        assert abs(every.remainder) < 1e-5
        assert sum(abs(piece.share) for piece in every.evidence) == pytest.approx(1)


def test_evidence_is_the_strongest_and_the_remainder_completes_the_score(
    community_graph: Graph,
) -> None:
    for user, product in PAIRS[::5]:
        shown = attribution(community_graph, user, product)
        every = attribution(community_graph, user, product, all_evidence=True)
        sizes = [abs(piece.share) for piece in shown.evidence]
        assert sizes == sorted(sizes, reverse=True)
        assert [piece.id for piece in shown.evidence] == list(range(1, len(sizes) + 1))
        assert len(sizes) <= MAX_STATED
        assert sum(sizes) >= MIN_COVERED or len(sizes) == MAX_STATED
        assert sum(sizes[:-1]) < MIN_COVERED
        assert shown.evidence == every.evidence[: len(sizes)]
        total = shown.remainder + sum(piece.contribution for piece in shown.evidence)
        assert total == pytest.approx(shown.score, abs=1e-9)


def test_every_path_exists_and_names_no_other_user(community_graph: Graph) -> None:
    for user, product in PAIRS[::7]:
        for piece in attribution(community_graph, user, product, all_evidence=True).evidence:
            assert path_exists(community_graph, piece.path, user), piece
            for step in piece.path:
                assert step.label != "User" or step.id in (None, user)


def test_paths_that_are_not_in_the_graph_are_recognised(
    community_graph: Graph, run_module_cypher: RunCypher
) -> None:
    row = run_module_cypher(
        "MATCH (u:User)-[h:HOLDS]->(a:Product), (b:Product) WHERE NOT (u)-[:HOLDS]->(b) "
        "AND coalesce(h.split, 'train') = 'train' RETURN u.id AS u, a.id AS a, b.id AS b LIMIT 1"
    )[0]
    you, out = Step(label="User", id=row["u"]), Step(type="HOLDS", direction="out")
    a, b = Step(label="Product", id=row["a"]), Step(label="Product", id=row["b"])
    assert path_exists(community_graph, (you, out, a), row["u"])
    assert not path_exists(community_graph, (you, out, b), row["u"])
    assert not path_exists(community_graph, (you, Step(type="HOLDS", direction="in"), a), row["u"])
    assert not path_exists(community_graph, (you, out), row["u"])
    assert not path_exists(community_graph, (), row["u"])
    nobody = Step(label="User", id="nobody at all")
    assert not path_exists(community_graph, (nobody, out, a), row["u"])


def test_held_out_holdings_carry_no_path(
    community_graph: Graph, run_module_cypher: RunCypher
) -> None:
    row = run_module_cypher(
        "MATCH (u:User)-[:HOLDS {split: 'test'}]->(a:Product) RETURN u.id AS u, a.id AS a LIMIT 1"
    )[0]
    path = (
        Step(label="User", id=row["u"]),
        Step(type="HOLDS", direction="out"),
        Step(label="Product", id=row["a"]),
    )
    assert not path_exists(community_graph, path, row["u"])
    every = attribution(community_graph, row["u"], row["a"], all_evidence=True)
    assert row["a"] not in [piece.path[2].id for piece in every.evidence if piece.kind == "holding"]


def test_numbers_are_those_counted_independently(
    community_graph: Graph, run_module_cypher: RunCypher
) -> None:
    holdings: dict[str, set[str]] = {}
    for row in run_module_cypher(
        "MATCH (u:User)-[h:HOLDS]->(p:Product) WHERE coalesce(h.split, 'train') = 'train' "
        "RETURN u.id AS u, p.id AS p"
    ):
        holdings.setdefault(row["p"], set()).add(row["u"])
    bias = {
        row["id"]: row["bias"]
        for row in run_module_cypher(
            "MATCH (p:Product) RETURN p.id AS id, p.embedding_a[size(p.embedding_a) - 2] AS bias"
        )
    }
    seen, claims = 0, set()
    for user, product in PAIRS[::2]:
        for piece in attribution(community_graph, user, product, all_evidence=True).evidence:
            fact = dict(piece.facts)
            owners = holdings.get(product, set()) - {user}
            if piece.kind == "popularity":
                # The text names the larger of the two parts.
                general = piece.contribution - bias[product]
                is_general = abs(general) > abs(bias[product]) and general * piece.contribution > 0
                claims.add((is_general, piece.contribution > 0))
                if is_general:
                    claim = "general" if piece.contribution > 0 else "against_general"
                    assert piece.facts == (("claim", claim),)
                    continue
                assert fact["holders"] == (len(owners) if len(owners) >= 5 else "fewer than 5")
            elif fact["claim"] == "together":
                others = holdings[str(piece.path[2].id)] - {user}
                assert fact["holders"] == len(others)
                assert fact["both"] == len(others & owners) >= 5
                seen += 1
                share, everyone = len(others & owners) / len(others), len(owners) / (48 - 1)
                assert fact["ratio"] == round(100 * share)
                assert fact["base"] == round(100 * everyone)
                assert share > everyone
                steps = {"several": share >= 3 * everyone, "twice": share >= 2 * everyone}
                assert fact["often"] == next((key for key, fits in steps.items() if fits), "more")
            elif fact["claim"] in ("near", "category") and piece.kind == "holding":
                others = holdings[str(piece.path[2].id)] - {user}
                share = len(others & owners) / max(1, len(others))
                assert (
                    len(others & owners) < 5
                    or share < 1.1 * len(owners) / 47
                    or (round(100 * share) <= round(100 * len(owners) / 47))
                )
    assert seen > 5
    assert len(claims) == 4


def test_small_numbers_of_people_are_withheld(community_graph: Graph) -> None:
    for user, product in PAIRS[::2]:
        for piece in attribution(community_graph, user, product, all_evidence=True).evidence:
            fact = dict(piece.facts)
            for key in ("holders", "both"):
                value = fact.get(key, "fewer than 5")
                assert value == "fewer than 5" or int(value) >= 5


def test_ids_and_names_of_other_people_do_not_matter(
    community_graph: Graph, run_module_cypher: RunCypher
) -> None:
    def attributions() -> list[str]:
        return [
            json.dumps(str(attribution(community_graph, "people", f"p{n}", all_evidence=True)))
            for n in range(len(NAMES))
        ]

    before = attributions()
    rename = (
        "MATCH (u:User) WHERE u.id <> 'people' "
        "SET u.old = u.id, u.was = u.name, u.id = 'renamed-' + u.gid, u.name = 'Renamed'"
    )
    run_module_cypher(rename)
    try:
        assert attributions() == before
        assert "renamed" not in "".join(before).casefold()
    finally:
        run_module_cypher(
            "MATCH (u:User) WHERE u.old IS NOT NULL "
            "SET u.id = u.old, u.name = u.was REMOVE u.old, u.was"
        )


@pytest.mark.parametrize(
    ("user", "basis", "kinds"),
    [
        ("people", "holdings", {"holding", "tie", "popularity"}),
        ("person-44", "ties", {"tie", "popularity"}),
        ("person-45", "ties", {"tie", "text", "popularity"}),
        ("person-46", "text", {"text", "popularity"}),
        ("person-47", "popularity", {"popularity"}),
    ],
)
def test_the_basis_is_the_strongest_source_of_the_score(
    community_graph: Graph, user: str, basis: str, kinds: set[str]
) -> None:
    every = attribution(community_graph, user, "p0", all_evidence=True)
    assert every.basis == basis
    assert {piece.kind for piece in every.evidence} == kinds


def test_a_holding_added_after_training_counts(
    community_graph: Graph, run_module_cypher: RunCypher
) -> None:
    run_module_cypher(
        "MATCH (u:User {id: 'person-47'}), (p:Product {id: 'p1'}) CREATE (u)-[:HOLDS]->(p)"
    )
    try:
        every = attribution(community_graph, "person-47", "p0", all_evidence=True)
        assert [fact["name"] for fact in facts(every, "holding")] == ["Birch Equity Fund"]
        assert every.score == score_of(community_graph, "person-47", "p0")
        assert abs(every.remainder) < 1e-5
    finally:
        run_module_cypher("MATCH (:User {id: 'person-47'})-[h:HOLDS]->() DELETE h")


def test_excluding_rules_are_named(community_graph: Graph) -> None:
    def rules(user: str, product: str) -> set[str]:
        return set(dict(attribution(community_graph, user, product).refused_by))

    assert rules("people", "p3") == {"held"}
    assert "closed" in rules("people", "p9")
    assert "country" in rules("people", "p8")
    assert "risk" in rules("people", "p5")
    assert "dismissed" in rules("bond", "p10")


def test_unknown_users_and_products_are_refused(community_graph: Graph) -> None:
    with pytest.raises(NotFound, match="no user 'x\" OR 1=1'"):
        attribution(community_graph, 'x" OR 1=1', "p0")
    with pytest.raises(NotFound, match="no product '🦊'"):
        attribution(community_graph, "people", "🦊")


def test_a_product_added_after_the_training_has_no_score(
    community_graph: Graph, run_module_cypher: RunCypher
) -> None:
    run_module_cypher("CREATE (:Product {id: 'late', gid: 999})")
    try:
        with pytest.raises(NotReady, match="came after"):
            attribution(community_graph, "people", "late")
    finally:
        run_module_cypher("MATCH (p:Product {id: 'late'}) DELETE p")


def test_the_largest_shares_come_first_and_cover_the_minimum() -> None:
    order, shares = rank_by_size(np.array([1.0, -6.0, 2.0, 0.0, 1.0]))
    assert order == [1, 2, 0, 4, 3]
    assert list(shares) == [0.1, -0.6, 0.2, 0.0, 0.1]
    assert num_covering(shares[order], 0.8, 5) == 2
    assert num_covering(shares[order], 0.81, 5) == 3
    assert num_covering(shares[order], 1.0, 3) == 3
    assert num_covering(np.zeros(4), 0.8, 5) == 0


def test_a_block_of_zeros_contributes_nothing() -> None:
    messages = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    embedding = np.array([2.0, 4.0, 9.0, 9.0])
    assert contributions(messages, embedding, 2) == pytest.approx([2 / np.sqrt(2), 4 / np.sqrt(2)])


def test_a_rating_below_the_middle_of_the_scale_is_not_told(community_graph: Graph) -> None:
    """Ratings go from 0.5 to 5, and the mean of many products is below their middle."""
    told = [
        fact["rating"]
        for user, product in PAIRS[::2]
        for fact in facts(
            attribution(community_graph, user, product, min_people=1, all_evidence=True), "tie"
        )
        if fact["claim"] == "rated"
    ]
    assert min(told) >= 2.75
