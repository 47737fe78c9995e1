"""Conversations in a file of SQLite: a LangGraph checkpointer that keeps where each thread ended.

A conversation goes on from its end, so older checkpoints of a thread are dropped as new ones come:
the file stays small, and what was said long ago is not kept. Needs nothing but the standard
library; any other checkpointer may be handed to `Chat` in its place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)

from kinfolio.errors import BadInput

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

_TABLES = """
CREATE TABLE IF NOT EXISTS kept (
  thread TEXT, space TEXT, id TEXT, parent TEXT,
  kind TEXT, checkpoint BLOB, metadata_kind TEXT, metadata BLOB,
  PRIMARY KEY (thread, space, id)
);
CREATE TABLE IF NOT EXISTS pending (
  thread TEXT, space TEXT, id TEXT, task TEXT, place INTEGER, channel TEXT, kind TEXT, value BLOB,
  PRIMARY KEY (thread, space, id, task, place)
);
"""
_KEPT = 2
"""Checkpoints of a thread: the last, and the one that a step in progress started from."""
_WAIT_SECONDS = 10.0


Pending = list[tuple[str, str, Any]]
"""Task, channel and value of what a step wrote. Any: values of channels."""


class SqliteThreads(BaseCheckpointSaver[str]):
    """Threads in one file, which several processes may use."""

    def __init__(self, file: Path) -> None:
        """Open or make the file, readable by its owner only.

        Raises:
            BadInput: it is no such file.
        """
        super().__init__()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        self._lock = RLock()
        self._file = sqlite3.connect(file, timeout=_WAIT_SECONDS, check_same_thread=False)
        try:
            self._file.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            self._file.close()
            raise BadInput(
                f"{file} cannot be read as conversations ({error}); move it away to begin anew"
            ) from error

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The last checkpoint of a thread, or the one that is named."""
        return next(self.list(config, limit=1), None)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints of one thread or of all, the newest first."""
        where, values = ["1 = 1"], []
        if config is not None:
            named = config["configurable"]
            where += ["thread = ?", "space = ?"]
            values += [named["thread_id"], named.get("checkpoint_ns", "")]
            if (wanted := get_checkpoint_id(config)) is not None:
                where.append("id = ?")
                values.append(wanted)
        if before is not None and (earlier := get_checkpoint_id(before)) is not None:
            where.append("id < ?")
            values.append(earlier)
        with self._lock:
            rows = self._file.execute(
                "SELECT thread, space, id, parent, kind, checkpoint, metadata_kind, metadata "
                f"FROM kept WHERE {' AND '.join(where)} ORDER BY id DESC",
                values,
            ).fetchall()
        given = 0
        for thread, space, one, parent, kind, checkpoint, metadata_kind, metadata in rows:
            about: CheckpointMetadata = self.serde.loads_typed((metadata_kind, metadata))
            if filter and any(about.get(key) != value for key, value in filter.items()):
                continue
            if limit is not None and given >= limit:
                return
            given += 1
            yield CheckpointTuple(
                config=_config(thread, space, one),
                checkpoint=self.serde.loads_typed((kind, checkpoint)),
                metadata=about,
                parent_config=_config(thread, space, parent) if parent else None,
                pending_writes=self._pending(thread, space, one),
            )

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Keep a checkpoint and drop those of the thread that nothing leads to any more."""
        named = config["configurable"]
        thread, space = named["thread_id"], named.get("checkpoint_ns", "")
        content, about = self.serde.dumps_typed(checkpoint), self.serde.dumps_typed(metadata)
        row = (thread, space, checkpoint["id"], get_checkpoint_id(config), *content, *about)
        with self._lock, self._file:
            self._file.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            for table in ("kept", "pending"):
                self._file.execute(
                    f"DELETE FROM {table} WHERE thread = ? AND space = ? AND id NOT IN (SELECT id "
                    "FROM kept WHERE thread = ? AND space = ? ORDER BY id DESC LIMIT ?)",
                    (thread, space, thread, space, _KEPT),
                )
        return _config(thread, space, checkpoint["id"])

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Keep what a step wrote before its checkpoint was made."""
        named = config["configurable"]
        head = (named["thread_id"], named.get("checkpoint_ns", ""), named["checkpoint_id"], task_id)
        rows = [
            (*head, WRITES_IDX_MAP.get(channel, place), channel, *self.serde.dumps_typed(value))
            for place, (channel, value) in enumerate(writes)
        ]
        with self._lock, self._file:
            self._file.executemany(
                "INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )

    def delete_thread(self, thread_id: str) -> None:
        """Forget a thread."""
        with self._lock, self._file:
            for table in ("kept", "pending"):
                self._file.execute(f"DELETE FROM {table} WHERE thread = ?", (thread_id,))

    def _pending(self, thread: str, space: str, one: str) -> Pending:
        with self._lock:
            rows = self._file.execute(
                "SELECT task, channel, kind, value FROM pending "
                "WHERE thread = ? AND space = ? AND id = ? ORDER BY task, place",
                (thread, space, one),
            ).fetchall()
        return [
            (task, name, self.serde.loads_typed((kind, value))) for task, name, kind, value in rows
        ]


def _config(thread: str, space: str, one: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": space, "checkpoint_id": one}}
