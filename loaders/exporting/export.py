"""The graph as a snapshot in columns: all of it, what changed since an older one, or a part.

Ranges of users are read side by side and written as they come, so memory does not grow with the
graph. How a snapshot is of one piece although others write meanwhile: `docs/snapshot.md`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.errors import BadConfig, NotReady, RunBroken
from kinfolio.loaders.exporting.assembly import Assembly
from kinfolio.loaders.exporting.changes import Changes
from kinfolio.loaders.exporting.chunks import Chunks
from kinfolio.loaders.exporting.pieces import Part, Whole, counted
from kinfolio.loaders.exporting.selection import users_around, users_of_statement
from kinfolio.records import Exported, Progress, Snapshot, no_progress
from kinfolio.snapshot import is_undamaged, read_manifest, read_snapshot
from kinfolio.snapshot_writer import scratch_beside, take_place

ROUNDS = 5
"""Times that the graph is read, when others write meanwhile, before that is accepted."""
OVERLAP_MS = 1_000
"""What is read again for safety, beside what transactions changed that were open at the time."""
MOST_CHANGED = 0.2
"""Above this part of the users, reading everything is quicker."""
_CLOSING_SECONDS = 5.0
_NUMBERING = {"users": "export_number_users", "products": "export_number_products"}
_COUNTED = ("users", "products", "holdings", "ties", "reviews")

Consistency = Literal["quiet", "marked", "moving"]


def export(
    graph: Graph,
    folder: Path,
    *,
    progress: Progress = no_progress,
    since: Path | None = None,
    subgraph: str | None = None,
    around: str | None = None,
    hops: int = 1,
) -> Snapshot:
    """The snapshot that was written to a folder, read into memory; see `export_to`."""
    export_to(
        graph,
        folder,
        progress=progress,
        since=since,
        subgraph=subgraph,
        around=around,
        hops=hops,
    )
    return read_snapshot(folder)


def export_to(
    graph: Graph,
    folder: Path,
    *,
    progress: Progress = no_progress,
    since: Path | None = None,
    subgraph: str | None = None,
    around: str | None = None,
    hops: int = 1,
) -> Exported:
    """What was written to a folder as a snapshot; memory does not grow with the graph.

    Args:
        graph: what to read; people and products added by hand get their row numbers first.
        folder: where it goes, e.g. `Run(...).snapshot`; it is replaced when the new one is whole.
        progress: told of the rows read.
        since: folder of an older snapshot; only what changed after it is read. The result is that
            of a full export, and where that cannot be had, a full export is made.
        subgraph: a reading statement whose column `user`, or first column, gives the users to take.
        around: id of a user; those at most `hops` from them are taken.
        hops: over ties and over products held by both; see `part.users_around`.

    Raises:
        NotReady: the graph has no holdings yet.
        BadInput: the graph holds what no export can carry, the folder cannot be written, or
            `subgraph` gives no users.
        NotFound: there is no user `around`.
        BadConfig: the options do not go together.
    """
    started = time.perf_counter()
    if sum(option is not None for option in (since, subgraph, around)) > 1:
        raise BadConfig("--since, --subgraph and --around exclude each other; give one of them")
    if graph.mapping is not None:
        create_schema(graph)
    with scratch_beside(folder) as scratch:
        job = _Job(graph, scratch, progress)
        if subgraph is not None or around is not None:
            _number_new(graph)
            choice = {"subgraph": subgraph} if subgraph else {"around": around, "hops": hops}
            new = job.take_part(
                lambda: (
                    users_of_statement(graph, subgraph)
                    if subgraph is not None
                    else users_around(graph, str(around), hops)
                ),
                choice,
            )
        else:
            new = job.take_all(since)
        take_place(new, folder)
    manifest = read_manifest(folder)
    return Exported(
        counts={name: int(manifest["counts"][name]) for name in _COUNTED},
        held_out=int(manifest["held_out"]),
        cut=manifest["cut"],
        hash=str(manifest["hash"]),
        consistency=manifest["consistency"],
        how=manifest["how"],
        notes=tuple(job.notes),
        seconds=round(time.perf_counter() - started, 3),
    )


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the database had done at one time."""

    bookmark: frozenset[str] | None
    """None: something was being applied all the time."""
    oldest: int
    """When the oldest transaction began that was open, in milliseconds by the server's clock."""

    @classmethod
    def now(cls, graph: Graph) -> _Moment:
        # A transaction has no number before it is applied, and its changes are seen one by one
        # while it is: wait until none is at that.
        give_up = time.monotonic() + _CLOSING_SECONDS
        while True:
            row = graph.read("export_open_transactions")[0]
            oldest = min(row["now"], row["oldest"])
            if not row["closing"]:
                return cls(graph.bookmark(), oldest)
            if time.monotonic() > give_up:
                return cls(None, oldest)
            time.sleep(0.01)

    def was_quiet_until(self, later: _Moment) -> bool:
        """Whether nothing was committed in between."""
        return self.bookmark is not None and self.bookmark == later.bookmark


