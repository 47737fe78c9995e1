"""What `map check` finds in a small graph, and the problems it reports."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.inspection.check import check_mapping
from kinfolio.cypher.inspection.line import Line
from kinfolio.cypher.mapping.names import mapping_from
from kinfolio.cypher.schema import create_schema
from kinfolio.errors import BadInput, NotReady
from kinfolio.loaders.exporting.export import export_to
from kinfolio.records import NO_TIME
from kinfolio.snapshot import read_snapshot

SHOP: dict[str, Any] = {
    "users": {"label": "Client", "id": "number", "id_type": "integer", "country": "land"},
    "products": {"label": "Fund", "id": "isin", "name": "called", "open": "offen"},
    "holdings": {"type": "BOUGHT", "at": "day", "at_unit": "date", "split": "part"},
    "ties": {"type": "KNOWS"},
    "reviews": {"label": "Letter", "wrote": "SENT", "about": "ON", "text": "body"},
}


@pytest.fixture
def shop(graph: Graph, run_cypher: Any) -> Graph:
    """Two clients with three purchases of two funds, a tie and a letter."""
    run_cypher(
        "CREATE (a:Client {number: 1, land: 'EE'}), (b:Client {number: 2, land: 'FI'}), "
        "(x:Fund {isin: 'X1', called: 'Quarry Fund', offen: true}), "
        "(y:Fund {isin: 'Y1', called: 'Harbour Fund', offen: false}), "
        "(a)-[:BOUGHT {day: date('2024-01-31'), part: 'train'}]->(x), "
        "(a)-[:BOUGHT {day: date('2024-02-28'), part: 'test'}]->(y), "
        "(b)-[:BOUGHT {day: date('2024-03-01'), part: 'train'}]->(y), "
        "(a)-[:KNOWS]->(b), "
        "(a)-[:SENT]->(:Letter {body: 'The quarry pays.'})-[:ON]->(x)"
    )
    return graph


def checked(graph: Graph, **sections: dict[str, Any] | None) -> list[Line]:
    """Lines of a check of the shop with changed lines of its mapping; None removes a line."""
    content = copy.deepcopy(SHOP)
    for section, lines in sections.items():
        content[section] = {**content.get(section, {}), **(lines or {})}
        content[section] = {k: v for k, v in content[section].items() if v is not None}
    return check_mapping(graph, mapping_from(content))


def problems(lines: list[Line]) -> list[str]:
    return [f"{line.section}.{line.line}: {line.note}" for line in lines if line.level == "problem"]


def test_a_line_has_its_count_and_an_example(shop: Graph) -> None:
    lines = checked(shop)
    assert problems(lines) == []
    found = {(line.section, line.line, line.found): line.example for line in lines}
    assert found["products", "name", "2 of 2"] == "Harbour Fund"
    assert found["holdings", "at", "3 of 3"] == "2024-01-31"
    assert ("reviews", "wrote", "1 from Client to Letter") in found
    assert ("reviews", "about", "1 from Letter to Fund") in found


BROKEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "no such label": ("", {"users": {"label": "Cleint"}}, "no node has the label 'Cleint'"),
    "no such id": ("", {"users": {"id": "nummer"}}, "2 of 2 Client nodes have no nummer"),
    "a missing id": ("CREATE (:Client)", {}, "1 of 3 Client nodes have no number"),
    "one id twice": ("CREATE (:Client {number: 1})", {}, "'1' occurs on more than one"),
    "numbers for texts": ("", {"users": {"id_type": "text"}}, 'set id_type = "integer"'),
    "texts for numbers": ("", {"products": {"id_type": "integer"}}, 'set id_type = "text"'),
    "both as ids": ("CREATE (:Client {number: 'c3'})", {}, "ids are texts or whole numbers"),
    "not exclusive": (
        "MATCH (a:Client {number: 1}) CREATE (a)-[:BOUGHT]->(:Pie)",
        {"holdings": {"exclusive": True}},
        "1 more run between other labels; set exclusive = false",
    ),
    "no such type": ("", {"holdings": {"type": "SOLD"}}, "no SOLD runs from Client to Fund"),
    "the other way": ("", {"holdings": {"direction": "in"}}, "3 run the other way"),
    "dates for milliseconds": ("", {"holdings": {"at_unit": "milliseconds"}}, "takes dates"),
    "a word as a flag": ("MATCH (f:Fund) SET f.offen = 'yes'", {}, "BOOLEAN was expected"),
    "an unknown split": ("MATCH ()-[b:BOUGHT]->() SET b.part = 'dev'", {}, "train, valid, test"),
    "a rating in words": (
        "MATCH ()-[b:BOUGHT]->() SET b.stars = 'five'",
        {"holdings": {"rating": "stars"}},
        "3 of 3 values of stars are no numbers, for example 'five'",
    ),
    "seconds for milliseconds": (
        "MATCH ()-[b:BOUGHT]->() SET b.day = 1700000000",
        {"holdings": {"at_unit": "milliseconds"}},
        'is at_unit = "seconds" meant?',
    ),
    "milliseconds for seconds": (
        "MATCH ()-[b:BOUGHT]->() SET b.day = 1700000000000",
        {"holdings": {"at_unit": "seconds"}},
        'is at_unit = "milliseconds" meant?',
    ),
    "no rating high enough": (
        "MATCH ()-[b:BOUGHT]->() SET b.stars = 3",
        {"holdings": {"rating": "stars", "least_rating": 4}},
        "no rating reaches it",
    ),
    "a foreign gid": ("MATCH (c:Client) SET c.gid = 5", {}, "kinfolio did not write"),
    "kinfolio's label": ("CREATE (:EmbeddingVersion {word: 'x'})", {}, "kinfolio's own label"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_each_problem_is_reported(shop: Graph, run_cypher: Any, case: str) -> None:
    change, sections, words = BROKEN[case]
    if change:
        run_cypher(change)
    found = problems(checked(shop, **sections))
    assert any(words in problem for problem in found), found


def test_irregularities_are_reported_as_warnings(shop: Graph, run_cypher: Any) -> None:
    run_cypher(
        "CREATE (:Client {number: 3}), (:Client {number: 4}), (:Client {number: 5}) "
        "WITH 1 AS one MATCH (a:Client {number: 1}) CREATE (a)-[:BOUGHT]->(:Pie)"
    )
    lines = checked(shop, users={"name": "nick"})
    notes = " | ".join(line.note for line in lines if line.level == "warning")
    assert "nick does not exist" in notes
    assert "3 of 5 have none" in notes
    assert "1 more run between other labels" in notes
    assert "CREATE INDEX FOR (n:Client) ON (n.number)" in notes
    assert problems(lines) == []


def test_an_export_needs_unique_ids_and_no_foreign_gid(shop: Graph, run_cypher: Any) -> None:
    run_cypher("CREATE (:Client {number: 1})")
    with Graph(shop.connection, mapping_from(SHOP)) as mapped:
        with pytest.raises(BadInput, match="occurs on more than one"):
            create_schema(mapped)
        run_cypher("MATCH (c:Client) SET c.number = c.gid, c.gid = 7")
        run_cypher(
            "MATCH (c:Client) WITH collect(c) AS all UNWIND range(0, 2) AS n "
            "WITH all[n] AS c, n SET c.number = n"
        )
        with pytest.raises(NotReady, match="kinfolio did not write"):
            create_schema(mapped)


def test_a_constraint_of_the_same_name_on_another_label_is_reported(
    shop: Graph, run_cypher: Any
) -> None:
    with Graph(shop.connection, mapping_from(SHOP)) as mapped:
        # The standard model's own constraint has the name.
        with pytest.raises(NotReady, match="user_gid"):
            create_schema(mapped)
        run_cypher("DROP CONSTRAINT user_gid")
        run_cypher("DROP CONSTRAINT product_gid")
        try:
            create_schema(mapped)
            create_schema(mapped)
        finally:
            run_cypher("DROP CONSTRAINT user_gid IF EXISTS")
            run_cypher("DROP CONSTRAINT product_gid IF EXISTS")


def test_times_that_cannot_be_read_are_left_out_and_counted(
    shop: Graph, run_cypher: Any, tmp_path: Path
) -> None:
    good = ["2024-02-29", " 2023-12-31T23:59:59.5+01:00", "2024-01-31 10:00", "2000-02-29T10:00Z"]
    bad = ["", "2024-02-30", "2023-02-29", "01/31/2024", "2024-13-01", "2024-01-01T25:00", "soon"]
    run_cypher(
        "MATCH ()-[b:BOUGHT]->() DELETE b "
        "WITH DISTINCT 1 AS one MATCH (a:Client {number: 1}) "
        "UNWIND $days + [date('2024-01-31'), datetime('2024-01-31T10:00[Europe/Berlin]'), "
        "localdatetime('2024-01-31T10:00'), localtime(), time(), duration('P1D'), "
        "point({x: 1, y: 2}), [date()], true, 7, 0.0 / 0] AS day "
        "CREATE (f:Fund {isin: randomUUID(), called: 'F', offen: 'false'}) "
        "CREATE (a)-[:BOUGHT {day: day, stars: '4.5'}]->(f)",
        days=good + bad,
    )
    number = len(good) + len(bad) + 11
    extra = {"holdings": {"split": None, "rating": "stars"}}
    lines = checked(shop, **extra)
    (line,) = [one for one in lines if one.line == "at" and one.note]
    assert (line.name, line.level) == ("day", "warning")
    assert f"{len(bad) + 8} of {number} values of day are no times in the unit 'date'" in line.note
    assert "for example" in line.note
    content = copy.deepcopy(SHOP)
    content["holdings"] = {"type": "BOUGHT", "at": "day", "at_unit": "date", "rating": "stars"}
    run_cypher("DROP CONSTRAINT user_gid IF EXISTS")
    run_cypher("DROP CONSTRAINT product_gid IF EXISTS")
    try:
        with Graph(shop.connection, mapping_from(content)) as mapped:
            exported = export_to(mapped, tmp_path / "snapshot")
            snapshot = read_snapshot(tmp_path / "snapshot")
            # Of closed products, as texts say; a rating in digits is a number.
            passing = mapped.read("why_not_facts", user_id="1", product_id="X1", harmless=[])
    finally:
        run_cypher("DROP CONSTRAINT user_gid IF EXISTS")
        run_cypher("DROP CONSTRAINT product_gid IF EXISTS")
    assert any("values of day" in note and "left out" in note for note in exported.notes)
    assert exported.counts["holdings"] == number
    assert int((snapshot.holdings.at == NO_TIME).sum()) == len(bad) + 8
    assert set(snapshot.holdings.rating.tolist()) == {4.5}
    assert passing


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_numbers_out_of_range_and_texts_are_no_times(
    shop: Graph, run_cypher: Any, unit: str
) -> None:
    factor = 1 if unit == "seconds" else 1000
    run_cypher(
        "MATCH (a:Client {number: 1}), (x:Fund {isin: 'X1'}) "
        "MATCH ()-[b:BOUGHT]->() DELETE b WITH DISTINCT a, x "
        "UNWIND [1700000000 * $factor, 1.7e9 * $factor, '1700000000', 1e300, 0.0 / 0, true, "
        "9223372036854775807, date()] AS day CREATE (a)-[:BOUGHT {day: day}]->(x)",
        factor=factor,
    )
    lines = checked(shop, holdings={"at_unit": unit, "split": None})
    (line,) = [one for one in lines if one.line == "at" and one.note]
    assert "6 of 8 values of day" in line.note
    assert line.level == "warning"
