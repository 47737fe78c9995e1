"""The graph in pieces: columns of a range of users, or of given users, as sorted numpy arrays.

Numbers of whole ranges travel as vectors, that is as plain bytes, where the server has them: no
Python object an edge. A range that does not fit (a property of an odd type, an old server) is read
again as lists. Knows rows and columns, not what they are for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput, ServerError, ServerUnreachable, WrongPassword
from kinfolio.loaders.exporting.leakage import NO_SPLIT
from kinfolio.records import NO_TIME, SPLITS, Edges

EdgeKind = Literal["holdings", "ties"]

READERS = 2
"""Ranges that are read at the same time; more than the cores that server and client have is no
faster."""
AHEAD = 2
"""Ranges that may wait, read, until those before them are written."""
_SPLIT_NUMBERS = {"": NO_SPLIT, **{name: number for number, name in enumerate(SPLITS)}}
_ODD_SPLIT = -2
_NO_RATING = -3.4e38
_AS_LISTS = {"holdings": "export_holdings", "ties": "export_ties"}
_AS_VECTORS = {"holdings": "export_holdings_packed", "ties": "export_ties_packed"}
"""Stands for no rating in a vector, which takes finite numbers only."""
_LARGEST_TABLE = 50_000_000

_Item = TypeVar("_Item")
_Piece = TypeVar("_Piece")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nodes:
    """Users or products in ascending order of `gid`."""

    gid: NDArray[np.int64]
    node: NDArray[np.int64]
    """What the database calls them itself; may be given to others when a node is deleted."""
    id: pa.Array
    name: pa.Array | None = None
    text: pa.Array | None = None
    """Name, kind, category, sector and text of each product, joined."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """Reviews sorted by user, product and id; ends are rows."""

    user: NDArray[np.int32]
    product: NDArray[np.int32]
    stated: NDArray[np.int8]
    """Position in `SPLITS`, or `NO_SPLIT`."""
    at: NDArray[np.int64]
    id: pa.Array
    text: pa.Array


class Rows:
    """Rows of nodes: by `gid`, and by what the database calls them where that is known."""

    def __init__(self, gids: NDArray[np.int64], nodes: NDArray[np.int64] | None = None) -> None:
        self.gids = gids
        self._order: NDArray[np.int64] | None = None
        self._table: NDArray[np.int32] | None = None
        if nodes is None:
            return
        self._nodes = nodes
        end = int(nodes.max(initial=-1)) + 1
        if end <= _LARGEST_TABLE:  # one look-up instead of a search that takes fifty times longer
            self._table = np.full(end + 1, -1, np.int32)
            self._table[nodes] = np.arange(len(nodes), dtype=np.int32)
        else:
            self._order = np.argsort(nodes)

    def __len__(self) -> int:
        return len(self.gids)

    def of_gids(self, gids: NDArray[np.int64]) -> NDArray[np.int32]:
        """Row of each; -1 where there is none."""
        if not len(self.gids):
            return np.full(len(gids), -1, np.int32)
        rows = np.searchsorted(self.gids, gids).clip(max=len(self.gids) - 1)
        return np.where(self.gids[rows] == gids, rows, -1).astype(np.int32)

    def of_nodes(self, nodes: NDArray[np.int64]) -> NDArray[np.int32]:
        """Row of each; -1 where there is none."""
        if self._table is not None:
            return self._table[np.where(nodes < len(self._table), nodes, -1)]
        if self._order is None or not len(self._order):
            return np.full(len(nodes), -1, np.int32)
        place = np.searchsorted(self._nodes, nodes, sorter=self._order)
        rows = self._order[place.clip(max=len(self._order) - 1)]
        return np.where(self._nodes[rows] == nodes, rows, -1).astype(np.int32)

    def between(self, first: int, end: int) -> list[int]:
        """The gids from `first` to below `end`."""
        begin, stop = np.searchsorted(self.gids, [first, end])
        return [int(gid) for gid in self.gids[begin:stop]]


def in_order(function: Callable[[_Item], _Piece], items: Iterable[_Item]) -> Iterator[_Piece]:
    """What a function makes of each item, in their order, a few at a time made beforehand."""
    with ThreadPoolExecutor(READERS) as pool:
        waiting: deque[Future[_Piece]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= READERS + AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Chunks:
    """Reads pieces of one graph; safe to use from several threads."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._is_packed = {"holdings": True, "ties": True}

    def users(self, first: int, end: int) -> Nodes:
        """Users of a range of row numbers."""
        return self._nodes(self._graph.read("export_users", first=first, end=end)[0])

    def users_of(self, gids: list[int]) -> Nodes:
        """Users with these row numbers."""
        return self._nodes(self._graph.read("export_users_of", gids=gids)[0])

    def products_of(self, gids: list[int]) -> Nodes:
        """Products with these row numbers."""
        row = self._graph.read("export_products", gids=gids)[0]
        names = [name or id for name, id in zip(row["name"], row["id"], strict=True)]
        texts = [
            ". ".join(text.strip().rstrip(".") for text in parts if text.strip())
            for parts in zip(
                *(row[part] for part in ("name", "kind", "category", "sector", "text")),
                strict=True,
            )
        ]
        return self._nodes(row, name=_strings(names), text=_strings(texts))

    def edges(self, kind: EdgeKind, first: int, end: int, users: Rows, ends: Rows) -> Edges:
        """Edges that begin at a range of users, by rows; `split` is what they state themselves."""
        if self._is_packed[kind]:
            found = self._packed(kind, first, end, users, ends)
            if found is not None:
                return found
            self._is_packed[kind] = False
        return self.edges_of(kind, users.between(first, end), users, ends)

    def edges_of(self, kind: EdgeKind, gids: list[int], users: Rows, ends: Rows) -> Edges:
        """Edges that begin at users with these row numbers, likewise.

        Raises:
            BadInput: a split or a time is none.
        """
        row = self._graph.read(_AS_LISTS[kind], gids=gids, no_time=NO_TIME)[0]
        with np.errstate(over="ignore"):
            rating = np.array(row.get("rating", ()), np.float64).astype(np.float32)
        return sorted_edges(
            users.of_gids(_gids(row["source"])),
            ends.of_gids(_gids(row["target"])),
            _splits(row["split"]),
            _times(row["at"]),
            rating if "rating" in row else None,
            width=len(ends),
            once=kind == "holdings",
        )

    def reviews_of(self, gids: list[int], users: Rows, products: Rows) -> Written:
        """Reviews by users with these row numbers.

        Raises:
            BadInput: a split or a time is none.
        """
        row = self._graph.read("export_reviews", gids=gids, no_time=NO_TIME)[0]
        user = users.of_gids(_gids(row["source"]))
        product = products.of_gids(_gids(row["target"]))
        ids = row["id"]
        order = sorted(
            np.flatnonzero((user >= 0) & (product >= 0)).tolist(),
            key=lambda place: (user[place], product[place], ids[place]),
        )
        return Written(
            user=user[order],
            product=product[order],
            stated=_splits(row["split"])[order],
            at=_times(row["at"])[order],
            id=_strings([ids[place] for place in order]),
            text=_strings([row["text"][place] for place in order]),
        )

    def _nodes(self, row: dict[str, Any], **texts: pa.Array) -> Nodes:
        if None in row["id"]:
            self.refuse_without_id()
        return Nodes(
            gid=_gids(row["gid"]), node=_gids(row["node"]), id=_strings(row["id"]), **texts
        )

    def refuse_without_id(self) -> None:
        """Stop where users or products have no id.

        Raises:
            BadInput: there are some.
        """
        without = self._graph.read("export_without_id")[0]["without_id"]
        if without:
            raise BadInput(
                f"{without} User or Product nodes in the graph have no id; "
                "set a text as their id or delete them"
            )

    def _packed(
        self, kind: EdgeKind, first: int, end: int, users: Rows, ends: Rows
    ) -> Edges | None:
        """As `edges`; None where vectors cannot hold what there is."""
        parameters: dict[str, Any] = {"first": first, "end": end, "no_time": NO_TIME}
        if kind == "holdings":
            parameters["no_rating"] = _NO_RATING
        try:
            row = self._graph.read(_AS_VECTORS[kind], **parameters)[0]
        except (ServerUnreachable, WrongPassword):
            raise
        except (ServerError, BadInput):
            return None  # no vectors in this server, or a text as a rating: the lists say which
        split = _joined(row["split"], np.int8)
        if (split == _ODD_SPLIT).any():
            return None
        rating = None
        if "rating" in row:
            rating = _joined(row["rating"], np.float32)
            rating[rating == np.float32(_NO_RATING)] = np.nan
        return sorted_edges(
            users.of_gids(_joined(row["source"], np.int64)),
            ends.of_nodes(_joined(row["target"], np.int64)),
            split,
            _joined(row["at"], np.int64),
            rating,
            width=len(ends),
            once=kind == "holdings",
        )


