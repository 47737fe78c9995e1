"""Generated statements: which run, and that no other reaches private data of other users."""

from __future__ import annotations

import contextlib
import re
import socket
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.extra.lark import from_lark
from hypothesis.strategies import lists
from lark import Lark

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.guarded import MAX_ROWS, TIMEOUT_SECONDS, guarded_rows, rewritten
from kinfolio.errors import BadInput
from tests.conftest import RunCypher, write_six_users

ME = "(me:User {id: $user_id})"


@pytest.fixture(scope="module")
def loaded(shared_graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    from kinfolio.loaders import load

    load(shared_graph, write_six_users(tmp_path_factory.mktemp("data")))
    return shared_graph


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (
            f"MATCH {ME}-[h:HOLDS]->(p:Product) RETURN p.name AS name, h.rating ORDER BY name",
            [
                {"name": "Amber Bond Fund", "h.rating": 5.0},
                {"name": "Birch Equity Fund", "h.rating": 4.0},
                {"name": "Cedar Index Fund", "h.rating": 5.0},
            ],
        ),
        (f"MATCH {ME}-[:TIED_TO]-() RETURN count(*) AS ties", [{"ties": 2}]),
        (
            f"MATCH {ME}-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product) RETURN p, r.rating AS stars",
            [{"p": "Cedar Index Fund", "stars": 5.0}],
        ),
        (
            "MATCH (p:Product)-[:IN_CATEGORY]->(c:Category {name: 'Bonds'}) WHERE p.risk < 2 "
            "AND p.name STARTS WITH 'Elm' "
            "AND NOT (:User {id: $user_id})-[:HOLDS]->(p:Product) RETURN p.id AS id",
            [{"id": "E"}],
        ),
        (
            f"MATCH {ME} OPTIONAL MATCH (me:User {{id: $user_id}})-[:DISMISSED]->(p:Product) "
            "RETURN me.country AS country, collect(p) AS dismissed",
            [{"country": "DE", "dismissed": ""}],
        ),
        (
            "match (p:Product) where (p.risk >= -3 OR p.open = false) AND NOT (toLower(p.name) "
            "CONTAINS 'fund') with p, count(*) AS count where count in [1, 2] "
            "return distinct p.id AS id, max(p.risk), count order by id desc skip 0 limit 1",
            [{"id": "F", "max(p.risk)": 1, "count": 1}],
        ),
        (
            f"MATCH {ME}-[h:HOLDS]-(p:Product)<-[:ABOUT]-(r:Review)<-[:WROTE]-{ME} "
            "WHERE h.rating IS NOT NULL RETURN p.id, avg(r.rating) AS stars",
            [{"p.id": "C", "stars": 5.0}],
        ),
    ],
)
def test_data_of_the_asker_and_products_are_read(
    loaded: Graph, statement: str, rows: list[dict[str, Any]]
) -> None:
    assert guarded_rows(loaded, statement, "u2") == rows


