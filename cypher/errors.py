"""Translation of the Neo4j driver's errors to kinfolio's own: one sentence with a remedy.

`errors.toml` lists those of the server by code, since GQLSTATUS is coarser: 42001 is a syntax error
and a missing parameter, procedure or database alike.
"""

from __future__ import annotations

import socket
import ssl
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kinfolio import errors
from kinfolio.errors import (
    BadConfig,
    BadInput,
    KinfolioError,
    ServerError,
    ServerUnreachable,
    quoted,
)

if TYPE_CHECKING:
    from neo4j.exceptions import Neo4jError

    from kinfolio.records import Connection

FIRST_CONTACT = "the first contact"


@contextmanager
def translate_errors(connection: Connection, operation: str) -> Iterator[None]:
    """Translate the driver's errors in an operation, such as a statement by its name."""
    try:
        with _translated(connection, operation):
            yield
    except (BufferError, KinfolioError) as error:
        # Interrupted while it filled its buffer, the driver fails to close the session.
        if any(isinstance(cause, KeyboardInterrupt) for cause in _causes(error)):
            raise KeyboardInterrupt from error
        raise


@contextmanager
def _translated(connection: Connection, operation: str) -> Iterator[None]:
    from neo4j import exceptions

    try:
        yield
    except KinfolioError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(
            f"a parameter of {operation} has a type that the database cannot store ({error}); "
            "use numbers below 2^63, texts, booleans, lists or maps"
        ) from error
    except exceptions.Neo4jError as error:
        raise _server_error(error, connection, operation) from error
    except (
        exceptions.ServiceUnavailable,
        exceptions.SessionExpired,
        exceptions.ConnectionAcquisitionTimeoutError,
        OSError,
    ) as error:
        raise unreachable(connection, error, operation) from error
    except exceptions.ConfigurationError as error:
        raise bad_address(connection) from error
    except exceptions.DriverError as error:
        raise ServerError(
            f"the database driver failed in {operation} ({_describe(error)}); run the command again"
        ) from error


def raise_silence(connection: Connection, error: BaseException, operation: str) -> None:
    """Raise the final error if the server was silent for too long: a retry would wait again."""
    if is_silence(error):
        raise unreachable(connection, error, operation) from error


def is_silence(error: BaseException) -> bool:
    """Return whether a wait for the server ended in a time-out."""
    return any(isinstance(cause, _timeouts()) for cause in _causes(error))


def unreachable(
    connection: Connection, error: BaseException, operation: str = FIRST_CONTACT
) -> ServerUnreachable:
    """Return the error for a server that cannot be reached or was lost, by its cause."""
    from neo4j.exceptions import IncompleteCommit

    at, managed = connection.uri, connection.managed
    who = f"kinfolio's own server at {at}" if managed else f"the server at {at}"
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        reason = next(cause for cause in causes if isinstance(cause, ssl.SSLError))
        text = (
            f"no secure connection to {at} ({_describe(reason)}); correct the address: bolt:// "
            "without encryption, bolt+s:// with a certificate that this machine trusts"
        )
    elif any(isinstance(cause, socket.gaierror) for cause in causes):
        text = f"the host of {at} is unknown; correct NEO4J_URI"
    elif any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        text = f"nothing listens at {at}; " + (
            "kinfolio's own server has stopped: type: kinfolio db start"
            if managed
            else "start that server or correct NEO4J_URI"
        )
    elif is_silence(error):
        is_first = operation == FIRST_CONTACT
        silence = f"does not answer within {connection.timeout:g} s"
        text = f"{who} {silence if is_first else f'stopped answering in {operation}'}; " + (
            "wait until it is less busy, or type: kinfolio db stop and kinfolio db start"
            if managed
            else "check the server and the network, or allow more time with --timeout"
        )
    elif any(isinstance(cause, IncompleteCommit) for cause in causes):
        text = (
            f"the connection to {at} was cut while {operation} was committed, so whether it is in "
            "the graph is unknown; run the command again, which writes only what is missing"
        )
    elif "looks like HTTP" in str(error) or "correct port number" in str(error):
        text = (
            f"the program at {at} does not speak Bolt ({_describe(error)}); "
            "correct the port in NEO4J_URI, for Neo4j usually 7687"
        )
    else:
        text = (
            f"the connection to {at} was cut in {operation}; "
            + (
                "if kinfolio's own server has stopped, type: kinfolio db start"
                if managed
                else "check the server and the network"
            )
            + "; run the command again"
        )
    return ServerUnreachable(text)


def _timeouts() -> tuple[type[BaseException], ...]:
    from neo4j._exceptions import SocketDeadlineExceededError
    from neo4j.exceptions import ConnectionAcquisitionTimeoutError

    return TimeoutError, SocketDeadlineExceededError, ConnectionAcquisitionTimeoutError


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):  # of the routers of a cluster
            for each in error.exceptions:
                yield from _causes(each)
        error = error.__cause__ or error.__context__


def bad_address(connection: Connection) -> BadConfig:
    """Return the error for an invalid address."""
    return BadConfig(
        f"NEO4J_URI is {quoted(connection.uri)}, which is not an address of a Neo4j server; "
        "write it like bolt://127.0.0.1:7687 or neo4j+s://host:7687"
    )


def _server_error(error: Neo4jError, connection: Connection, operation: str) -> KinfolioError:
    code = error.code or ""
    text = error.message or str(error)
    cause = error.__cause__  # often the only one with the reason
    while cause is not None:
        text += f" {cause}"
        cause = cause.__cause__
    for case in _cases():
        if any(part in code for part in case.get("codes", ())) or any(
            words in text.lower() for words in case.get("words", ())
        ):
            kind: type[KinfolioError] = getattr(errors, case["kind"])
            return kind(
                case["text"].format(
                    operation=operation,
                    reason=_first_line(text),
                    detail=_first_line(text.split("\n", 1)[-1]),
                    uri=connection.uri,
                    username=connection.username,
                    database=connection.database,
                )
            )
    detail = f"{code}: {_first_line(error.message or '')}" if code else _describe(error)
    if error.is_retryable():
        return ServerError(
            f"the database gave up on {operation} after several tries ({detail}); "
            "wait until it is less busy and run the command again"
        )
    return ServerError(f"the database refused {operation} ({detail}); see its log for more")


@cache
def _cases() -> list[dict[str, Any]]:
    # Any: texts and lists of texts.
    text = files("kinfolio.cypher").joinpath("errors.toml").read_text("utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["case"]
    return found


def _first_line(text: str) -> str:
    return " ".join(text.split("\n")[0].split())[:200].rstrip(".")


def _describe(error: BaseException) -> str:
    return _first_line(str(error)) or type(error).__name__
