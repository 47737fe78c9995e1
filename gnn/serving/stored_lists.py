"""Lists of all users in the graph, as `RECOMMENDED` relationships: whole or not there.

New lists are stored beside the old ones under a mark of their own. The property `lists` of the
version names the mark that readers use; it is switched in one transaction when all are stored.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Self
from uuid import uuid4

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, NotReady, if_interrupted

SILENCE_SECONDS = 300
"""Time without a stored page after which a writer of lists counts as cut off."""


class ListWriter:
    """Stores the lists of one version, page by page."""

    def __init__(self, graph: Graph, version: str | None) -> None:
        """Announce the lists.

        Raises:
            NotReady: no version is active.
        """
        if version is None:
            raise NotReady(
                "no embeddings are in the graph yet, so there is no version for lists to be of; "
                "type: kinfolio writeback"
            )
        self._graph = graph
        self._lists: dict[str, Any] = {"version": version, "mark": uuid4().hex}
        self._write("recommend_begin_lists")

    def store(self, rows: list[dict[str, Any]]) -> None:
        """Store lists: `user`, `products` and `scores` of each.

        Raises:
            NotReady: another version was activated, or another writer of lists began.
        """
        self._write("recommend_store_lists", rows=rows)

    def finish(self) -> None:
        """Make the lists the current ones, then remove all others.

        Raises:
            NotReady: see `store`.
        """
        self._write("recommend_finish_lists")
        with if_interrupted(
            "the new lists in the graph are complete; what is left of the old ones is removed by "
            "the next kinfolio recommend --all --materialise"
        ):
            remove_old_lists(self._graph)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            # If the process or the server dies instead, its silence tells.
            with suppress(KinfolioError):
                self._graph.write("recommend_release_lists", mark=self._lists["mark"])

    def _write(self, name: str, **parameters: Any) -> None:
        rows = self._graph.write(name, **self._lists, **parameters)
        if not rows or rows[0].get("users") == 0:
            raise NotReady(
                "the lists in the graph were not replaced: another version was activated, or "
                "another recommend --all --materialise began; run the command again"
            )


def count_old_lists(graph: Graph) -> int:
    """Return the number of relationships of lists that readers do not use and nobody writes."""
    return int(graph.read("recommend_old_lists", silence=SILENCE_SECONDS)[0]["relationships"])


def remove_old_lists(graph: Graph) -> int:
    """Remove lists that readers do not use; return the number of relationships."""
    found = graph.read("recommend_old_lists", silence=SILENCE_SECONDS)[0]
    if found["marks"]:
        graph.write("recommend_end_lists", marks=found["marks"])
        graph.schema("recommend_remove_lists", marks=found["marks"])
    return int(found["relationships"])