REFUSED = tomllib.loads(
    Path(__file__).with_name("refused.toml").read_text("utf-8").replace("ME", ME)
)
DEEP = [
    "MATCH (p:Product) WHERE " + "NOT " * 220 + "p.open RETURN p",
    "MATCH (p:Product) WHERE " + "NOT (" * 200 + "p.open" + ")" * 200 + " RETURN p",
    "MATCH (p:Product) WHERE " + "(" * 600 + "p.open" + ")" * 600 + " RETURN p",
    "MATCH (p:Product) WHERE " + "p.open = (" * 130,
    "MATCH (p:Product) WHERE " + "toLower(" * 150 + "p.name" + ")" * 150 + " = 'x' RETURN p",
    "MATCH (p:Product) WHERE p.risk IN " + "[" * 600 + "1" + "]" * 600 + " RETURN p",
    "MATCH (p:Product) RETURN " + "CASE WHEN true THEN " * 60 + "p" + " END" * 60,
    "MATCH (p:Product) RETURN p" + "['a']" * 250,
    "MATCH (p:Product) RETURN " + "-" * 1400 + "p.risk",
    "MATCH (p:Product) RETURN " + "{a: " * 300,
    "MATCH " + "(" * 1400,
    f"MATCH (p:Product){'-[:IN_CATEGORY]-(:Category)-[:IN_CATEGORY]-(:Product)' * 6} RETURN p",
    " " * 1_501,
]
ODD_CHARACTERS = [
    "MATCH (p:Product) RETURN p.name\u00a0AS x",
    "MATCH\u2003(p:Product) RETURN p.name",
    "MATCH (p:Product) RETURN p \u017fKIP 1",
    "MATCH (p:Product) RETURN p S\u212aIP 1",
    "MATCH (\u0440:Product) RETURN p",
    "MATCH (p:Product) RETURN p\x00.name",
    "MATCH (p:Product) RETURN p.\u202ename",
    "MATCH (p:Product) RETURN p\uff0ename",
    "",
]


def refused_statements() -> list[str]:
    values = [line for lines in REFUSED["values"].values() for line in lines.splitlines()]
    others = {name: lines.splitlines() for name, lines in REFUSED["others"].items()}
    return [
        *(f"MATCH (p:Product) RETURN {value}" for value in values),
        *(f"MATCH (p:Product) WITH p, {value} AS x RETURN x" for value in values),
        *(f"MATCH (p:Product) RETURN p ORDER BY {value}" for value in values if value != "*"),
        *(f"MATCH (p:Product) WHERE {condition} RETURN p" for condition in others["conditions"]),
        *(f"MATCH {pattern} RETURN count(*)" for pattern in others["patterns"]),
        *(f"MATCH (p:Product) WHERE NOT {pattern} RETURN p" for pattern in others["patterns"]),
        *others["statements"],
        *DEEP,
        *ODD_CHARACTERS,
    ]


def test_any_other_statement_is_refused_before_it_is_sent() -> None:
    sent = []
    for statement in refused_statements():
        try:
            sent.append(rewritten(statement))
        except BadInput as error:
            message = str(error)
        else:
            continue
        # The user sees the message: it must not contain what the model wrote.
        assert re.fullmatch(
            r"the generated statement was not run: (what stands at (character \d+|its end) is not "
            r"allowed|it has more than [\d,]+ (characters|relationships))",
            message,
        )
    assert sent == []


def test_the_server_receives_no_literal_and_no_bare_name_of_the_model() -> None:
    text, parameters = rewritten(
        "MATCH (call:Product {name: 'Elm // x'}) WHERE call.risk < 2.5 AND call.id IN ['E'] "
        "RETURN call AS union, call.kind LIMIT 3"
    )
    assert text == (
        "MATCH ( `call` : Product { name : $literal0 } ) WHERE `call` . risk < $literal1 AND "
        "`call` . id IN [ $literal2 ] RETURN `call` AS `union` , `call` . kind AS `call.kind` "
        "LIMIT $literal3"
    )
    assert list(parameters.values()) == ["Elm // x", 2.5, "E", 3]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "null", "true", "p2"])
def test_a_constant_is_a_name_that_nothing_has(loaded: Graph, word: str) -> None:
    with pytest.raises(BadInput, match="cannot be run"):
        guarded_rows(loaded, f"MATCH (p:Product) RETURN {word}", "u2")


