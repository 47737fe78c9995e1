"""What is the same for all products: whose stored vector counts, and the query vectors of others.

A stored vector counts while the user's neighbours are those of the export, as in
`recommend_query_vector`. Checking this for all users reads every holding and every tie, so the
result is kept until the server's next transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Rows
from kinfolio.errors import KinfolioError, NotReady, ServerUnreachable, WrongPassword, quoted
from kinfolio.gnn.fingerprints import product_hashes, sums_of_hashes, user_hashes
from kinfolio.gnn.serving.user_state import read_user_states
from kinfolio.gnn.version_state import ServedVersion
from kinfolio.records import Source

PAGE_GIDS = 25_000
CONNECTIONS = 2
"""Pages read at the same time; the server answers each on one core."""
_PAGE_STATES = 512
_WHOLE = 1e-3
"""Difference of the squared length of a vector of unit blocks from a whole number, in 32 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The users of one version at one time."""

    served: ServedVersion
    gids: NDArray[np.int64]
    """Users whose stored vector counts, ascending."""
    lengths: NDArray[np.float64]
    """Length of each of their query vectors."""
    queries: dict[str, tuple[Source, tuple[float, ...]]] = field(default_factory=dict)
    """Source and query vector of other users, by id, as far as they were read."""
    ids: dict[int, str] = field(default_factory=dict)
    """Ids of other users, by gid, as far as they were read."""

    def read_queries(self, graph: Graph, ids: Sequence[str]) -> None:
        """Read the query vectors of some users whose stored vector does not count.

        Raises:
            NotReady: another version became active.
        """
        missing = [user for user in ids if user not in self.queries]
        for first in range(0, len(missing), _PAGE_STATES):
            page = missing[first : first + _PAGE_STATES]
            for state in read_user_states(graph, page, self.served.name):
                if state.version != self.served.name:
                    raise NotReady(
                        f"version {quoted(state.version)} replaced {quoted(self.served.name)} "
                        "while the users were scored; run the command again"
                    )
                self.queries[state.user] = state.source, state.query

    def read_ids(self, graph: Graph, gids: Sequence[int]) -> None:
        """Read the ids of some users whose stored vector does not count."""
        if missing := [gid for gid in gids if gid not in self.ids]:
            rows = graph.read("audience_ids", gids=missing)
            self.ids.update((row["gid"], row["user"]) for row in rows)


_known: WeakKeyDictionary[Graph, tuple[frozenset[str], Population]] = WeakKeyDictionary()


def read_population(graph: Graph, served: ServedVersion, version: dict[str, Any]) -> Population:
    """Return the users of the version, from memory if nothing was written since they were read.

    `version`: `heads`, `dim`, `cut`, and `last`, the largest gid. Any: a row.
    """
    # The mark is older than what is read under it, so a concurrent write is seen the next time.
    mark = graph.bookmark()
    known = _known.get(graph)
    if known is None or known[0] != mark or known[1].served != served:
        known = mark, _read(graph, served, version)
        _known[graph] = known
    return known[1]


def in_pages(graph: Graph, name: str, last: int, **parameters: Any) -> Rows:
    """Return the rows of a statement for all ranges of gids up to `last`."""
    read = partial(graph.read, name, **parameters)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        pages = pool.map(
            lambda first: read(first=first, end=first + PAGE_GIDS), range(0, last + 1, PAGE_GIDS)
        )
        return list(chain.from_iterable(pages))


def _read(graph: Graph, served: ServedVersion, version: dict[str, Any]) -> Population:
    width = version["heads"] * version["dim"] + 2
    try:
        pages = in_pages(
            graph,
            "audience_stored",
            version["last"],
            slot=served.slot,
            cut=version["cut"],
            zeros=[0.0] * width,
        )
    except (ServerUnreachable, WrongPassword):
        raise
    except KinfolioError:
        pages = []  # a damaged vector fails the statement: all users are read one by one
    products = graph.read("audience_products", slot=served.slot)[0]

    def column(name: str) -> list[Any]:  # Any: numbers, or lists of numbers
        return [value for page in pages for value in page[name]]

    gids, nodes, counted = (
        np.array(column(name), np.int64) for name in ("gids", "nodes", "counted")
    )
    now = sums_of_hashes(
        column("held"),
        np.array(products["nodes"], np.int64),
        product_hashes(np.array(products["gids"], np.int64)),
    )
    now += sums_of_hashes(column("tied"), nodes, user_hashes(gids), own=nodes)
    origin = np.array(column("origin"), np.float64)
    squares = 1.0 / np.where(origin > 0, origin, np.nan) - 1.0
    blocks = squares.round()
    is_stored = (now == counted) & (abs(squares - blocks) < _WHOLE) & (blocks <= width)
    return Population(served, gids[is_stored], np.sqrt(blocks[is_stored]))
