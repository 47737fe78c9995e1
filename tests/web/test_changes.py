"""What callers change: events, versions, users; each by the roles that may, and once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from kinfolio.web.paths import segment
from tests.web.running import API, FORMULA, ME, ODD, OTHER, Answer, Web

Rows = Callable[..., list[dict[str, Any]]]
ACTS = (
    "MATCH (:User {id: $user})-[r:DISMISSED|HOLDS {request: $request}]->(p) RETURN p.id AS product "
    "UNION MATCH (:User {id: $user})-[:DISMISSED]->(p) RETURN p.id AS product"
)


def served(web: Web, user: str, caller: str = "analyst") -> Any:
    """Return a fresh list. Any: a JSON document."""
    return web.get(f"{API}/users/{segment(user)}/recommendations", caller=caller).json


def send(web: Web, user: str, request: str, product: str, kind: str, caller: str) -> Answer:
    at = datetime.now(UTC).isoformat()
    body = {"events": [{"request": request, "product": product, "kind": kind, "at": at}]}
    return web.post(f"{API}/users/{segment(user)}/events", body, caller=caller)


def test_an_event_is_recorded_once_and_changes_the_next_list(web: Web, read: Rows) -> None:
    shown = served(web, ME, "customer")
    product = shown["products"][0]["product"]
    opened = send(web, ME, shown["request"], product, "opened", "customer").json
    assert (opened["written"], opened["repeated"], opened["refused"]) == (1, 0, [])
    first = send(web, ME, shown["request"], product, "dismissed", "customer").json
    again = send(web, ME, shown["request"], product, "dismissed", "customer").json
    assert (first["written"], again["written"], again["repeated"]) == (1, 0, 1)
    assert product not in {one["product"] for one in served(web, ME)["products"]}
    acts = read("MATCH (:User {id: $user})-[:DISMISSED]->(p) RETURN p.id AS product", user=ME)
    assert [one["product"] for one in acts].count(product) == 1


@pytest.mark.parametrize("caller", ["other", "analyst"])
def test_an_event_of_another_users_list_is_refused(web: Web, read: Rows, caller: str) -> None:
    shown = served(web, ME, "customer")
    product = shown["products"][0]["product"]
    found = send(web, OTHER, shown["request"], product, "held", caller).json
    assert found["written"] == 0
    assert found["refused"][0]["reason"] == "the request is not that of a list shown to this user"
    assert not read(
        "MATCH (:User)-[r:HOLDS {request: $request}]->() RETURN r", request=shown["request"]
    )


def test_an_event_of_a_product_that_was_not_in_the_list_is_refused(web: Web) -> None:
    shown = served(web, ME, "customer")
    found = send(web, ME, shown["request"], ODD + "x", "held", "customer").json
    assert found["refused"] == [
        {"position": 0, "reason": "the product was not in the list of this request"}
    ]


def test_an_administrator_rolls_back_and_forward(web: Web) -> None:
    for version in ("first", "second"):
        answer = web.send("PUT", f"{API}/versions/serving", {"version": version}, caller="admin")
        assert (answer.status, answer.json["name"], answer.json["state"]) == (
            200,
            version,
            "active",
        )
        assert web.get("/readyz", caller=None).json == {
            "status": "ready",
            "version": version,
            "other": None,
        }
        assert served(web, ME)["version"] == version


def test_data_of_a_user_has_no_other_people(web: Web) -> None:
    data = web.get(f"{API}/users/{ME}/data", caller="customer").json
    assert data["id"] == ME
    assert data["samples"]["ties"]
    assert not [one for one in data["samples"]["ties"] if one["user"] or one["name"]]


def test_a_product_has_no_users(web: Web, read: Rows) -> None:
    text = web.get(f"{API}/products/p2", caller="customer").text
    for row in read("MATCH (u:User)-[:WROTE|HOLDS*1..2]->(:Product {id: 'p2'}) RETURN u.id AS id"):
        assert f'"{row["id"]}"' not in text


def test_a_deleted_user_is_gone_with_conversations_and_events(web: Web, read: Rows) -> None:
    read(
        "MATCH (p:Product {id: 'p0'}) CREATE (:User {id: 'leaving', gid: 960, country: 'FR', "
        "risk_tolerance: 6})-[:HOLDS {split: 'train'}]->(p)"
    )
    shown = served(web, "leaving")
    thread = web.post(f"{API}/users/leaving/threads", caller="admin").json["thread"]
    path = f"{API}/users/leaving/threads/{thread}"
    web.post(f"{path}/answers", {"text": "What do you recommend?"}, caller="admin")
    assert web.send("DELETE", f"{API}/users/leaving", caller="admin").status == 204
    assert web.send("DELETE", f"{API}/users/leaving", caller="admin").status == 404
    assert web.get(f"{API}/users/leaving/data").status == 404
    assert web.site.service.events.story(shown["request"]) is None
    # Somebody of the same id later does not inherit the conversation.
    read("CREATE (:User {id: 'leaving', gid: 961})")
    assert web.get(path, caller="admin").json["turns"] == []


def test_the_export_has_every_line_of_every_list_and_no_formula(web: Web, read: Rows) -> None:
    import csv
    import io

    answer = web.get(f"{API}/recommendations.csv?k=3")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["content-disposition"].startswith("attachment")
    header, *lines = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert header == ["user", "rank", "product", "score", "version"]
    by_user: dict[str, list[str]] = {}
    for user, _, product, _, _ in lines:
        by_user.setdefault(user, []).append(product)
    assert f"'{FORMULA}" in by_user
    assert FORMULA not in by_user
    for row in read("MATCH (u:User) RETURN u.id AS id"):
        found = [one["product"] for one in served(web, row["id"])["products"][:3]]
        name = f"'{row['id']}" if row["id"] == FORMULA else row["id"]
        assert by_user.get(name, []) == found, row["id"]
    raw = web.get(f"{API}/recommendations.csv?k=3&spreadsheet_safe=false").text
    assert f"\r\n{FORMULA},1," in raw
