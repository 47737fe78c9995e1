"""Errors of the Neo4j driver as kinfolio's own: one sentence that says what to do.

Codes distinguish them, since GQLSTATUS is coarser: 42001 is a syntax error and a missing
parameter, procedure or database alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kinfolio.errors import (
    BadConfig,
    BadInput,
    KinfolioError,
    NotReady,
    ServerError,
    ServerUnreachable,
    WrongPassword,
)

if TYPE_CHECKING:
    from neo4j.exceptions import Neo4jError

    from kinfolio.records import Connection


@contextmanager
def translated(connection: Connection, doing: str) -> Iterator[None]:
    """Translate the driver's errors; `doing` names the statement."""
    from neo4j import exceptions

    try:
        yield
    except exceptions.Neo4jError as error:
        raise _of_server(error, connection, doing) from error
    except (
        exceptions.ServiceUnavailable,
        exceptions.SessionExpired,
        exceptions.ConnectionAcquisitionTimeoutError,
        OSError,
    ) as error:
        raise unreachable(connection, error) from error
    except exceptions.ConfigurationError as error:
        raise bad_address(connection) from error
    except exceptions.DriverError as error:
        raise ServerError(
            f"the database driver failed in {doing} ({_brief(error)}); run the command again"
        ) from error


def unreachable(connection: Connection, error: BaseException | None = None) -> ServerUnreachable:
    """Return the error for an address where no server answers."""
    why = f" ({_brief(error)})" if error is not None and "handshake" in str(error) else ""
    return ServerUnreachable(
        f"no Neo4j answers at {connection.uri}{why}; "
        "type: kinfolio db start, or correct NEO4J_URI if the server is your own"
    )


def bad_address(connection: Connection) -> BadConfig:
    """Return the error for an invalid address."""
    return BadConfig(
        f"NEO4J_URI is {connection.uri!r}, which is no address of a Neo4j server; "
        "write it like bolt://127.0.0.1:7687 or neo4j+s://host:7687"
    )


def _of_server(error: Neo4jError, connection: Connection, doing: str) -> KinfolioError:
    code = error.code or ""
    text = error.message or str(error)
    # The reason of a failure is often only in its causes.
    cause = error.__cause__
    while cause is not None:
        text += f" {cause}"
        cause = cause.__cause__
    for translate in (_access, _resources, _schema, _statement):
        found = translate(code, text, connection, doing)
        if found is not None:
            return found
    if error.is_retryable():
        return ServerError(
            f"the database gave up on {doing} after several tries ({_short(error)}); "
            "wait until it is less busy and run the command again"
        )
    return ServerError(f"the database refused {doing} ({_short(error)}); see its log for more")


def _access(code: str, text: str, connection: Connection, doing: str) -> KinfolioError | None:
    if code.endswith("Security.AuthenticationRateLimit"):
        return WrongPassword(
            f"{connection.uri} has refused too many wrong passwords in a row; "
            "correct NEO4J_PASSWORD and try again in a few seconds"
        )
    if code.startswith("Neo.ClientError.Security.") and not code.endswith("Forbidden"):
        return WrongPassword(
            f"{connection.uri} refused the password of user {connection.username!r}; "
            "correct NEO4J_USERNAME and NEO4J_PASSWORD"
        )
    if code.endswith("Security.Forbidden"):
        return WrongPassword(
            f"user {connection.username!r} may not run {doing} on {connection.uri}; "
            "grant the right or enter as another user in NEO4J_USERNAME"
        )
    if code.endswith("Database.DatabaseNotFound"):
        return NotReady(
            f"{connection.uri} has no database {connection.database!r}; correct NEO4J_DATABASE"
        )
    if code.endswith(("Database.DatabaseUnavailable", "General.DatabaseUnavailable")):
        return ServerUnreachable(
            f"the server at {connection.uri} answers but its database cannot be used; "
            "look into its log, then type: kinfolio db stop and kinfolio db start"
        )
    return None


def _resources(code: str, text: str, connection: Connection, doing: str) -> KinfolioError | None:
    if "No space left on device" in text or "disk is full" in text.lower():
        return ServerError(
            f"the disk of the database is full, so {doing} was not stored; "
            "free some space and run the command again"
        )
    # With a full disk the transaction log cannot grow, and later no transaction starts.
    if code.endswith(("Transaction.TransactionLogError", "Transaction.TransactionStartFailed")):
        return ServerError(
            f"the database could not store {doing} and accepts no more changes, most often because "
            "its disk is full; free some space, then type: kinfolio db stop and kinfolio db start"
        )
    if "OutOfMemory" in code or "MemoryPool" in code or "Java heap space" in text:
        return ServerError(
            f"the database ran out of memory in {doing}; "
            "use smaller batches, or give the server more memory and run the command again"
        )
    return None


def _schema(code: str, text: str, connection: Connection, doing: str) -> KinfolioError | None:
    lowered = text.lower()
    if code.endswith("Schema.IndexNotFound") or "no such vector schema index" in lowered:
        return NotReady(
            f"the index that {doing} needs is not in the graph; "
            "type: kinfolio writeback, which creates it"
        )
    if code.endswith(("Schema.ConstraintValidationFailed", "Schema.ConstraintCreationFailed")):
        nodes = text.split("\n", 1)[-1]  # the second line, where there is one
        return BadInput(
            f"{doing} would break a constraint of the graph ({_first(nodes)}); "
            "remove the duplicate and run the command again"
        )
    if code.endswith("Procedure.ProcedureNotFound"):
        return ServerError(
            f"the server at {connection.uri} lacks a procedure that {doing} needs "
            f"({_first(text)}); use Neo4j 2026.08 or newer"
        )
    return None


def _statement(code: str, text: str, connection: Connection, doing: str) -> KinfolioError | None:
    if code.endswith(("Statement.SyntaxError", "Statement.FeatureDeprecationWarning")):
        return ServerError(
            f"the server at {connection.uri} does not understand {doing} ({_first(text)}); "
            "use Neo4j 2026.08 or newer"
        )
    if code.endswith("Statement.TypeError"):
        return BadInput(
            f"a value in {doing} is nothing the database can store or compute with "
            f"({_first(text)}); use numbers, texts, booleans, or lists of one of these"
        )
    if code.endswith("Statement.ParameterMissing"):
        return ServerError(f"{doing} was called without a parameter it needs ({_first(text)})")
    if code.endswith("Statement.AccessMode"):
        return ServerError(f"{doing} writes, but was run as a read; use Graph.write")
    return None


def _short(error: Neo4jError) -> str:
    return f"{error.code}: {_first(error.message or '')}" if error.code else _brief(error)


def _first(text: str) -> str:
    return " ".join(text.split("\n")[0].split())[:200].rstrip(".")


def _brief(error: BaseException) -> str:
    return _first(str(error)) or type(error).__name__
