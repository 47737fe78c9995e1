"""The history of a graph: which files, by their SHA-256, were loaded into it, and how."""

from __future__ import annotations

import hashlib
import json

from kinfolio.cypher.graph import Graph
from kinfolio.loaders.reading.staged import Staged

KEPT = 100
"""Records of loads that the graph keeps."""


def record_load(staged: Staged, graph: Graph, options: str, *, is_replacing: bool) -> None:
    """Record a load that is complete; the same files and options as the last time change nothing.

    `options` are those that change what the files mean, as they are typed. Two loads must not
    record at once.
    """
    files = [table for name, table in staged.tables.items() if name == table.file.table]
    sums = [[table.file.table, table.file.name, table.sha256] for table in files]
    digest = hashlib.sha256(json.dumps([sums, options, is_replacing]).encode()).hexdigest()
    history = [row["load"] for row in graph.read("load_history")]
    if history and history[-1].get("hash") == digest:
        return
    rejected = {table.file.name: 0 for table in files}
    for (name, _), count in staged.rejects.kinds.items():
        rejected[name] = rejected.get(name, 0) + count
    row = {
        "hash": digest,
        "options": options,
        "replaces": is_replacing,
        "tables": [table.file.table for table in files],
        "files": [table.file.name for table in files],
        "sha256": [table.sha256 for table in files],
        "rows": [table.rows for table in files],
        "rejected": [rejected[table.file.name] for table in files],
    }
    number = 1 + (history[-1]["number"] if history else 0)
    graph.write("load_history_add", number=number, row=row, keep=KEPT)
