"""Where conversations are remembered: in a file, or in the graph's own database by an extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinfolio.errors import NotReady
from kinfolio.records import Connection

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver


@contextmanager
def open_memory(folder: Path) -> Iterator[BaseCheckpointSaver[Any]]:
    """Memory in a file of a folder, which outlives the process."""
    from kinfolio.llm_explain.memory.sqlite_checkpointer import SqliteThreads

    threads = SqliteThreads(folder / "conversations.sqlite")
    try:
        yield threads
    finally:
        threads.close()


@contextmanager
def open_memory_in_graph(connection: Connection) -> Iterator[BaseCheckpointSaver[Any]]:
    """Memory in the database itself, by `Neo4jSaver` of langchain-neo4j; it adds labels of its own.

    Raises:
        NotReady: the package is missing.
    """
    try:
        from langchain_neo4j import Neo4jSaver
    except ImportError as error:
        raise NotReady(
            "conversations in the database need a package; "
            "type: pip install 'kinfolio[neo4j-memory]'"
        ) from error
    # Any: the package ships types that this one cannot rely on being there.
    opened: Any = Neo4jSaver.from_conn_string(
        uri=connection.uri,
        user=connection.username,
        password=connection.password,
        **({"database": connection.database} if connection.database else {}),
    )
    with opened as saver:
        saver.setup()
        yield saver