class _Job:
    """One export: snapshots in a scratch folder, each from the one before, the last one kept."""

    def __init__(self, graph: Graph, scratch: Path, progress: Progress) -> None:
        self.graph = graph
        self.progress = progress
        self.notes: list[str] = []
        self._scratch = scratch
        self._made = 0
        # A graph with other names has no kinfolio that marks what it changes.
        self._can_follow = graph.mapping is None

    def take_all(self, since: Path | None) -> Path:
        """Folder of a snapshot of the whole graph."""
        base = None if since is None else self._usable(since)
        found: _Taken | None = None
        if base is not None:
            with ThreadPoolExecutor(1) as pool:  # beside the reading, which mostly waits
                undamaged = pool.submit(is_undamaged, base)
                try:
                    found = self._follow(base, read_manifest(base), self.notes)
                except (pa.ArrowException, IndexError):
                    found = None  # of a table that ends early, or rows that point nowhere
                if not undamaged.result():
                    self.notes.append(f"everything was read: the snapshot in {base} is damaged")
                    found = None
        if found is None:
            _number_new(self.graph)
            found = self._whole()
        for _ in range(ROUNDS - 1):
            if found.is_quiet:
                break
            followed = None
            if self._can_follow:
                followed = self._follow(found.folder, read_manifest(found.folder), [])
            found = followed or self._whole()
        return found.folder

    def take_part(self, choose: Callable[[], list[int]], choice: dict[str, Any]) -> Path:
        """Folder of a snapshot of some users and what hangs on them."""
        for _ in range(ROUNDS):
            before = _Moment.now(self.graph)
            source = Part(self.graph, choose(), self.progress)
            new = self._assemble(source, before, part=choice)
            if new.is_quiet:
                break
        return new.folder

    def _whole(self) -> _Taken:
        while True:
            before = _Moment.now(self.graph)
            source = Whole(self.graph, self.progress)
            new = self._assemble(source, before)
            if new.is_quiet or source.is_same():
                return new

    def _follow(self, old: Path, manifest: dict[str, Any], notes: list[str]) -> _Taken | None:
        """The older snapshot with what changed since; None, and a note, where it cannot be told."""
        before = _Moment.now(self.graph)
        changed = self.graph.read("export_changed", since=manifest["watermark"])[0]
        if len(changed["users"]) > max(100, MOST_CHANGED * manifest["counts"]["users"]):
            notes.append(
                f"{len(changed['users']):,} users changed since the older snapshot, "
                "so everything was read again"
            )
            return None
        if None in changed["users"] or None in changed["products"]:
            _number_new(self.graph)
            before = _Moment.now(self.graph)
            changed = self.graph.read("export_changed", since=manifest["watermark"])[0]
        source = Changes(
            old, Chunks(self.graph), changed["users"], changed["products"], counted(self.graph)
        )
        new = self._assemble(source, before, is_marked=True)
        if new.differs:
            notes.append(
                f"{new.differs} are other ones than the changes marked in the graph say, so "
                "everything was read again; some program writes without setting `changed`"
            )
            return None
        return new

    def _assemble(
        self,
        source: Any,  # Any: Whole, Part or Changes, which share four methods
        before: _Moment,
        *,
        is_marked: bool = False,
        part: dict[str, Any] | None = None,
    ) -> _Taken:
        self._made += 1
        folder = self._scratch / str(self._made)
        assembly = Assembly(folder)
        try:
            assembly.users(source.users())
            assembly.products(source.products())
            assembly.holdings(source.edges("holdings"))
            assembly.ties(source.edges("ties"))
            assembly.reviews(source.reviews())
            counts = assembly.writer.counts
            differs = "" if part or not self._can_follow else self._difference(counts, source)
            is_quiet = before.was_quiet_until(_Moment.now(self.graph))
            consistency: Consistency = "moving"
            if is_quiet:
                consistency = "marked" if is_marked else "quiet"
            assembly.finish(
                server=self.graph.server,
                consistency=consistency,
                how="changes" if is_marked else "part" if part else "whole",
                watermark=before.oldest - OVERLAP_MS,
                countable=is_quiet and not differs,
                part=part,
            )
        finally:
            assembly.close()
        return _Taken(folder, is_quiet, differs if is_quiet else "")

    def _difference(self, counts: dict[str, int], source: Any) -> str:
        """The first table whose rows are not as many as the database counts; "" without one."""
        there = counted(self.graph)
        ends = self.graph.read("export_gid_counts")[0]
        for name in _COUNTED:
            if counts[name] != there[name]:
                return name
        for name, rows in (("users", source.user_rows), ("products", source.product_rows)):
            # Equally many, but others: one was deleted and one was made.
            if int(rows.gids.sum()) != ends[f"{name}_sum"]:
                return name
        return ""

    def _usable(self, since: Path) -> Path | None:
        """The folder of the older snapshot, when changes can be put on top of it."""
        manifest = {}
        try:
            manifest = read_manifest(since)
        except (NotReady, RunBroken) as error:
            self.notes.append(f"everything was read: {error}")
            return None
        if manifest.get("part"):
            raise BadConfig(
                f"{since} holds a part of the graph, to which no changes can be added; "
                "leave --since out"
            )
        why = ""
        if not self._can_follow:
            why = "a graph with a mapping does not mark what changes"
        elif manifest.get("watermark") is None or manifest.get("server") != self.graph.server:
            why = f"{since} was not exported from this server"
        elif not manifest.get("countable"):
            why = (
                "the graph holds what a snapshot leaves out (two holdings of one pair, a review "
                "without a product), or was changed all the time"
            )
        if why:
            self.notes.append(f"everything was read: {why}")
        return None if why else since


@dataclass(frozen=True, slots=True)
class _Taken:
    """A snapshot in the scratch folder."""

    folder: Path
    is_quiet: bool
    """Whether nothing was committed while it was read."""
    differs: str
    """The table that has other rows than the graph at the same time; "" without one."""


def _number_new(graph: Graph) -> None:
    """Give row numbers to users and products that were added by hand."""
    counts, ends = graph.read("export_counts")[0], graph.read("export_gid_counts")[0]
    new = [name for name in ("users", "products") if counts[name] > ends[name]]
    if new:
        Chunks(graph).refuse_without_id()
    for name in new:
        graph.write(_NUMBERING[name], first=ends[f"{name}_end"])
