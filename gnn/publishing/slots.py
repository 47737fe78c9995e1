"""The two slots of vectors in the graph: who may write into one, and how it is emptied.

A slot belongs to its one `:EmbeddingVersion` node. Whoever fills or empties it writes a token on
that node, and every batch asks for the token, so a writer that was taken over changes nothing any
more. A writer that died is known by its process on the same machine, or by a beat that stopped.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import psutil

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, NotReady
from kinfolio.records import Slot

PAGE_NODES = 50_000
CLEAR_NODES = 5_000
_CLEAR = {"users": "write_back_clear_users", "products": "write_back_clear_products"}
_PAGE = {"users": "write_back_users_page", "products": "write_back_products_page"}
SILENCE_SECONDS = 60
"""A writer on another machine that was silent for as long is taken for dead."""
CLOCK_SLACK_SECONDS = 2.0

NodeKind = Literal["users", "products"]


@dataclass(frozen=True, slots=True)
class Writer:
    """The right to change one slot that does not serve."""

    slot: Slot
    token: str

    def lost(self) -> NotReady:
        """What is said when somebody else took the slot over."""
        return NotReady(
            f"slot {self.slot} was taken over by another write-back while this one was writing; "
            "nothing was made active; type: kinfolio versions"
        )


@contextmanager
def taken(
    graph: Graph, slot: Slot, found: dict[str, Any] | None, version: dict[str, Any]
) -> Iterator[Writer]:
    """The right to change a slot for as long as the block lasts.

    Args:
        graph: the database.
        slot: one that does not serve.
        found: properties of the version that is in it, None when it is empty.
        version: properties of the version that will be in it.

    Raises:
        NotReady: somebody else is writing into it.
    """
    if found is not None and _is_being_written(found):
        raise _busy(slot)
    writer = Writer(slot, uuid4().hex)
    owner = {
        "host": platform.node(),
        "pid": os.getpid(),
        "process_start": psutil.Process().create_time(),
    }
    rows = graph.write(
        "write_back_begin",
        into=slot,
        replaces=None if found is None else found["name"],
        replaced_writer="" if found is None else found.get("writer", ""),
        version={**version, **owner},
        writer=writer.token,
    )
    if not rows:
        raise _busy(slot)
    try:
        yield writer
    except BaseException:
        # Not when the process or the server dies: then the next writer sees that it did.
        with suppress(KinfolioError):
            graph.write("write_back_release", writer=writer.token)
        raise


def clear(graph: Graph, writer: Writer, kind: NodeKind, gids: Sequence[int]) -> None:
    """Take everything of the writer's slot off some nodes."""
    for batch in _batched(gids, CLEAR_NODES):
        rows = graph.write(_CLEAR[kind], slot=writer.slot, rows=batch, writer=writer.token)
        if rows[0]["cleared"] == 0:
            keep_hold(graph, writer)


def keep_hold(graph: Graph, writer: Writer) -> None:
    """Show that the writer is alive.

    Raises:
        NotReady: somebody else took the slot over.
    """
    if not graph.write("write_back_heartbeat", writer=writer.token):
        raise writer.lost()


def nodes_there(
    graph: Graph, slot: Slot, kind: NodeKind
) -> Iterator[tuple[int, str, bool, list[Any]]]:
    """Every node of a kind by gid: gid, id, whether it carries something of the slot, countries."""
    after = -1
    while True:
        page = graph.read(_PAGE[kind], slot=slot, after=after, size=PAGE_NODES)[0]
        countries = page.get("countries") or [[]] * len(page["gids"])
        yield from zip(page["gids"], page["ids"], page["is_filled"], countries, strict=True)
        if len(page["gids"]) < PAGE_NODES:
            return
        after = page["gids"][-1]


def _is_being_written(version: dict[str, Any]) -> bool:
    if version.get("state") != "writing" or version.get("beat", 0) == 0:
        return False
    if version.get("host") == platform.node():
        try:
            process = psutil.Process(version["pid"])
            drift = abs(process.create_time() - version["process_start"])
            if drift > CLOCK_SLACK_SECONDS or process.status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            return False
    return bool(version["silent_seconds"] < SILENCE_SECONDS)


def _busy(slot: Slot) -> NotReady:
    return NotReady(
        f"another write-back is filling slot {slot} now; wait until it is done "
        f"(or, if it was cut off on another machine, {SILENCE_SECONDS} seconds) and try again"
    )


def _batched(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