def test_no_statement_of_the_grammar_returns_data_of_others(
    loaded: Graph, run_cypher: RunCypher
) -> None:
    run_cypher("MATCH (u:User) WHERE u.id <> 'u2' SET u += {name: 'secret', country: 'secret'}")
    run_cypher("MATCH (r:Review) SET r.text = 'secret'")
    run_cypher("MATCH (p:Product) SET p.text = 'secret', p.embedding_a = [0.25]")
    run_cypher("MATCH (u:User)-[h:HOLDS]->() WHERE u.id <> 'u2' SET h.rating = 77")
    counts = "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(r), count(DISTINCT n)"
    before, run = run_cypher(counts), 0

    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    @given(lists(from_lark(grammar(), start="_pattern"), min_size=1, max_size=2))
    def check(patterns: list[str]) -> None:
        nonlocal run
        names = sorted(set(re.findall(r"[(\[]\s*([a-f])\b", " ".join(patterns))))
        values = [f"{one}{of}" for one in names for of in ("", ".id", ".name", ".rating")]
        returned = ", ".join([*values, *(f"collect({one})" for one in names)]) or "count(*)"
        try:
            rows = guarded_rows(loaded, f"MATCH {', '.join(patterns)} RETURN {returned}", "u2")
        except BadInput:
            return
        run += bool(rows)
        for value in (value for row in rows for value in row.values()):
            assert not re.search(r"secret|\bu[1-6]\b(?<!u2)|\br[23]\b|77", str(value))

    check()
    assert run > 5
    assert run_cypher(counts) == before


def grammar() -> Lark:
    """The grammar with few names and without conditions on nodes, so that patterns match."""
    text = files("kinfolio.cypher").joinpath("guarded.lark").read_text("utf-8")
    text = re.sub(r"(?m)^NAME: .*", "NAME: /[a-f]/", text).replace(" _map? ", " ")
    return Lark(text, parser="lalr", start=["_pattern"])


def test_a_statement_that_fails_or_takes_long_is_refused_without_its_words(loaded: Graph) -> None:
    with pytest.raises(BadInput, match="cannot be run") as found:
        guarded_rows(loaded, "MATCH (p:Product) RETURN you_must_buy.name", "u2")
    assert "you_must_buy" not in str(found.value)
    many = ", ".join(f"(p{n}:Product)" for n in range(14))
    started = time.monotonic()
    with pytest.raises(BadInput, match="cannot be run"):
        guarded_rows(loaded, f"MATCH {many} RETURN sum(p0.risk)", "u2")
    assert time.monotonic() - started < 2 * TIMEOUT_SECONDS
    rows = guarded_rows(loaded, "MATCH (a:Product), (b:Product), (c:Product) RETURN a.id", "u2")
    assert len(rows) == MAX_ROWS
    for text in ("CREATE (x:Product) RETURN 1", "MATCH (n) RETURN n", "CALL db.labels()"):
        # The plan alone is refused, too.
        with pytest.raises(BadInput, match="cannot be run"):
            loaded.run_text(
                "it", text, seconds=2, limit=1, forbidden=("AllNodesScan", "ProcedureCall")
            )


@pytest.fixture
def mute_server(loaded: Graph) -> Iterator[Graph]:
    """The database behind a proxy that forwards nothing from the first statement on."""
    host, port = loaded.connection.uri.removeprefix("bolt://").split(":")
    listener = socket.create_server(("127.0.0.1", 0))

    def forward(source: socket.socket, target: socket.socket, is_mute: list[bool]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if b"EXPLAIN" in data:
                    is_mute.append(True)
                if not is_mute:
                    target.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                server, is_mute = socket.create_connection((host, int(port))), list[bool]()
                for pair in ((caller, server), (server, caller)):
                    Thread(target=forward, args=(*pair, is_mute), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    uri = f"bolt://127.0.0.1:{listener.getsockname()[1]}"
    with closing(listener):
        yield Graph(replace(loaded.connection, uri=uri))


def test_a_server_that_does_not_answer_is_not_waited_for(mute_server: Graph) -> None:
    started = time.monotonic()
    with pytest.raises(BadInput, match="cannot be run"):
        guarded_rows(mute_server, "MATCH (p:Product) RETURN p.name", "u2")
    assert time.monotonic() - started < 2 * TIMEOUT_SECONDS