def sorted_edges(
    source: NDArray[np.int32],
    target: NDArray[np.int32],
    split: NDArray[np.int8],
    at: NDArray[np.int64],
    rating: NDArray[np.float32] | None,
    *,
    width: int,
    once: bool,
) -> Edges:
    """Edges sorted by source, target, split and time; those of unknown ends are left out.

    Args:
        source: row of each beginning; -1 where it is not known.
        target: row of each end, below `width`; likewise.
        split: position in `SPLITS`, or `NO_SPLIT`.
        at: milliseconds since 1970, or `NO_TIME`.
        rating: None stands for NaN everywhere.
        width: number of rows of the ends.
        once: keep the first of several edges between the same two nodes.
    """
    if rating is None:
        rating = np.full(len(at), np.nan, np.float32)
    known = (source >= 0) & (target >= 0)
    if not known.all():
        source, target, split, at = source[known], target[known], split[known], at[known]
        rating = rating[known]
    key = source.astype(np.int64) * width + target
    order = np.argsort(key, kind="stable")
    pairs = key[order]
    if (pairs[1:] == pairs[:-1]).any():
        order = np.lexsort((rating, at, split, key))
        if once:
            order = order[np.append(True, np.diff(key[order]) != 0)]
    return Edges(
        source=source[order],
        target=target[order],
        split=split[order],
        at=at[order],
        rating=rating[order],
    )


def _joined(vectors: list[Any], kind: Any) -> NDArray[Any]:
    """The numbers of vectors of the driver (Any: they have no type of their own here)."""
    if not vectors:
        return np.zeros(0, kind)
    return np.concatenate([vector.to_numpy() for vector in vectors]).astype(kind)


def _gids(gids: list[int]) -> NDArray[np.int64]:
    return np.array(
        [-1 if gid is None else gid for gid in gids] if None in gids else gids, np.int64
    )


def _strings(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())


def _splits(names: list[str]) -> NDArray[np.int8]:
    try:
        return np.array([_SPLIT_NUMBERS[name] for name in names], np.int8)
    except (KeyError, TypeError) as error:
        odd = next(name for name in names if name not in list(_SPLIT_NUMBERS))
        raise BadInput(
            f"the graph has the split {odd!r}; {', '.join(SPLITS)} or none was expected"
        ) from error


def _times(times: list[Any]) -> NDArray[np.int64]:
    try:
        return np.array(times, np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        odd = next(time for time in times if not isinstance(time, int))
        raise BadInput(
            f"the graph has {odd!s} as the property `at`; milliseconds since 1970 were expected"
        ) from error
