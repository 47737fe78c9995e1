"""Open the Neo4j driver."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kinfolio.cypher.errors import bad_address
from kinfolio.records import Connection

if TYPE_CHECKING:
    from neo4j import Driver

# Errors are reported by errors.py; without a handler the driver's log goes to stderr.
logging.getLogger("neo4j").addHandler(logging.NullHandler())

CONNECT_SECONDS = 5.0
RETRY_SECONDS = 15.0


def open_driver(connection: Connection) -> Driver:
    """Return a driver with short timeouts and without notifications.

    Raises:
        BadConfig: the address is not valid.
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


def connected_driver(connection: Connection) -> Driver:
    """Return a driver that has reached the server.

    Without this check, an unreachable server is reported only after all retries.

    Raises:
        BadConfig: the address is not valid.
    """
    driver = open_driver(connection)
    try:
        driver.verify_connectivity()
    except ValueError as error:  # an invalid port or host name
        driver.close()
        raise bad_address(connection) from error
    except BaseException:
        driver.close()
        raise
    return driver
