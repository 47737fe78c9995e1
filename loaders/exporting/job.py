"""One export: snapshots in a scratch folder until one is consistent.

How a snapshot is consistent although others write meanwhile: `docs/snapshot.md`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotReady, RunBroken
from kinfolio.loaders.exporting.assembly import Assembly
from kinfolio.loaders.exporting.changes import Changes
from kinfolio.loaders.exporting.graph_reader import GraphReader
from kinfolio.loaders.exporting.sources import Source, Subgraph, WholeGraph, row_counts
from kinfolio.records import Progress
from kinfolio.snapshot import is_undamaged
from kinfolio.storage.manifest import read_manifest

ROUNDS = 5
"""Number of times the graph is read while others write, before the result is accepted."""
OVERLAP_MS = 1_000
"""Time before the watermark that is included, in addition to that of open transactions."""
MAX_CHANGED_SHARE = 0.2
"""Share of changed users above which reading everything is faster."""
COUNTED = ("users", "products", "holdings", "ties", "reviews")
_CLOSING_SECONDS = 5.0
_NUMBERING = {"users": "export_number_users", "products": "export_number_products"}

Consistency = Literal["quiet", "marked", "moving"]


@dataclass(frozen=True, slots=True)
class _Moment:
    """State of the database at one time."""

    bookmark: frozenset[str] | None
    """None: some transaction was being applied all the time."""
    oldest: int
    """Start of the oldest open transaction, in milliseconds by the server's clock."""

    @classmethod
    def now(cls, graph: Graph) -> _Moment:
        # A transaction has no number before it is applied, and its changes become visible one by
        # one while it is: wait until none is being applied.
        deadline = time.monotonic() + _CLOSING_SECONDS
        while True:
            row = graph.read("export_open_transactions")[0]
            oldest = min(row["now"], row["oldest"])
            if not row["closing"]:
                return cls(graph.bookmark(), oldest)
            if time.monotonic() > deadline:
                return cls(None, oldest)
            time.sleep(0.01)

    def is_quiet_until(self, later: _Moment) -> bool:
        """Return whether no transaction was committed in between."""
        return self.bookmark is not None and self.bookmark == later.bookmark


@dataclass(frozen=True, slots=True)
class _Result:
    """A snapshot in the scratch folder."""

    folder: Path
    is_quiet: bool
    """Whether no transaction was committed while it was read."""
    difference: str
    """First table whose rows differ from the graph's; "" if none does."""


