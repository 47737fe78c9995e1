"""Documents and errors of the API are those of the command line, for every id."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.what_if import what_if
from kinfolio.json_text import json_text
from kinfolio.web.paths import segment
from tests.conftest import Cli
from tests.web.running import API, FORMULA, ME, ODD, Web

ODD_PATH = segment(ODD)
PAIRS: tuple[tuple[str, list[str], str], ...] = (
    ("recommend", [ME], f"/users/{ME}/recommendations"),
    ("recommend", [ME, "-k", "3"], f"/users/{ME}/recommendations?k=3"),
    (
        "recommend",
        [ME, "--at-most", "1", "--per", "category"],
        f"/users/{ME}/capped-recommendations?at_most=1&per=category",
    ),
    ("recommend", [ODD], f"/users/{ODD_PATH}/recommendations"),
    ("recommend", [FORMULA], f"/users/{segment(FORMULA)}/recommendations"),
    ("explain", [ME, "p5"], f"/users/{ME}/recommendations/p5"),
    (
        "explain",
        [ME, "p5", "--at-most", "1"],
        f"/users/{ME}/recommendations/p5?at_most=1",
    ),
    ("explain", [ODD, "p2"], f"/users/{ODD_PATH}/recommendations/p2"),
    (
        "explain",
        [ME, "p5", "--all-evidence", "--length", "long", "--language", "de"],
        f"/users/{ME}/recommendations/p5?all_evidence=true&length=long&language=de",
    ),
    ("why-not", [ME, "p9"], f"/users/{ME}/why-not/p9"),
    (
        "why-not",
        [ME, "p5", "--at-most", "1", "--per", "category"],
        f"/users/{ME}/why-not/p5?at_most=1&per=category",
    ),
    ("why-not", [ME, ODD], f"/users/{ME}/why-not/{ODD_PATH}"),
    ("similar", ["p2", "-k", "4"], "/products/p2/similar?k=4"),
    ("versions", [], "/versions"),
    ("audience", ["p2", "-k", "5"], "/products/p2/audience?k=5"),
    ("show", ["product", "p11"], "/products/p11"),
    ("show", ["product", ODD], f"/products/{ODD_PATH}"),
)


@pytest.mark.parametrize(("command", "arguments", "path"), PAIRS)
def test_documents_are_those_of_the_command_line(
    web: Web, cli: Cli, command: str, arguments: list[str], path: str
) -> None:
    model = ["--model", "none"] if command == "explain" else []
    printed = cli(command, *arguments, *model, "--json")
    assert printed.exit_code == 0, printed.stderr
    answer = web.get(API + path)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = answer.json
    for own in ("request", "notes"):
        found.pop(own, None)
    assert found == json.loads(printed.stdout)


ERRORS = (
    ("recommend", ["nobody"], "/users/nobody/recommendations", 404),
    ("recommend", ["peopel"], "/users/peopel/recommendations", 404),
    ("explain", [ME, "p99"], f"/users/{ME}/recommendations/p99", 404),
    ("why-not", [ME, ODD + "x"], f"/users/{ME}/why-not/{segment(ODD + 'x')}", 404),
    ("similar", ["p99"], "/products/p99/similar", 404),
    ("show", ["product", "p\u202e3"], f"/products/{quote('p' + chr(0x202E) + '3')}", 404),
)


@pytest.mark.parametrize(("command", "arguments", "path", "status"), ERRORS)
def test_errors_have_the_sentences_of_the_command_line(
    web: Web, cli: Cli, command: str, arguments: list[str], path: str, status: int
) -> None:
    model = ["--model", "none"] if command == "explain" else []
    printed = cli(command, *arguments, *model)
    answer = web.get(API + path)
    assert (printed.exit_code, answer.status) == (1, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"] == "urn:kinfolio:not-found"
    assert answer.json["detail"] in printed.stderr


@pytest.mark.parametrize(
    "id", [ODD, FORMULA, "%2F", "%252F", "a\ue000b", "\ue000", "..", ".", "?#"]
)
def test_an_id_in_a_path_is_the_id_that_was_encoded(web: Web, id: str) -> None:
    answer = web.get(f"{API}/users/{segment(id)}/recommendations")
    if id in (ODD, FORMULA):
        assert answer.json["user"] == id
    else:
        assert answer.status == 404
        assert repr(id) in answer.json["detail"]


def test_what_if_changes_the_list_and_nothing_else(web: Web, community_graph: Graph) -> None:
    path = f"{API}/users/{ME}/what-if"
    held = web.get(f"{API}/users/{ME}/data").json["samples"]["holds"][0]["product"]
    before = web.get(f"{API}/users/{ME}/recommendations").json["products"]
    found = web.post(path, {"without": [held], "with": [ODD], "product": "p5"})
    assert found.status == 200, found.text
    record = what_if(community_graph, ME, without=[held], added=[ODD], product_id="p5")
    assert found.json == json.loads(json_text(record))
    assert found.json["products"] != before
    assert web.get(f"{API}/users/{ME}/recommendations").json["products"] == before


def test_filters_leave_products_out(web: Web) -> None:
    path = f"{API}/users/{ME}/recommendations"
    first, *_ = web.get(path).json["products"]
    products = web.get(f"{path}?exclude={first['product']}").json["products"]
    assert first["product"] not in {one["product"] for one in products}
    assert web.get(f"{path}?category=nothing").json["products"] == []


def test_two_products_are_compared(web: Web) -> None:
    found = web.get(f"{API}/users/{ME}/compare/p2/p5").json
    assert {one["product"] for one in found["products"]} == {"p2", "p5"}
    assert found["text"]


def test_a_search_finds_by_id_and_name_and_counts_holdings(web: Web) -> None:
    found = web.get(f"{API}/products?q={quote('amber bond')}").json["matches"]
    assert [one["id"] for one in found] == ["p0"]
    assert [one["id"] for one in web.get(f"{API}/users?q=peo").json["matches"]] == [ME]
    assert web.get(f"{API}/users?q={quote('%')}").json["matches"] == []


def test_the_caller_and_the_rules_are_described(web: Web) -> None:
    assert web.get(f"{API}/me", caller="customer").json == {
        "role": "customer",
        "user": ME,
        "name": "customer",
    }
    rules = web.get(f"{API}/rules").json["rules"]
    assert "held" in {one["rule"] for one in rules}
