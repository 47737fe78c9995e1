"""Where conversations are stored: in a SQLite file, or in the graph's own database by an extra."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.sqlite import SqliteSaver

from kinfolio.errors import NotReady
from kinfolio.os_errors import os_errors
from kinfolio.records import Connection

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver

FOLDER = "chat"
"""In the home."""
FILE_NAME = "conversations.sqlite"
_TIMEOUT_SECONDS = 10.0
_PRUNE = """
DELETE FROM {table} WHERE thread_id = :thread AND checkpoint_ns = :space AND checkpoint_id NOT IN (
  SELECT checkpoint_id FROM checkpoints WHERE thread_id = :thread AND checkpoint_ns = :space
  ORDER BY checkpoint_id DESC LIMIT 2
)
"""
"""Keeps the last checkpoint, and the one that a step in progress started from."""

_PREPARE = """
PRAGMA secure_delete = ON;
DROP TABLE IF EXISTS kept;
DROP TABLE IF EXISTS pending;
"""
"""Deleted conversations are overwritten; the tables are of a former format that nothing reads."""


class _PruningSaver(SqliteSaver):
    """A SqliteSaver that deletes the old checkpoints of a thread and translates errors of its file.

    A conversation resumes from its last checkpoint; older ones are personal data without a use.
    """

    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        super().__init__(connection)
        self._file = file

    # Any: the arguments of `SqliteSaver.put`.
    def put(self, *arguments: Any, **named: Any) -> RunnableConfig:
        """Save a checkpoint and delete those before the last two."""
        saved = super().put(*arguments, **named)
        thread = saved["configurable"]
        parameters = {"thread": thread["thread_id"], "space": thread["checkpoint_ns"]}
        with self.cursor() as cursor:
            for table in ("checkpoints", "writes"):
                cursor.execute(_PRUNE.format(table=table), parameters)
        return saved

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """Open a cursor, as every method of the base class does."""
        with _file_errors(self._file), super().cursor(transaction) as cursor:
            yield cursor


@contextmanager
def open_file(folder: Path) -> Iterator[BaseCheckpointSaver[Any]]:
    """Open or create the file of a folder, readable by its owner only.

    Raises:
        FileError: the file cannot be used, or is no SQLite database.
    """
    file = folder / FILE_NAME
    with _file_errors(file):
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        opened = sqlite3.connect(file, timeout=_TIMEOUT_SECONDS, check_same_thread=False)
    with closing(opened) as connection:
        saver = _PruningSaver(connection, file)
        with _file_errors(file):
            connection.executescript(_PREPARE)
            saver.setup()
        yield saver


def _file_errors(file: Path) -> AbstractContextManager[None]:
    return os_errors(file, cure="set KINFOLIO_HOME to another folder")


@contextmanager
def open_neo4j(connection: Connection) -> Iterator[BaseCheckpointSaver[Any]]:
    """Open `Neo4jSaver` of langchain-neo4j in the database itself; it adds labels of its own.

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
    # Any: the package is optional, so its types may be missing.
    opened: Any = Neo4jSaver.from_conn_string(
        uri=connection.uri,
        user=connection.username,
        password=connection.password,
        **({"database": connection.database} if connection.database else {}),
    )
    with opened as saver:
        saver.setup()
        yield saver
