import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from neo4j import exceptions

from kinfolio.cypher.errors import translate_errors, unreachable
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

GraphOf = Callable[..., Graph]
HERE = Connection(uri="bolt://here:7687", username="ann", password="secret", database="shop")


def sentence(error: Exception, expected: type[KinfolioError]) -> str:
    with pytest.raises(KinfolioError) as caught, translate_errors(HERE, "load_users"):
        raise error
    assert type(caught.value) is expected
    assert "\n" not in str(caught.value)
    return str(caught.value)


def server_error(code: str, message: str = "the server's message") -> exceptions.Neo4jError:
    return exceptions.Neo4jError._hydrate_neo4j(code=f"Neo.{code}", message=message)


FULL = r"most often because its disk is full.*kinfolio db stop and kinfolio db start"


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (exceptions.ServiceUnavailable("x"), ServerUnreachable, "was cut in load_users.*again"),
        (exceptions.SessionExpired("x"), ServerUnreachable, "bolt://here:7687 was cut in"),
        (ConnectionResetError("x"), ServerUnreachable, "was cut in.*check the server and"),
        (ConnectionRefusedError("x"), ServerUnreachable, "nothing listens.*correct NEO4J_URI"),
        (socket.gaierror("x"), ServerUnreachable, "the host of bolt://here:7687 is unknown"),
        (TimeoutError("x"), ServerUnreachable, "stopped answering in load_users.*--timeout"),
        (ssl.SSLError("x"), ServerUnreachable, r"no secure connection.*bolt\+s://"),
        (exceptions.IncompleteCommit("x"), ServerUnreachable, "whether it is in the graph is"),
        (
            exceptions.ConfigurationError("x"),
            BadConfig,
            "which is not an address.*write it like bolt",
        ),
        (exceptions.ResultConsumedError(None, "is gone"), ServerError, "is gone.*run the command"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_error_of_the_driver_is_a_sentence_with_its_remedy(
    error: Exception, expected: type[KinfolioError], words: str
) -> None:
    assert re.search(words, sentence(error, expected))


@pytest.mark.parametrize(
    ("code", "message", "expected", "words"),
    [
        ("ClientError.Security.Unauthorized", "", WrongPassword, "user 'ann'.*NEO4J_PASSWORD"),
        ("ClientError.Security.AuthenticationRateLimit", "", WrongPassword, "in a few seconds"),
        ("ClientError.Security.Forbidden", "", WrongPassword, "may not run load_users.*grant"),
        ("ClientError.Database.DatabaseNotFound", "", NotReady, "database 'shop'.*NEO4J_DATABASE"),
        ("TransientError.General.DatabaseUnavailable", "", ServerUnreachable, "kinfolio db stop"),
        ("DatabaseError.General.UnknownError", "No space left on device", ServerError, "free some"),
        ("DatabaseError.Transaction.TransactionLogError", "", ServerError, FULL),
        ("DatabaseError.Transaction.TransactionStartFailed", "", ServerError, FULL),
        ("TransientError.General.MemoryPoolOutOfMemoryError", "", ServerError, "smaller batches"),
        ("DatabaseError.General.OutOfMemoryError", "", ServerError, "ran out of memory"),
        ("TransientError.Transaction.DeadlockDetected", "", ServerError, "gave up.*less busy"),
        ("ClientError.Schema.IndexNotFound", "", NotReady, "index that load_users.*writeback"),
        ("ClientError.Made.Up", "new\nsecond line", ServerError, r"Made.Up: new\); see its log"),
    ],
)
def test_each_error_of_the_server_is_a_sentence_with_its_remedy(
    code: str, message: str, expected: type[KinfolioError], words: str
) -> None:
    assert re.search(words, sentence(server_error(code, message), expected))


def test_a_reason_in_the_cause_of_an_error_is_found() -> None:
    error = server_error("DatabaseError.Transaction.TransactionCommitFailed", "could not commit")
    error.__cause__ = server_error("DatabaseError.General.UnknownError", "No space left on device")
    assert "disk of the database is full" in sentence(error, ServerError)


def test_kinfolios_own_error_is_not_translated() -> None:
    assert sentence(BadInput("row 3 is empty"), BadInput) == "row 3 is empty"


@pytest.mark.parametrize(
    ("text", "expected", "words"),
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
def test_an_error_of_a_real_server_is_a_sentence(
    graph_of: GraphOf, text: str, expected: type[KinfolioError], words: str
) -> None:
    with pytest.raises(expected) as caught:
        graph_of(trial=text).read("trial")
    assert words in str(caught.value)


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"id": "twice"}, "already exists"),
        ({"id": {"nested": 1}}, "has a type that the database cannot"),
    ],
)
def test_a_row_that_a_real_server_refuses_is_bad_input(
    graph_of: GraphOf, properties: dict[str, object], words: str
) -> None:
    graph = graph_of(trial="UNWIND [1, 2] AS n CREATE (u:User) SET u += $p")
    with pytest.raises(BadInput, match=words):
        graph.write("trial", p=properties)


