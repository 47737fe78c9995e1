"""The graph: reads, writes and schema changes by statement name, in managed transactions.

The only module that runs statements through the Neo4j driver, whose errors `errors.py` translates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from threading import Timer
from typing import TYPE_CHECKING, Any, LiteralString, Self, TypeVar

from kinfolio.cypher.driver import connected_driver
from kinfolio.cypher.errors import FIRST_CONTACT, raise_silence, translate_errors
from kinfolio.cypher.mapping.display_names import PathNames
from kinfolio.cypher.mapping.names import Mapping
from kinfolio.cypher.queries import query, with_conditions
from kinfolio.errors import BadInput, KinfolioError
from kinfolio.records import Connection, Slot
from kinfolio.telemetry.spans import span

if TYPE_CHECKING:
    from neo4j import Driver, ManagedTransaction, Result, Session, Transaction

    QueryRunner = ManagedTransaction | Transaction | Session

_T = TypeVar("_T")

Rows = list[dict[str, Any]]
"""Any: a value that a statement returns, such as a number, a text, a list or a map."""
_LOCK_SECONDS = 1.0
Source = Callable[[str, Slot, Mapping | None], LiteralString]
"""Returns the text of a statement by name, slot and mapping."""


class Reads:
    """Reads in one transaction."""

    def __init__(self, run: Callable[[str, Slot, dict[str, Any]], Rows]) -> None:
        self._run = run

    def read(self, name: str, /, *, slot: Slot = "a", **parameters: Any) -> Rows:
        """Return the rows of one statement."""
        return self._run(name, slot, parameters)


class Graph:
    """One database behind one driver, as a context manager.

    Parameters may be numbers, texts, booleans, None, lists, maps, and numpy numbers and arrays.
    `mapping` has the names of a graph that does not use the standard ones.
    """

    def __init__(
        self, connection: Connection, mapping: Mapping | None = None, *, source: Source = query
    ) -> None:
        self.connection = connection
        self.mapping = mapping
        self._source = source
        self._driver: Driver | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def check(self) -> str:
        """Log in and return the server's name and version, like `Neo4j/2026.08.1`.

        Raises:
            ServerUnreachable: no server answers.
            WrongPassword: the server refuses the user.
        """
        with self._guard(FIRST_CONTACT):
            return self._open().get_server_info().agent

    @property
    def names(self) -> PathNames:
        """Names of labels and types in paths of explanations."""
        return PathNames(self.mapping)

    @property
    def server(self) -> str:
        """Name, version and edition of the server, like `Neo4j/2026.08.1 community`."""
        version, edition = self.version_and_edition()
        return f"Neo4j/{version} {edition}"

    def version_and_edition(self) -> tuple[str, str]:
        """Return version and edition of the server."""
        row = self.read("show_server")[0]
        return str(row["version"]), str(row["edition"])

    def read(
        self, name: str, /, *, slot: Slot = "a", conditions: tuple[str, ...] = (), **parameters: Any
    ) -> Rows:
        """Return the rows of a reading statement, in a transaction that may be retried.

        `conditions` are custom rules, for a statement with `// own rules`.
        """
        from neo4j.exceptions import IncompleteCommit

        text = with_conditions(self._source(name, slot, self.mapping), conditions)
        attempt = self._attempt(name, text, parameters)
        rows: Rows = []

        def read_all(tx: ManagedTransaction) -> None:
            rows[:] = attempt(tx)

        with self._guard(name), self._session("READ") as session:
            # All rows are here when the transaction ends: there is nothing that may be lost.
            with suppress(IncompleteCommit):
                session.execute_read(read_all)
            return rows

    def write(self, name: str, /, *, slot: Slot = "a", **parameters: Any) -> Rows:
        """Return the rows of a writing statement, in a transaction that may be retried."""
        text = self._source(name, slot, self.mapping)
        with self._guard(name), self._session("WRITE") as session:
            return session.execute_write(self._attempt(name, text, parameters))

    def write_in_one(self, name: str, work: Callable[[Reads], _T], /) -> _T:
        """Return the result of `work`, whose reads and writes are one transaction.

        `work` is called again if the server's answer was lost, even after a commit: it must read
        the state of the graph and write only the difference.
        """
        with self._guard(name), self._session("WRITE") as session:
            return session.execute_write(lambda tx: work(Reads(partial(self._run, tx))))

    def schema(self, name: str, /, *, slot: Slot = "a", token: str = "", **parameters: Any) -> Rows:
        """Return the rows of a statement on constraints or indexes, which is not retried.

        `token` marks it, so that `write_back_end` can end it.
        """
        from neo4j import Query

        text = self._source(name, slot, self.mapping)
        query = Query(text, metadata={"kinfolio": token})
        with self._guard(name), self._session("WRITE") as session:
            return self._fetch(name, lambda: session.run(query, parameters))

    def bookmark(self) -> frozenset[str]:
        """Return the server's bookmark of the last committed transaction."""
        with self._guard("a read of the last transaction"), self._session("READ") as session:
            session.execute_read(lambda tx: tx.run("RETURN 1").consume())
            return frozenset(session.last_bookmarks().raw_values)

    def run_text(
        self,
        option: str,
        text: str,
        parameters: dict[str, Any] | None = None,
        *,
        seconds: float | None = None,
        limit: int | None = None,
        forbidden: tuple[str, ...] = (),
    ) -> tuple[list[str], list[list[Any]]]:
        """Return the columns and rows of an external statement, planned first and run read-only.

        Args:
            option: origin of the text, for messages.
            text: the statement.
            parameters: its parameters.
            seconds: time limit.
            limit: maximum number of rows.
            forbidden: prefixes of operators that its plan must not contain.

        Raises:
            BadInput: it fails, would write, or exceeds the time limit.
        """
        from neo4j import Query
        from neo4j.exceptions import ClientError, TransientError

        with self._guard(option), self._session("READ") as session:
            try:
                planned = session.run(Query(f"EXPLAIN {text}", timeout=seconds), parameters)
                columns = list(planned.keys())
                summary = planned.consume()
                if summary.query_type != "r":
                    raise BadInput(f"{option} cannot be run: a read-only statement was expected")
                for operator in _operators(summary.plan):
                    if operator.startswith(forbidden):
                        raise BadInput(f"{option} cannot be run: its plan contains {operator}")
                result = session.run(Query(text, timeout=seconds), parameters)
                return columns, [list(record.values()) for record in islice(result, limit)]
            except (ClientError, TransientError) as error:
                reason = (error.message or str(error)).splitlines()[0]
                raise BadInput(f"{option} cannot be run: {reason}") from error

    @contextmanager
    def snapshot_reads(self) -> Iterator[Reads]:
        """Open one transaction for the reads of an export."""
        with self._guard("the export"):
            session = self._session("READ")
            tx = session.begin_transaction()

        def run(name: str, slot: Slot, parameters: dict[str, Any]) -> Rows:
            with self._guard(name):
                return self._run(tx, name, slot, parameters)

        # Not inside the guard: an OSError of the caller's block is not the server's.
        try:
            yield Reads(run)
        finally:
            with self._guard("the export"):
                tx.close()
                session.close()

    @contextmanager
    def hold(self, name: str, /, *, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the locks of a writing statement, which is never committed, during the block.

        `on_wait` is called if another one holds them for more than a second. The server releases
        them when the block or this process ends.
        """
        with self._guard(name):
            session = self._session("WRITE")
            tx = session.begin_transaction()
        timer = Timer(_LOCK_SECONDS, on_wait)
        timer.start()
        try:
            with self._guard(name):
                self._run(tx, name, "a", {})
            timer.cancel()
            yield
        finally:
            timer.cancel()
            with suppress(KinfolioError), self._guard(name):  # the connection may be gone
                tx.close()
                session.close()

    def _run(self, tx: QueryRunner, name: str, slot: Slot, parameters: dict[str, Any]) -> Rows:
        return self._attempt(name, self._source(name, slot, self.mapping), parameters)(tx)

    def _attempt(
        self, name: str, text: LiteralString, parameters: dict[str, Any]
    ) -> Callable[[QueryRunner], Rows]:
        return lambda tx: self._fetch(name, lambda: tx.run(text, parameters))

    def _fetch(self, name: str, run: Callable[[], Result]) -> Rows:
        from neo4j.exceptions import DriverError

        try:
            return _rows(run())
        except DriverError as error:
            # As an error of the driver it would be retried, with the same wait again.
            raise_silence(self.connection, error, name)
            raise

    @contextmanager
    def _guard(self, name: str) -> Iterator[None]:
        with span(name, **{"db.system.name": "neo4j"}), translate_errors(self.connection, name):
            yield

    def _session(self, mode: str) -> Session:
        return self._open().session(database=self.connection.database, default_access_mode=mode)

    def _open(self) -> Driver:
        if self._driver is None:
            self._driver = connected_driver(self.connection)
        return self._driver


def pages(reader: Graph | Reads, name: str, at_once: int) -> Iterator[dict[str, Any]]:
    """Yield the records of a statement that returns columns for the next ids after `$after`."""
    after = ""
    while True:
        page = reader.read(name, after=after, at_once=at_once)[0]
        if not page["ids"]:
            return
        yield page
        after = page["ids"][-1]


def _rows(result: Any) -> Rows:
    # `result.data()` copies every list, which takes longer than fetching the columns.
    keys = result.keys()
    return [dict(zip(keys, record.values(), strict=True)) for record in result]


def _operators(plan: Any) -> list[str]:
    # Any: the driver returns a plan as nested dictionaries, or None.
    if plan is None:
        return []
    children = [name for child in plan.get("children", ()) for name in _operators(child)]
    return [str(plan["operatorType"]), *children]
