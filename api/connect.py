"""`kinfolio.connect()`: the server of an address, of the environment, or the managed one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kinfolio import environment
from kinfolio.api.client import Kinfolio, Note, log_note
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.records import Connection

__all__ = ["Kinfolio", "TrainConfig", "connect"]


def connect(
    uri: str | None = None,
    *,
    username: str = "neo4j",
    password: str = "",
    database: str | None = None,
    mapping: str | Path | None = None,
    rules: str | Path | None = None,
    on_note: Note = log_note,
) -> Kinfolio:
    """Open a graph; waits for the database are limited by `KINFOLIO_TIMEOUT` (30 seconds).

    Args:
        uri: Bolt address of a Neo4j server. None uses `NEO4J_URI` with its user, password and
            database, or, without that variable, the managed server, which is started if needed.
        username: ignored without `uri`, as are `password` and `database`.
        password: of the user.
        database: None is the server's default database.
        mapping: file with the names of an existing graph; None uses `KINFOLIO_MAPPING`, if set.
        rules: folder of custom eligibility rules; None uses `KINFOLIO_RULES`, if set.
        on_note: called with notes, such as why a list is short; the default logs them.

    Raises:
        ServerUnreachable: nothing answers at the address.
        WrongPassword: the server refuses the user.
        BadConfig: the address or the mapping is not valid.
    """
    from kinfolio.cypher.graph import Graph
    from kinfolio.cypher.mapping.names import read_mapping

    if uri is None:
        connection = environment.configured_connection() or _managed_server(on_note)
    else:
        connection = Connection(uri=uri, username=username, password=password, database=database)
    connection = replace(connection, timeout=environment.timeout())
    mapping = mapping or environment.configured_path("KINFOLIO_MAPPING")
    graph = Graph(connection, None if mapping is None else read_mapping(Path(mapping)))
    try:
        graph.check()
    except BaseException:
        graph.close()
        raise
    rules = rules or environment.configured_path("KINFOLIO_RULES")
    return Kinfolio(graph, rules=None if rules is None else Path(rules), on_note=on_note)


def _managed_server(on_note: Note) -> Connection:
    from kinfolio.cypher.server.server import Server

    return Server(environment.home()).start(on_note)