def test_a_wrong_password_is_reported(server: Connection) -> None:
    wrong = replace(server, password="not this one")
    with Graph(wrong) as graph, pytest.raises(WrongPassword, match="refused the password of user"):
        graph.server  # noqa: B018  # the property connects
    with Graph(server) as graph:
        graph.check()  # resets the server's count of wrong passwords


def test_an_unknown_database_is_reported(server: Connection) -> None:
    with (
        Graph(replace(server, database="never-made")) as graph,
        pytest.raises(NotReady, match="no database 'never-made'; correct NEO4J_DATABASE"),
    ):
        graph.read("show_server")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port without a listener."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_an_unreachable_server_is_reported_without_retries(closed_port: int, scheme: str) -> None:
    dead = replace(HERE, uri=f"{scheme}://127.0.0.1:{closed_port}")
    with Graph(dead) as graph, pytest.raises(ServerUnreachable, match=str(closed_port)):
        graph.read("show_server")


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_server_that_never_answers_runs_into_a_timeout(silent_port: int, scheme: str) -> None:
    silent = replace(HERE, uri=f"{scheme}://127.0.0.1:{silent_port}", timeout=0.5)
    with Graph(silent) as graph, pytest.raises(ServerUnreachable, match=r"within 0.5 s"):
        graph.read("show_server")


def test_only_kinfolios_own_server_is_to_be_started_with_db_start() -> None:
    for error in (ConnectionRefusedError("x"), ConnectionResetError("x"), TimeoutError("x")):
        assert "kinfolio db start" in str(unreachable(replace(HERE, managed=True), error))
        assert "kinfolio db" not in str(unreachable(HERE, error))


def test_credentials_in_an_address_are_used_and_never_shown() -> None:
    given = Connection(uri="bolt://bob:s3%40cret/@host:1", username="neo4j", password="")
    assert (given.uri, given.username, given.password) == ("bolt://host:1", "bob", "s3@cret/")
    assert replace(given, timeout=1.0).password == "s3@cret/"
    shown = repr(given) + sentence(ConnectionResetError("x"), ServerUnreachable)
    assert "s3" not in shown
    explicit = Connection(uri="bolt://bob:other@host", username="ann", password="mine")
    assert (explicit.username, explicit.password) == ("ann", "mine")


@pytest.mark.parametrize("uri", ["here", "http://here", "bolt://here:port", "bolt://h:1?x=y", ""])
def test_an_invalid_address_is_reported(uri: str) -> None:
    with (
        Graph(replace(HERE, uri=uri)) as graph,
        pytest.raises(BadConfig, match="not an address of a Neo4j server; write it like"),
    ):
        graph.read("show_server")


@pytest.mark.parametrize("error", [BufferError("x"), exceptions.ServiceUnavailable("x")])
def test_an_error_of_the_driver_after_an_interrupt_remains_an_interrupt(error: Exception) -> None:
    error.__context__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), translate_errors(HERE, "load_users"):
        raise error
