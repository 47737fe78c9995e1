"""Holdings and dismissals by events into the graph.

What is there stays as it is, such as the holding that the same event made when the server received
it: no event counts twice, and loading again changes nothing.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from kinfolio.cypher.graph import Graph
from kinfolio.loaders.reading.events.decision import DISMISSALS, HOLDINGS
from kinfolio.loaders.reading.staged import Staged
from kinfolio.loaders.writing.edges import Gids
from kinfolio.records import Progress

_ROWS_PER_QUERY = 5_000
_STATEMENTS = {HOLDINGS: "load_event_holdings", DISMISSALS: "load_event_dismissals"}


def write_events(staged: Staged, gids: Gids, graph: Graph, progress: Progress) -> None:
    """Write the holdings and dismissals by events; dismissals by earlier loads of a holding go."""
    for table, statement in _STATEMENTS.items():
        if staged.count(table):
            _run(statement, table, staged, gids, graph, progress)
    if graph.read("load_counts")[0]["dismissals"] and staged.count(HOLDINGS):
        _run("load_remove_dismissed", HOLDINGS, staged, gids, graph, progress)


def _run(
    statement: str, table: str, staged: Staged, gids: Gids, graph: Graph, progress: Progress
) -> None:
    rows = staged.tables[table].valid_rows()
    user, product = (gids[end][rows.column(end).to_numpy()] for end in ("user", "product"))
    requests = pa.nulls(len(user))
    if "request" in rows.schema.names:
        requests = rows.column("request").combine_chunks()
    columns = (user.tolist(), product.tolist(), rows.column("at").to_pylist(), requests.to_pylist())
    values = [list(row) for row in zip(*columns, strict=True)]
    order = np.lexsort((product, user)).tolist()
    for first in range(0, len(order), _ROWS_PER_QUERY):
        progress("writing events", first, len(order))
        chosen = order[first : first + _ROWS_PER_QUERY]
        graph.write(statement, rows=[values[place] for place in chosen])
    progress("writing events", len(order), len(order))
