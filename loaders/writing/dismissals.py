"""Interactions below `--least-rating` into the graph: dismissals in place of holdings.

A dismissal of a load has the property `loaded`; those that users state in a chat have not, and
stay as they are.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from kinfolio.cypher.graph import Graph
from kinfolio.loaders.reading.staged import Staged, StagedTable
from kinfolio.loaders.writing.edges import Gids
from kinfolio.records import Progress

_ROWS_PER_QUERY = 5_000


def write_dismissals(staged: Staged, gids: Gids, graph: Graph, progress: Progress) -> None:
    """Write the dismissals of a folder; a pair is either held or dismissed by a load."""
    if staged.count("dismissals"):
        _run("load_dismissals", staged.tables["dismissals"], gids, graph, progress)
    if graph.read("load_counts")[0]["dismissals"] and staged.count("interactions"):
        _run("load_remove_dismissed", staged.tables["interactions"], gids, graph, progress)


def _run(statement: str, table: StagedTable, gids: Gids, graph: Graph, progress: Progress) -> None:
    rows = table.valid_rows()
    user, product = (gids[end][rows.column(end).to_numpy()] for end in ("user", "product"))
    ratings = pa.nulls(len(user))
    if "rating" in rows.schema.names:
        ratings = rows.column("rating").combine_chunks()
    order = np.lexsort((product, user))
    for first in range(0, len(order), _ROWS_PER_QUERY):
        progress("writing dismissals", first, len(order))
        chosen = order[first : first + _ROWS_PER_QUERY]
        columns = (
            user[chosen].tolist(),
            product[chosen].tolist(),
            ratings.take(pa.array(chosen)).to_pylist(),
        )
        graph.write(statement, rows=[list(row) for row in zip(*columns, strict=True)])
    progress("writing dismissals", len(order), len(order))
