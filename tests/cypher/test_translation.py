import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from neo4j import exceptions

from kinfolio.cypher import queries
from kinfolio.cypher.errors import translated
from kinfolio.cypher.graph import Graph
from kinfolio.errors import (
    BadConfig,
    BadInput,
    KinfolioError,
    NotReady,
    ServerError,
    ServerUnreachable,
    WrongPassword,
)
from kinfolio.records import Connection

HERE = Connection(uri="bolt://here:7687", username="ann", password="secret", database="shop")


def sentence(error: Exception, expected: type[KinfolioError]) -> str:
    with pytest.raises(KinfolioError) as caught, translated(HERE, "load_users"):
        raise error
    assert type(caught.value) is expected
    assert "\n" not in str(caught.value)
    return str(caught.value)


def of_server(code: str, message: str = "what the server says") -> exceptions.Neo4jError:
    return exceptions.Neo4jError._hydrate_neo4j(code=code, message=message)


@pytest.mark.parametrize(
    ("error", "expected", "said", "cure"),
    [
        (
            exceptions.ServiceUnavailable("Couldn't connect to ..."),
            ServerUnreachable,
            "no Neo4j answers at bolt://here:7687",
            "kinfolio db start",
        ),
        (
            exceptions.SessionExpired("the connection went away"),
            ServerUnreachable,
            "no Neo4j answers",
            "kinfolio db start",
        ),
        (
            ConnectionResetError("reset by peer"),
            ServerUnreachable,
            "no Neo4j answers",
            "kinfolio db start",
        ),
        (
            exceptions.ConfigurationError("what scheme"),
            BadConfig,
            "'bolt://here:7687', which is no address",
            "write it like bolt://",
        ),
        (
            exceptions.ResultConsumedError(None, "the result is gone"),
            ServerError,
            "the result is gone",
            "run the command again",
        ),
        (
            of_server("Neo.ClientError.Security.Unauthorized"),
            WrongPassword,
            "refused the password of user 'ann'",
            "NEO4J_PASSWORD",
        ),
        (
            of_server("Neo.ClientError.Security.AuthenticationRateLimit"),
            WrongPassword,
            "too many wrong passwords",
            "in a few seconds",
        ),
        (
            of_server("Neo.ClientError.Security.Forbidden"),
            WrongPassword,
            "user 'ann' may not run load_users",
            "grant the right",
        ),
        (
            of_server("Neo.ClientError.Database.DatabaseNotFound"),
            NotReady,
            "has no database 'shop'",
            "NEO4J_DATABASE",
        ),
        (
            of_server("Neo.TransientError.General.DatabaseUnavailable"),
            ServerUnreachable,
            "its database cannot be used",
            "kinfolio db stop",
        ),
        (
            of_server("Neo.DatabaseError.General.UnknownError", "No space left on device"),
            ServerError,
            "the disk of the database is full",
            "free some space",
        ),
        (
            of_server("Neo.DatabaseError.Transaction.TransactionLogError", "Could not append"),
            ServerError,
            "most often because its disk is full",
            "kinfolio db stop and kinfolio db start",
        ),
        (
            of_server("Neo.DatabaseError.Transaction.TransactionStartFailed", "critical error"),
            ServerError,
            "most often because its disk is full",
            "kinfolio db stop and kinfolio db start",
        ),
        (
            of_server("Neo.TransientError.General.MemoryPoolOutOfMemoryError"),
            ServerError,
            "ran out of memory in load_users",
            "smaller batches",
        ),
        (
            of_server("Neo.DatabaseError.General.OutOfMemoryError"),
            ServerError,
            "ran out of memory",
            "smaller batches",
        ),
        (
            of_server("Neo.TransientError.Transaction.DeadlockDetected"),
            ServerError,
            "gave up on load_users after several tries",
            "less busy",
        ),
        (
            of_server("Neo.ClientError.Schema.IndexNotFound"),
            NotReady,
            "the index that load_users needs",
            "kinfolio writeback",
        ),
        (
            of_server("Neo.ClientError.Made.Up", "something new\nwith a second line"),
            ServerError,
            "refused load_users (Neo.ClientError.Made.Up: something new)",
            "see its log",
        ),
    ],
    ids=lambda value: value.code if isinstance(value, exceptions.Neo4jError) else None,
)
def test_each_error_of_the_driver_is_a_sentence_with_the_cure(
    error: Exception, expected: type[KinfolioError], said: str, cure: str
) -> None:
    text = sentence(error, expected)
    assert said in text
    assert cure in text


