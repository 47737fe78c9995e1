"""Where conversations are remembered."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver


@contextmanager
def open_memory(folder: Path) -> Iterator[BaseCheckpointSaver[Any]]:
    """Memory that outlives the process, where langgraph-checkpoint-sqlite is installed.

    Elsewhere a conversation is remembered as long as the process runs.
    """
    from langgraph.checkpoint.memory import InMemorySaver

    if not lasts():
        yield InMemorySaver()
        return
    from langgraph.checkpoint.sqlite import SqliteSaver

    folder.mkdir(parents=True, exist_ok=True)
    with SqliteSaver.from_conn_string(str(folder / "threads.sqlite")) as saver:
        yield saver


def lasts() -> bool:
    """Whether conversations are remembered after the process has ended."""
    return importlib.util.find_spec("langgraph.checkpoint.sqlite") is not None
