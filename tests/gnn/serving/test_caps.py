"""Lists under a cap are the greedy ones down the whole ranking."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from kinfolio.api.client import Kinfolio
from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.caps.all_lists import all_lists
from kinfolio.gnn.serving.caps.caps import ListCaps, recommend_capped
from kinfolio.gnn.serving.caps.effect import why_not_capped
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.records import Connection, Recommended

if TYPE_CHECKING:
    from tests.gnn.conftest import World

Cli = Callable[..., Any]
Per = Literal["kind", "category"]
USERS = [f"u{i}" for i in range(10, 24)]


@pytest.fixture(scope="module")
def groups(
    server: Connection, shared_graph: Graph, make_world: Callable[..., World]
) -> dict[Per, dict[str, list[str]]]:
    """A world with kinds and categories, some products in two, some in none; groups by product."""
    world = make_world(3, 60, 80)
    with open_driver(server) as driver, driver.session() as session:
        world.store(lambda text, **parameters: session.run(text, parameters).data())
        write_back(shared_graph, world.embeddings(), check_sums=False)
        session.run("MATCH (p:Product) WHERE p.gid % 7 = 0 REMOVE p.kind").consume()
        session.run(
            "MATCH (p:Product) WHERE p.gid % 5 > 0 "
            "UNWIND CASE p.gid % 3 WHEN 0 THEN ['A', 'B'] ELSE ['B'] END AS name "
            "MERGE (c:Category {name: name}) CREATE (p)-[:IN_CATEGORY]->(c)"
        ).consume()
        rows = session.run(
            "MATCH (p:Product) RETURN p.id AS id, p.kind AS kind, "
            "COLLECT { MATCH (p)-[:IN_CATEGORY]->(c) RETURN c.name ORDER BY c.name } AS categories"
        ).data()
    return {
        "kind": {row["id"]: [row["kind"]] if row["kind"] else [] for row in rows},
        "category": {row["id"]: row["categories"] for row in rows},
    }


def greedy(
    ranking: tuple[Recommended, ...], groups: dict[str, list[str]], at_most: int, k: int
) -> tuple[list[Recommended], list[Recommended]]:
    """The list under the cap, and the better products that it leaves out."""
    number: Counter[str] = Counter()
    kept: list[Recommended] = []
    out: list[Recommended] = []
    for one in ranking:
        if len(kept) < k:
            is_full = any(number[name] == at_most for name in groups[one.product])
            (out if is_full else kept).append(one)
            if not is_full:
                number.update(groups[one.product])
    return kept, out


@pytest.mark.parametrize("per", ["kind", "category"])
@pytest.mark.parametrize("way", ["exact", "index"])
def test_a_list_is_the_greedy_one_down_the_ranking(
    shared_graph: Graph,
    groups: dict[Per, dict[str, list[str]]],
    per: Per,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if way == "index":
        monkeypatch.setattr("kinfolio.gnn.serving.search.EXACT_BELOW", 10)
    added = 0
    for user in USERS:
        ranking = recommend(shared_graph, user, 1_000).products
        for at_most, k in ((1, 4), (2, 6), (100, 6)):
            caps = ListCaps(at_most=at_most, per=per)
            found = recommend_capped(shared_graph, user, k, caps)
            kept, out = greedy(ranking, groups[per], at_most, k)
            assert [one.product for one in found.products] == [one.product for one in kept]
            assert [one.rank for one in found.products] == list(range(1, len(kept) + 1))
            if len(kept) == k:
                assert [(one.product, one.rank) for one in found.left_out] == [
                    (one.product, one.rank) for one in out
                ]
            assert [(one.product, one.rank, one.rank_without) for one in found.moved] == [
                (one.product, place, one.rank)
                for place, one in enumerate(kept, 1)
                if one.rank != place
            ]
            assert all(one.is_added == (one.rank_without > k) for one in found.moved)
            added += sum(one.is_added for one in found.moved)
    assert added > 5


def test_why_not_names_the_cap(
    shared_graph: Graph, groups: dict[Per, dict[str, list[str]]]
) -> None:
    caps = ListCaps(at_most=1)
    sentences = set()
    for user in USERS[:4]:
        found = recommend_capped(shared_graph, user, 3, caps)
        for one in found.left_out:
            answer = why_not_capped(shared_graph, user, one.product, caps)
            assert (answer.allowed, answer.rank) == (False, one.rank)
            assert answer.rules[-1].rule == "cap"
            kind = groups["kind"][one.product][0]
            assert answer.rules[-1].reason == f"1 of kind {kind} is in the list already"
            assert one.reason == answer.rules[-1].reason
        for line in found.products:
            answer = why_not_capped(shared_graph, user, line.product, caps)
            assert answer.allowed
            before = why_not(shared_graph, user, line.product)
            assert answer.rules[:-1] == before.rules
            moved = before.rank != line.rank
            reason = f"it is at rank {line.rank} instead of {before.rank}"
            assert answer.rules[-1].reason.startswith(reason) == moved
            sentences.add(moved)
    assert sentences == {True, False}


@pytest.mark.usefixtures("groups")
def test_the_command_says_what_the_cap_changed(shared_graph: Graph, cli: Cli) -> None:
    plain = json.loads(cli("recommend", "u10", "-k", "4", "--json").stdout)
    assert list(plain) == ["user", "version", "search", "source", "split", "products"]
    result = cli("recommend", "u10", "-k", "4", "--at-most", "1", "--json")
    document = json.loads(result.stdout)
    assert list(document)[6:] == ["at_most", "per", "left_out", "moved"]
    first = document["left_out"][0]
    note = f"left out, as 1 of the same kind are in the list: {first['product']} (rank"
    assert note in result.stderr
    shown = cli("why-not", "u10", first["product"], "--at-most", "1")
    assert f"FAIL  cap        {first['reason']}" in shown.stdout
    with Kinfolio(Graph(shared_graph.connection)) as db:
        assert [one.product for one in db.recommend("u10", 4, at_most=1).products] == [
            one["product"] for one in document["products"]
        ]


def test_wrong_caps_are_refused(shared_graph: Graph, cli: Cli) -> None:
    with pytest.raises(BadConfig, match="--at-most is 0; give a number of products from 1"):
        ListCaps(at_most=0)
    assert "--per is the group of --at-most N" in cli("recommend", "u10", "--per", "kind").stderr
    assert (
        "--per is the group of --at-most N" in cli("explain", "u10", "p1", "--per", "kind").stderr
    )


@pytest.mark.parametrize("per", ["kind", "category"])
@pytest.mark.usefixtures("groups")
def test_the_lists_of_all_are_those_of_each(
    shared_graph: Graph, per: Per, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinfolio.gnn.serving.recommend_all.PAGE_USERS", 16)
    monkeypatch.setattr("kinfolio.gnn.serving.recommend_all.MARGIN", 0)
    caps = ListCaps(at_most=1, per=per)
    lists: dict[str, list[str]] = {}
    for line in all_lists(shared_graph, 5, caps).lines():
        lists.setdefault(line.user, []).append(line.product)
        assert line.rank == len(lists[line.user])
    assert len(lists) > 50
    for user, products in lists.items():
        found = recommend_capped(shared_graph, user, 5, caps).products
        assert products == [one.product for one in found], user


@pytest.mark.usefixtures("groups")
def test_the_file_of_all_lists_is_under_the_cap(
    shared_graph: Graph, cli: Cli, tmp_path: Path
) -> None:
    result = cli(
        "recommend", "--all", "--out", str(tmp_path / "all.tsv"), "-k", "4", "--at-most", "1"
    )
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in (tmp_path / "all.tsv").read_text().splitlines()[1:]]
    found = recommend_capped(shared_graph, "u10", 4, ListCaps(at_most=1)).products
    assert [row[2] for row in rows if row[0] == "u10"] == [one.product for one in found]
