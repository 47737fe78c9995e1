"""The graph as a snapshot in columns: a full export, the changes since an older one, or a subgraph.

Ranges of users are read in parallel and written as they arrive, so memory does not grow with the
graph.
"""

from __future__ import annotations

import time
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.inspection.readings import unread_values
from kinfolio.cypher.schema import create_schema
from kinfolio.errors import BadConfig
from kinfolio.loaders.exporting.job import COUNTED, ExportJob
from kinfolio.loaders.exporting.selection import users_around, users_of_statement
from kinfolio.records import Exported, Progress, Snapshot, no_progress
from kinfolio.snapshot import read_snapshot
from kinfolio.snapshot_writer import scratch_beside, take_place
from kinfolio.storage.manifest import read_manifest


def export(graph: Graph, folder: Path, progress: Progress = no_progress) -> Snapshot:
    """Export a snapshot and read it into memory."""
    export_to(graph, folder, progress=progress)
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
    """Export a snapshot to a folder; memory does not grow with the graph.

    Args:
        graph: users and products without row numbers are numbered first.
        folder: replaced when the new snapshot is complete, e.g. `Run(...).snapshot`.
        progress: called with the number of rows read.
        since: folder of an older snapshot; only changes after it are read. The result equals that
            of a full export, which runs instead if the changes are not sufficient.
        subgraph: a read-only statement; its column `user`, or first column, contains the users.
        around: id of a user; exports the users at most `hops` from it, see `users_around`.
        hops: number of ties or of products held by both.

    Raises:
        NotReady: the graph has no holdings yet.
        BadInput: the graph cannot be exported, the folder cannot be written, or `subgraph` returns
            no users.
        NotFound: there is no user `around`.
        BadConfig: the options exclude each other.
    """
    started = time.perf_counter()
    if sum(option is not None for option in (since, subgraph, around)) > 1:
        raise BadConfig("--since, --subgraph and --around exclude each other; give one of them")
    if graph.mapping is not None:
        create_schema(graph)
    with scratch_beside(folder) as scratch:
        job = ExportJob(graph, scratch, progress)
        if subgraph is not None:
            new = job.part(lambda: users_of_statement(graph, subgraph), {"subgraph": subgraph})
        elif around is not None:
            choice = {"around": around, "hops": hops}
            new = job.part(lambda: users_around(graph, around, hops), choice)
        else:
            new = job.whole(since)
        take_place(new, folder)
    if graph.mapping is not None:
        lines = unread_values(graph)
        job.notes.extend(f"[{line.section}] {line.line}: {line.note}" for line in lines)
    manifest = read_manifest(folder)
    return Exported(
        counts={name: int(manifest["counts"][name]) for name in COUNTED},
        held_out=int(manifest["held_out"]),
        cut=manifest["cut"],
        hash=str(manifest["hash"]),
        consistency=manifest["consistency"],
        how=manifest["how"],
        notes=tuple(job.notes),
        seconds=round(time.perf_counter() - started, 3),
    )
