import json
from typing import Any

import pytest

from tests.conftest import Cli

TEXT = "A fund of bonds. " * 20
pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture(autouse=True)
def small(graph: Any, run_cypher: Any) -> None:
    run_cypher(
        """
        CREATE (ann:User {id: 'ann', gid: 0, name: 'Ann [red]'}),
               (amber:Product {id: 'A "1" 💶', gid: 0, name: 'Amber Bond Fund', risk: 2,
                               open: true, text: $text, embedding_a: [x IN range(1, 66) | 0.5]}),
               (ann)-[:HOLDS {rating: 5.0, at: 1700000000000}]->(amber)
        WITH amber UNWIND range(1, 25) AS n
        CREATE (:User {id: 'writer ' + n})-[:WROTE]->
               (:Review {id: 'r' + n, text: 'costs are low'})-[:ABOUT]->(amber)
        """,
        text=TEXT,
    )


def test_a_user_is_printed_without_markup(cli: Cli) -> None:
    result = cli("show", "user", "ann")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "User ann  Ann [red]"
    assert "Amber Bond Fund" in result.stdout
    assert "2023-11-14 22:13" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_product_is_shown_uncut_without_a_terminal(cli: Cli) -> None:
    result = cli("show", "product", 'A "1" 💶')
    assert result.exit_code == 0
    assert f"  text: {TEXT}\n" in result.stdout
    assert "\nr1\tcosts are low\n" in result.stdout
    assert "embedding_a: a vector of 66 numbers" in result.stdout
    assert "and 15 more" in result.stdout
    assert "ann" not in result.stdout


def test_json_has_properties_counts_and_samples(cli: Cli) -> None:
    shown = json.loads(cli("show", "product", 'A "1" 💶', "--json").stdout)
    assert shown["id"] == 'A "1" 💶'
    assert shown["properties"]["open"] is True
    assert shown["counts"]["holders"] == 1
    assert len(shown["samples"]["reviews"]) == 10


def test_dates_times_points_and_nan_are_valid_json(cli: Cli, run_cypher: Any) -> None:
    run_cypher(
        "MATCH (u:User {id: 'ann'})-[h:HOLDS]->() SET u.d = date('2024-02-29'), "
        "u.t = time('10:30Z'), u.l = localtime('10:30'), u.z = datetime('2024-01-31T10:30+01:00'), "
        "u.n = localdatetime('2024-01-31T10:30'), u.p = duration('P1M2DT3S'), "
        "u.xy = point({x: 1, y: 2}), u.many = [date('2024-02-29')], u.nan = 0.0 / 0, "
        "u.inf = [1.0 / 0], h.at = date('2024-02-29')"
    )
    text = cli("show", "user", "ann", "--json").stdout
    found = json.loads(text, parse_constant=pytest.fail)
    properties = found["properties"]
    assert properties["d"] == "2024-02-29"
    assert properties["many"] == ["2024-02-29"]
    assert properties["z"].startswith("2024-01-31T10:30:00")
    assert properties["p"] == "P1M2DT3S"
    assert properties["xy"] == {"srid": 7203, "coordinates": [1.0, 2.0]}
    assert (properties["nan"], properties["inf"]) == (None, [None])
    assert found["samples"]["holds"][0]["at"] == "2024-02-29"
    plain = cli("show", "user", "ann")
    assert plain.exit_code == 0
    assert "  d: 2024-02-29\n" in plain.stdout


@pytest.mark.parametrize(("kind", "number"), [("user", 26), ("product", 1)])
def test_an_unknown_id_is_a_one_sentence_error(cli: Cli, kind: str, number: int) -> None:
    result = cli("show", kind, "nob'o\"dy")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(
        f"kinfolio: there is no {kind} 'nob\\'o\"dy' among the {number}"
    )


def test_only_users_and_products_are_shown(cli: Cli) -> None:
    assert cli("show", "review", "r1").exit_code == 2
