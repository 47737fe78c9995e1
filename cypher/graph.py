"""The graph: reads, writes and schema changes by statement name, in managed transactions.

The only module that runs statements through the Neo4j driver; what the driver raises leaves here
as one of kinfolio's own errors (see `translation.py`). Knows nothing of files, models or texts.
"""

from __future__ import annotations

import logging
from collections import abc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from kinfolio.cypher.errors import bad_address, translated
from kinfolio.cypher.mapping.display_names import PathNames
from kinfolio.cypher.mapping.names import Mapping
from kinfolio.cypher.queries import query, with_conditions
from kinfolio.errors import BadInput, KinfolioError
from kinfolio.records import Connection, Slot

if TYPE_CHECKING:
    from neo4j import Driver, ManagedTransaction, Session

# What the driver logs, translation.py says better; without a handler it goes to stderr.
logging.getLogger("neo4j").addHandler(logging.NullHandler())

CONNECT_SECONDS = 5.0
RETRY_SECONDS = 15.0

_T = TypeVar("_T")

Rows = list[dict[str, Any]]
"""Any: a value is whatever a statement returns, a number, a text, a list or a map."""


class Reads:
    """Reads that all see the database inside one transaction."""

    def __init__(self, run: Callable[[str, Slot, dict[str, Any]], Rows]) -> None:
        self._run = run

    def read(self, name: str, /, *, slot: Slot = "a", **parameters: Any) -> Rows:
        """The rows of one statement."""
        return self._run(name, slot, parameters)


class Graph:
    """One database behind one driver; use it in a `with` block.

    Parameters may be numbers, texts, booleans, None, lists, maps, and numpy numbers and arrays.

    Args:
        connection: where it is.
        mapping: what it calls users, products and holdings; None where it has kinfolio's names.
    """

    def __init__(self, connection: Connection, mapping: Mapping | None = None) -> None:
        self.connection = connection
        self.mapping = mapping
        self._driver: Driver | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def check(self) -> str:
        """What the server calls itself, like `Neo4j/2026.08.1`: a login, but no statement.

        Raises:
            ServerUnreachable: nothing answers.
            WrongPassword: it refuses the user.
        """
        with self._guard("the first contact"):
            return self._open().get_server_info().agent

    @property
    def names(self) -> PathNames:
        """What paths call labels and types here."""
        return PathNames(self.mapping)

    @property
    def server(self) -> str:
        """Name, version and edition of the server, like `Neo4j/2026.08.1 community`."""
        version, edition = self.version_and_edition()
        return f"Neo4j/{version} {edition}"

    def version_and_edition(self) -> tuple[str, str]:
        """What the server says it is."""
        row = self.read("show_server")[0]
        return str(row["version"]), str(row["edition"])

    def read(
        self,
        name: str,
        /,
        *,
        slot: Slot = "a",
        conditions: tuple[str, ...] = (),
        **parameters: Any,
    ) -> Rows:
        """The rows of a reading statement, in a transaction that may be tried again.

        Args:
            name: of the statement.
            slot: of the embeddings.
            conditions: own rules, for a statement that has a place for them.
            parameters: its own.
        """
        return self._managed("READ", name, slot, parameters, conditions)

    def write(self, name: str, /, *, slot: Slot = "a", **parameters: Any) -> Rows:
        """The rows of a writing statement, in a transaction that may be tried again."""
        return self._managed("WRITE", name, slot, parameters)

    def write_batches(
        self,
        name: str,
        rows: Iterable[abc.Mapping[str, Any]],
        /,
        size: int = 10_000,
        *,
        slot: Slot = "a",
        **parameters: Any,
    ) -> int:
        """The number of rows handed to a writing statement as `$rows`, a batch a transaction."""
        rows = iter(rows)
        count = 0
        while batch := list(islice(rows, size)):
            self._managed("WRITE", name, slot, {**parameters, "rows": batch})
            count += len(batch)
        return count

    def write_in_one(self, name: str, work: Callable[[Reads], _T], /) -> _T:
        """What `work` returns, whose reads and writes are one transaction.

        It may be called again where the answer was lost, even when everything was committed: it
        reads what is there and writes what is missing.
        """

        def run(tx: ManagedTransaction) -> _T:
            return work(
                Reads(
                    lambda name, slot, parameters: _rows(
                        tx.run(query(name, slot, self.mapping), parameters)
                    )
                )
            )

        with self._guard(name), self._session("WRITE") as session:
            return session.execute_write(run)

    def bookmark(self) -> frozenset[str]:
        """What the server calls the last transaction whose changes are all in the database."""
        with self._guard("a look at the last transaction"), self._session("READ") as session:
            session.execute_read(lambda tx: tx.run("RETURN 1").consume())
            return frozenset(session.last_bookmarks().raw_values)

    def own_rows(self, option: str, text: str, column: str) -> tuple[str, list[Any]]:
        """What a statement of the user's own gives in one column, the first where none is so named.

        It runs where the server refuses to write, and only when the server calls it a reading one.

        Args:
            option: where the text came from, for messages.
            text: the statement.
            column: whose values are wanted.

        Raises:
            BadInput: it cannot be run, writes, or returns nothing.
        """
        from neo4j import Query
        from neo4j.exceptions import ClientError

        with self._guard(option), self._session("READ") as session:
            try:
                plan = session.run(Query(f"EXPLAIN {text}"))
                names = plan.keys()
                if plan.consume().query_type != "r":
                    raise BadInput(f"{option} takes a statement that reads only; this one does not")
                if not names:
                    raise BadInput(f"{option} returns nothing; end it with RETURN and the users")
                name = column if column in names else names[0]
                return name, [record[name] for record in session.run(Query(text))]
            except ClientError as error:
                said = (error.message or str(error)).splitlines()[0]
                raise BadInput(f"{option} cannot be run: {said}") from error

    def limited_rows(
        self,
        option: str,
        text: str,
        parameters: dict[str, Any],
        *,
        seconds: float,
        most: int,
        never: tuple[str, ...] = (),
    ) -> Rows:
        """The first rows of a statement that was written by nobody here, planned before it runs.

        It runs where the server refuses to write, for so many seconds at most.

        Args:
            option: where the text came from, for messages.
            text: the statement; who calls has looked it over.
            parameters: its own.
            seconds: after which the server stops it.
            most: rows to read.
            never: operators that its plan may not have, by the beginnings of their names.

        Raises:
            BadInput: it cannot be run, would write, or took too long.
        """
        from neo4j import Query
        from neo4j.exceptions import ClientError, TransientError

        with self._guard(option), self._session("READ") as session:
            try:
                planned = session.run(Query(f"EXPLAIN {text}", timeout=seconds), parameters)
                summary = planned.consume()
                if summary.query_type != "r":
                    raise BadInput(f"{option} was not run: it does more than read")
                if found := [one for one in _operators(summary.plan) if one.startswith(never)]:
                    raise BadInput(f"{option} was not run: its plan has the step {found[0]}")
                result = session.run(Query(text, timeout=seconds), parameters)
                return [dict(record) for record in islice(result, most)]
            except (ClientError, TransientError) as error:
                said = (error.message or str(error)).splitlines()[0]
                raise BadInput(f"{option} was not run: {said}") from error

    def schema(self, name: str, /, *, slot: Slot = "a", **parameters: Any) -> Rows:
        """The rows of a statement on constraints or indexes, which cannot be tried again."""
        with self._guard(name), self._session("WRITE") as session:
            return _rows(session.run(query(name, slot, self.mapping), parameters))

    @contextmanager
    def snapshot_reads(self) -> Iterator[Reads]:
        """Reads inside one transaction, for an export that is of one piece."""
        with self._guard("the export"):
            session = self._session("READ")
            tx = session.begin_transaction()

        def run(name: str, slot: Slot, parameters: dict[str, Any]) -> Rows:
            with self._guard(name):
                return _rows(tx.run(query(name, slot, self.mapping), parameters))

        # The caller's block is outside the guard: a full disk there is not the server's.
        try:
            yield Reads(run)
        finally:
            with self._guard("the export"):
                tx.close()
                session.close()

    def _managed(
        self,
        mode: str,
        name: str,
        slot: Slot,
        parameters: dict[str, Any],
        conditions: tuple[str, ...] = (),
    ) -> Rows:
        text = with_conditions(query(name, slot, self.mapping), conditions)
        with self._guard(name), self._session(mode) as session:
            run = session.execute_read if mode == "READ" else session.execute_write
            return run(lambda tx: _rows(tx.run(text, parameters)))

    @contextmanager
    def _guard(self, name: str) -> Iterator[None]:
        with translated(self.connection, name), _packable(name):
            yield

    def _session(self, mode: str) -> Session:
        return self._open().session(database=self.connection.database, default_access_mode=mode)

    def _open(self) -> Driver:
        if self._driver is None:
            driver = open_driver(self.connection)
            try:
                # Without this a dead server is only told of when the retries are used up.
                driver.verify_connectivity()
            except ValueError as error:  # a port that is no number, a host that is no name
                driver.close()
                raise bad_address(self.connection) from error
            except BaseException:
                driver.close()
                raise
            self._driver = driver
        return self._driver


