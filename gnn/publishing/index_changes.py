"""Statements on a vector index, beside readers."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event, Timer
from uuid import uuid4

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, ServerBusy, ServerError
from kinfolio.records import Slot

TRIES, LOCK_SECONDS, PAUSE_SECONDS = 20, 5.0, 1.0


def change_index(graph: Graph, statement: str, slot: Slot, **parameters: int) -> None:
    """Create or drop the index of a slot.

    The statement waits for the readers of the label, and later readers wait behind it. Under 200
    callers these waits formed a circle with the server's cache of plans, which the server does not
    detect: all stood still for 14 minutes, until the statement was ended by hand. So it is ended
    after some seconds, and tried again.

    Raises:
        ServerBusy: others used the label at each try.
    """
    for left in reversed(range(TRIES)):
        try:
            _change(graph, statement, slot, parameters)
            return
        except ServerBusy:
            if not left:
                raise
            time.sleep(PAUSE_SECONDS)


def _change(graph: Graph, statement: str, slot: Slot, parameters: dict[str, int]) -> None:
    is_ended, token = Event(), uuid4().hex

    def end() -> None:
        # The server applies no time limit of a transaction to changes of the schema.
        is_ended.set()
        with suppress(KinfolioError):
            graph.write("write_back_end", token=token)

    timer = Timer(LOCK_SECONDS, end)
    timer.start()
    try:
        graph.schema(statement, slot=slot, token=token, **parameters)
    except ServerError as error:
        if not is_ended.is_set():
            raise
        raise ServerBusy(
            f"{statement} waited {LOCK_SECONDS:g} s for other programs that use the graph; end "
            "these, and run the command again"
        ) from error
    finally:
        timer.cancel()
