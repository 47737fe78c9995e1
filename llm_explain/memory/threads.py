"""Threads of users: the ids of their conversations, and the deletion of all of them."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinfolio.cypher.graph import Graph
from kinfolio.events.log import EventLog
from kinfolio.llm_explain.memory.checkpointers import FILE_NAME, FOLDER, open_file, open_neo4j

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver


def thread_id(user: str, name: str | None) -> str:
    """Return the id of a conversation; a name used by two users is two conversations."""
    return json.dumps([user, name])


def delete_threads(
    checkpointer: BaseCheckpointSaver[Any], graph: Graph, users: Collection[str]
) -> None:
    """Delete the conversations of users from one store."""
    listed = {str(one.config["configurable"]["thread_id"]) for one in checkpointer.list(None)}
    # Neo4jSaver does not list all threads: read them from the graph, too.
    for thread in sorted(
        thread for thread in listed | _in_graph(graph) if _user_of(thread) in users
    ):
        checkpointer.delete_thread(thread)


def forget_users(graph: Graph, users: Collection[str], home: Path) -> None:
    """Delete the conversations and events of users who are about to be removed from the graph.

    Args:
        graph: may contain conversations, too.
        users: their ids.
        home: contains the file of conversations and the event log.

    Raises:
        FileError: a file cannot be used.
        NotReady: the package for conversations in the graph is missing.
    """
    users = set(users)
    if not users:
        return
    if (home / FOLDER / FILE_NAME).exists():
        with open_file(home / FOLDER) as saver:
            delete_threads(saver, graph, users)
    if users & {_user_of(thread) for thread in _in_graph(graph)}:
        with open_neo4j(graph.connection) as saver:
            delete_threads(saver, graph, users)
    EventLog(home).forget(*users)


def _in_graph(graph: Graph) -> set[str]:
    return {row["thread"] for row in graph.read("change_threads")}


def _user_of(thread: str) -> str | None:
    """Return the user of an id made by `thread_id`; None for that of another program."""
    try:
        user, _ = json.loads(thread)
    except (TypeError, ValueError):
        return None
    return user if isinstance(user, str) else None