class ExportJob:
    """Writes snapshots to a scratch folder, each based on the previous one."""

    def __init__(self, graph: Graph, scratch: Path, progress: Progress) -> None:
        self.graph = graph
        self.progress = progress
        self.notes: list[str] = []
        self._scratch = scratch
        self._num_written = 0
        # In a graph with a mapping, kinfolio does not mark changes.
        self._has_marks = graph.mapping is None

    def whole(self, since: Path | None) -> Path:
        """Return the folder of a snapshot of the whole graph."""
        result = None if since is None else self._since(since)
        if result is None:
            number_new_nodes(self.graph)
            result = self._read_everything()
        for _ in range(ROUNDS - 1):
            if result.is_quiet:
                break
            followed = self._read_changes(result.folder, []) if self._has_marks else None
            result = followed or self._read_everything()
        return result.folder

    def part(self, choose: Callable[[], list[int]], choice: dict[str, Any]) -> Path:
        """Return the folder of a snapshot of some users, their products, ties and reviews."""
        number_new_nodes(self.graph)
        for _ in range(ROUNDS):
            before = _Moment.now(self.graph)
            result = self._assemble(Subgraph(self.graph, choose(), self.progress), before, choice)
            if result.is_quiet:
                break
        return result.folder

    def _since(self, since: Path) -> _Result | None:
        """Return an older snapshot with the changes since; None if a full export is needed."""
        why = self._why_no_changes(since)
        if why:
            self.notes.append(f"everything was read: {why}")
            return None
        with ThreadPoolExecutor(1) as pool:  # while reading, which is mostly waiting
            undamaged = pool.submit(is_undamaged, since)
            try:
                result = self._read_changes(since, self.notes)
            except (pa.ArrowException, IndexError):
                result = None  # a truncated table, or rows out of range
            if not undamaged.result():
                self.notes.append(f"everything was read: the snapshot in {since} is damaged")
                return None
        return result

    def _read_everything(self) -> _Result:
        while True:
            before = _Moment.now(self.graph)
            source = WholeGraph(self.graph, self.progress)
            result = self._assemble(source, before)
            if result.is_quiet or source.is_unchanged():
                return result

    def _read_changes(self, old: Path, notes: list[str]) -> _Result | None:
        """Return an older snapshot with the changes since; None, and a note, if unreliable."""
        manifest = read_manifest(old)
        before = _Moment.now(self.graph)
        changed = self.graph.read("export_changed", since=manifest["watermark"])[0]
        if len(changed["users"]) > max(100, MAX_CHANGED_SHARE * manifest["counts"]["users"]):
            notes.append(
                f"{len(changed['users']):,} users changed since the older snapshot, "
                "so everything was read again"
            )
            return None
        if None in changed["users"] or None in changed["products"]:
            number_new_nodes(self.graph)
            before = _Moment.now(self.graph)
            changed = self.graph.read("export_changed", since=manifest["watermark"])[0]
        source = Changes(old, self.graph, changed["users"], changed["products"])
        result = self._assemble(source, before, is_marked=True)
        if result.difference:
            notes.append(
                f"{result.difference} are other ones than the changes marked in the graph say, so "
                "everything was read again; some program writes without setting `changed`"
            )
            return None
        return result

    def _assemble(
        self,
        source: Source,
        before: _Moment,
        part: dict[str, Any] | None = None,
        *,
        is_marked: bool = False,
    ) -> _Result:
        self._num_written += 1
        folder = self._scratch / str(self._num_written)
        with closing(Assembly(folder)) as assembly:
            assembly.write(source)
            counts = assembly.writer.counts
            difference = "" if part or not self._has_marks else self._difference(counts, source)
            is_quiet = before.is_quiet_until(_Moment.now(self.graph))
            consistency: Consistency = "moving"
            if is_quiet:
                consistency = "marked" if is_marked else "quiet"
            assembly.finish(
                server=self.graph.server,
                consistency=consistency,
                how="changes" if is_marked else "part" if part else "whole",
                watermark=before.oldest - OVERLAP_MS,
                countable=is_quiet and not difference,
                part=part,
            )
        return _Result(folder, is_quiet, difference if is_quiet else "")

    def _difference(self, counts: dict[str, int], source: Source) -> str:
        """Return the first table whose rows differ from the graph's; "" if none does."""
        stored = row_counts(self.graph)
        reader, sums = source.reader, self.graph.read("export_gid_counts")[0]
        for name in COUNTED:
            if counts[name] != stored[name]:
                return name
        for name, rows in (("users", reader.user_rows), ("products", reader.product_rows)):
            # Equal counts of different nodes: one was deleted and one created.
            if int(rows.gids.sum()) != sums[f"{name}_sum"]:
                return name
        return ""

    def _why_no_changes(self, since: Path) -> str:
        """Return why changes cannot be added to an older snapshot; "" if they can be."""
        try:
            manifest = read_manifest(since)
        except (NotReady, RunBroken) as error:
            return str(error)
        if manifest.get("part"):
            raise BadConfig(
                f"{since} holds a part of the graph, to which no changes can be added; "
                "leave --since out"
            )
        if not self._has_marks:
            return "a graph with a mapping does not mark what changes"
        if manifest.get("watermark") is None or manifest.get("server") != self.graph.server:
            return f"{since} was not exported from this server"
        if not manifest.get("countable"):
            return (
                "the graph holds what a snapshot leaves out (two holdings of one pair, a review "
                "without a product), or was changed all the time"
            )
        return ""


def number_new_nodes(graph: Graph) -> None:
    """Give row numbers to users and products that were added by hand."""
    counts, ends = graph.read("export_counts")[0], graph.read("export_gid_counts")[0]
    new = [name for name in ("users", "products") if counts[name] > ends[name]]
    if new:
        GraphReader(graph).refuse_missing_ids()
    for name in new:
        graph.write(_NUMBERING[name], first=ends[f"{name}_end"])