def test_a_reason_that_stands_in_a_cause_only_is_found() -> None:
    error = of_server("Neo.DatabaseError.Transaction.TransactionCommitFailed", "could not commit")
    error.__cause__ = of_server("Neo.DatabaseError.General.UnknownError", "No space left on device")
    assert "disk of the database is full" in sentence(error, ServerError)


def test_an_error_of_ours_passes_through() -> None:
    assert sentence(BadInput("row 3 is empty"), BadInput) == "row 3 is empty"


@pytest.mark.server
@pytest.mark.parametrize(
    ("text", "expected", "said"),
    [
        (
            "CYPHER 25 MATCH (p:Product) SEARCH p IN (VECTOR INDEX never_made "
            "FOR vector([1.0], 1, FLOAT32) LIMIT 1) SCORE AS s RETURN p",
            NotReady,
            "the index that trial needs is not in the graph; type: kinfolio writeback",
        ),
        (
            "CALL db.index.vector.queryNodes('never_made', 1, [1.0]) YIELD node RETURN node",
            NotReady,
            "the index that trial needs is not in the graph; type: kinfolio writeback",
        ),
        ("CALL never.made()", ServerError, "lacks a procedure that trial needs"),
        ("MTCH (n) RETURN n", ServerError, "does not understand trial"),
        ("RETURN $never_given AS x", ServerError, "without a parameter it needs"),
        ("RETURN 1 / 0 AS x", ServerError, "/ by zero"),
    ],
)
def test_what_a_real_server_refuses_is_a_sentence(
    server: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    expected: type[KinfolioError],
    said: str,
) -> None:
    (tmp_path / "trial.cypher").write_text(text)
    monkeypatch.setattr(queries, "files", lambda _: tmp_path)
    queries.query.cache_clear()
    with Graph(server) as graph, pytest.raises(expected) as caught:
        graph.read("trial")
    queries.query.cache_clear()
    assert said in str(caught.value)


@pytest.mark.server
@pytest.mark.parametrize(
    ("properties", "said"),
    [({"id": "twice"}, "already exists"), ({"id": {"nested": 1}}, "is nothing the database can")],
)
def test_a_row_that_a_real_server_refuses_is_bad_input(
    graph: Graph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    properties: dict[str, object],
    said: str,
) -> None:
    (tmp_path / "trial.cypher").write_text("UNWIND [1, 2] AS n CREATE (u:User) SET u += $p")
    monkeypatch.setattr(queries, "files", lambda _: tmp_path)
    queries.query.cache_clear()
    with pytest.raises(BadInput, match=said):
        graph.write("trial", p=properties)
    queries.query.cache_clear()


@pytest.mark.server
def test_a_wrong_password_is_told(server: Connection) -> None:
    wrong = replace(server, password="not this one")
    with Graph(wrong) as graph, pytest.raises(WrongPassword, match="refused the password of user"):
        graph.server  # noqa: B018  # asking is the point
    with Graph(server) as graph:
        graph.check()  # so that the next wrong one is again the first in a row


@pytest.mark.server
def test_an_unknown_database_is_told(server: Connection) -> None:
    with (
        Graph(replace(server, database="never-made")) as graph,
        pytest.raises(NotReady, match="no database 'never-made'; correct NEO4J_DATABASE"),
    ):
        graph.read("show_server")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port that nothing listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_dead_server_is_told_at_once(closed_port: int, scheme: str) -> None:
    dead = replace(HERE, uri=f"{scheme}://127.0.0.1:{closed_port}")
    with Graph(dead) as graph, pytest.raises(ServerUnreachable, match=str(closed_port)):
        graph.read("show_server")


def test_a_server_that_never_answers_is_given_up(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinfolio.cypher.graph.CONNECT_SECONDS", 0.5)
    silent = replace(HERE, uri=f"bolt://127.0.0.1:{silent_port}")
    with Graph(silent) as graph, pytest.raises(ServerUnreachable, match="no Neo4j answers"):
        graph.read("show_server")


@pytest.mark.parametrize("uri", ["here", "http://here", "bolt://here:port", "bolt://h:1?x=y", ""])
def test_an_address_that_makes_no_sense_is_told(uri: str) -> None:
    with (
        Graph(replace(HERE, uri=uri)) as graph,
        pytest.raises(BadConfig, match="no address of a Neo4j server; write it like"),
    ):
        graph.read("show_server")