def pages(reader: Graph | Reads, name: str, at_once: int) -> Iterator[dict[str, Any]]:
    """The records of a statement that gives columns for the next ids after `$after`."""
    after = ""
    while True:
        page = reader.read(name, after=after, at_once=at_once)[0]
        if not page["ids"]:
            return
        yield page
        after = page["ids"][-1]


def open_driver(connection: Connection) -> Driver:
    """A driver that gives up soon and says nothing on its own.

    Raises:
        BadConfig: the address makes no sense.
    """
    from neo4j import GraphDatabase
    from neo4j.exceptions import ConfigurationError

    if not connection.uri.startswith(("bolt", "neo4j")):  # the driver also tries HTTP
        raise bad_address(connection)
    try:
        return GraphDatabase.driver(
            connection.uri,
            auth=(connection.username, connection.password),
            connection_timeout=CONNECT_SECONDS,
            connection_acquisition_timeout=2 * CONNECT_SECONDS,
            max_transaction_retry_time=RETRY_SECONDS,
            notifications_min_severity="OFF",
            telemetry_disabled=True,
            user_agent="kinfolio",
        )
    except (ConfigurationError, ValueError) as error:
        raise bad_address(connection) from error


def _rows(result: Any) -> Rows:
    # Not `result.data()`: it walks through every list, which for columns of an export costs more
    # than fetching them.
    keys = result.keys()
    return [dict(zip(keys, record.values(), strict=True)) for record in result]


def _operators(plan: Any) -> list[str]:
    # Any: the driver gives a plan as dictionaries in dictionaries, or None.
    if plan is None:
        return []
    below = [name for child in plan.get("children", ()) for name in _operators(child)]
    return [str(plan["operatorType"]), *below]


@contextmanager
def _packable(name: str) -> Iterator[None]:
    """A block in which a parameter that the driver cannot send becomes an error of ours."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, KinfolioError):
            raise
        raise BadInput(
            f"a parameter of {name} is nothing the database can store ({error}); "
            "use numbers below 2^63, texts, booleans, lists or maps"
        ) from error
