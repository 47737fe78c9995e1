"""The two slots of vectors in the graph: exclusive write access, and clearing.

A slot belongs to its one `:EmbeddingVersion` node. A writer stores a token on that node, and every
batch checks it, so a writer that was replaced changes nothing. A dead writer is detected by its
process on the same machine, or by a missing heartbeat.
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
from kinfolio.errors import KinfolioError, NotReady, quoted
from kinfolio.gnn.publishing.index_changes import change_index
from kinfolio.records import Slot

PAGE_NODES = 50_000
CLEAR_NODES = 5_000
_CLEAR = {"users": "write_back_clear_users", "products": "write_back_clear_products"}
_PAGE = {"users": "write_back_users_page", "products": "write_back_products_page"}
SILENCE_SECONDS = 60
"""Time without a heartbeat after which a writer on another machine counts as dead."""
CLOCK_SLACK_SECONDS = 2.0

NodeKind = Literal["users", "products"]


@dataclass(frozen=True, slots=True)
class Writer:
    """Exclusive write access to one inactive slot."""

    slot: Slot
    token: str

    def lost(self) -> NotReady:
        """Return the error for a slot that another writer took over."""
        return NotReady(
            f"slot {self.slot} was taken over by another write-back while this one was writing; "
            "no version was activated; type: kinfolio versions"
        )


@contextmanager
def write_access(
    graph: Graph, slot: Slot, found: dict[str, Any] | None, version: dict[str, Any]
) -> Iterator[Writer]:
    """Acquire write access to an inactive slot within a `with` block.

    `found`: properties of the version in the slot, None if it is empty; `version`: those of the new
    version.

    Raises:
        NotReady: another writer is active.
    """
    busy = NotReady(
        f"another write-back is filling slot {slot} now; wait until it is done "
        f"(or, if it was cut off on another machine, {SILENCE_SECONDS} seconds) and try again"
    )
    if found is not None and _is_being_written(found):
        raise busy
    writer = Writer(slot, uuid4().hex)
    owner = {
        "host": platform.node(),
        "pid": os.getpid(),
        "process_start": psutil.Process().create_time(),
    }
    rows = graph.write(
        "write_back_begin",
        into=slot,
        replaces=None if found is None else found.get("name"),
        replaced_writer="" if found is None else found.get("writer", ""),
        version={**version, **owner},
        writer=writer.token,
    )
    if not rows:
        for row in graph.read("version_list"):
            other = row["version"]
            if other.get("slot") == slot and _is_serving(other):
                raise NotReady(
                    f"version {quoted(other.get('name'))} in slot {slot} was activated meanwhile; "
                    "run the command again"
                )
        raise busy
    try:
        yield writer
    except BaseException:
        # If the process or the server dies instead, the next writer detects it.
        with suppress(KinfolioError):
            graph.write("write_back_release", writer=writer.token)
        raise


def clear(graph: Graph, writer: Writer, kind: NodeKind, gids: Sequence[int]) -> None:
    """Remove all properties of the writer's slot from some nodes."""
    for first in range(0, len(gids), CLEAR_NODES):
        batch = list(gids[first : first + CLEAR_NODES])
        rows = graph.write(_CLEAR[kind], slot=writer.slot, rows=batch, writer=writer.token)
        if rows[0]["cleared"] == 0:
            check_ownership(graph, writer)


def clear_orphans(graph: Graph, slot: Slot) -> None:
    """Remove vectors and index of a slot that belongs to no version.

    Raises:
        NotReady: a writer took the slot meanwhile.
    """
    graph.schema("write_back_slots")
    with write_access(graph, slot, None, {"name": f"orphaned {slot}"}) as writer:
        clear_slot(graph, writer)


def clear_slot(graph: Graph, writer: Writer) -> None:
    """Remove everything of the writer's slot, the node of its version last."""
    change_index(graph, "write_back_drop_index", writer.slot)
    kinds: tuple[NodeKind, ...] = ("users", "products")
    for kind in kinds:
        nodes = read_nodes(graph, writer.slot, kind)
        clear(graph, writer, kind, [gid for gid, _, is_filled, _ in nodes if is_filled])
    if not graph.write("version_delete", writer=writer.token):
        raise writer.lost()


def check_ownership(graph: Graph, writer: Writer) -> None:
    """Send a heartbeat.

    Raises:
        NotReady: another writer took the slot over.
    """
    if not graph.write("write_back_heartbeat", writer=writer.token):
        raise writer.lost()


def read_nodes(
    graph: Graph, slot: Slot, kind: NodeKind
) -> Iterator[tuple[int, str, bool, list[Any]]]:
    """Yield gid, id, whether it has properties of the slot, and countries of every node, by gid."""
    after = -1
    while True:
        page = graph.read(_PAGE[kind], slot=slot, after=after, size=PAGE_NODES)[0]
        countries = page.get("countries") or [[]] * len(page["gids"])
        yield from zip(page["gids"], page["ids"], page["is_filled"], countries, strict=True)
        if len(page["gids"]) < PAGE_NODES:
            return
        after = page["gids"][-1]


def _is_serving(version: dict[str, Any]) -> bool:
    return version.get("state") == "active" or version.get("split") is not None


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
