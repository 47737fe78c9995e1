"""Open the Neo4j driver."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from kinfolio.cypher.errors import (
    FIRST_CONTACT,
    bad_address,
    is_silence,
    translate_errors,
    unreachable,
)
from kinfolio.errors import BadInput
from kinfolio.records import Connection

if TYPE_CHECKING:
    from neo4j import Driver

# Errors are reported by errors.py; without a handler the driver's log goes to stderr.
logging.getLogger("neo4j").addHandler(logging.NullHandler())

RETRY_SECONDS = 10.0
_SILENCE_HINT = "connection.recv_timeout_seconds"
_UNANNOUNCED_SILENCE_SECONDS = 120.0
"""Of a server that announces no limit: that of the default settings of Neo4j."""


def open_driver(connection: Connection) -> Driver:
    """Return a driver with bounded waits and without notifications.

    Raises:
        BadConfig: the address is not valid.
    """
    from neo4j import GraphDatabase
    from neo4j.exceptions import ConfigurationError

    if not connection.uri.startswith(("bolt", "neo4j")):  # the driver also tries HTTP
        raise bad_address(connection)
    try:
        driver = GraphDatabase.driver(
            connection.uri,
            auth=(connection.username, connection.password),
            connection_timeout=connection.timeout,
            connection_acquisition_timeout=connection.timeout,
            connection_write_timeout=connection.timeout,
            max_transaction_retry_time=RETRY_SECONDS,
            notifications_min_severity="OFF",
            telemetry_disabled=True,
            user_agent="kinfolio",
        )
    except (ConfigurationError, ValueError) as error:
        raise bad_address(connection) from error
    _limit_silence(driver, connection)
    return driver


def connected_driver(connection: Connection) -> Driver:
    """Return a driver that has reached the server.

    Without this check, an unreachable server is reported only after all retries.

    Raises:
        BadConfig: the address is not valid.
        ServerUnreachable: no server answers in time.
    """
    driver = open_driver(connection)
    try:
        with translate_errors(connection, FIRST_CONTACT):
            driver.verify_connectivity()
    except BadInput as error:  # an invalid port or host name
        driver.close()
        raise bad_address(connection) from error
    except BaseException:
        driver.close()
        raise
    return driver


def _limit_silence(driver: Driver, connection: Connection) -> None:
    """Limit the wait for a server that sends nothing on an open connection.

    The driver has no setting for this. A server that works sends a sign of life at intervals, and
    announces after how many seconds without one a connection counts as lost: kinfolio's own after
    5, others by default after 120. A shorter limit would end statements that only take long.
    """
    from neo4j.exceptions import DriverError

    pool: Any = driver._pool  # Any: not part of the driver's interface
    open_connection = pool.opener

    def open_limited(*arguments: Any, **options: Any) -> Any:
        try:
            opened = open_connection(*arguments, **options)
        except (DriverError, OSError, RuntimeError) as error:
            if pool.is_direct_pool and is_silence(error):
                # As an error of the driver it would be retried, with the same wait again.
                raise unreachable(connection, error) from error
            raise
        announced = opened.connection_hints.get(_SILENCE_HINT, _UNANNOUNCED_SILENCE_SECONDS)
        opened.socket.set_read_timeout(max(connection.timeout, announced))
        return opened

    pool.opener = open_limited
