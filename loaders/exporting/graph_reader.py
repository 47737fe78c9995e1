"""The graph in columns: a range of users, or a list of users, as sorted NumPy arrays.

Numbers of whole ranges are transferred as vectors, that is as plain bytes: no Python object per
edge. A range that cannot be transferred as vectors (a property of an unexpected type, an old
server) is read as lists.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput, ServerError, ServerUnreachable, WrongPassword, quoted
from kinfolio.loaders.exporting.columns import (
    EdgeKind,
    NodeIndex,
    Nodes,
    ReviewColumns,
    sorted_edges,
)
from kinfolio.loaders.exporting.leakage import NO_SPLIT
from kinfolio.records import NO_TIME, SPLITS, Edges
from kinfolio.texts.product_text import joined_text

_SPLIT_NUMBERS = {"": NO_SPLIT, **{name: number for number, name in enumerate(SPLITS)}}
_INVALID_SPLIT = -2
_NO_RATING = -3.4e38
"""Missing rating in a vector, which takes finite numbers only."""
_AS_LISTS = {"holdings": "export_holdings", "ties": "export_ties"}
_AS_VECTORS = {"holdings": "export_holdings_packed", "ties": "export_ties_packed"}


class GraphReader:
    """Reads pieces of one graph; edges and reviews need `user_rows` and `product_rows`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.user_rows = self.product_rows = NodeIndex(np.zeros(0, np.int64))
        self._is_packed = {"holdings": True, "ties": True}

    def users(self, first: int, end: int) -> Nodes:
        """Return the users of a range of row numbers."""
        return self._nodes(self._graph.read("export_users", first=first, end=end)[0])

    def users_of(self, gids: list[int]) -> Nodes:
        """Return the users with these row numbers."""
        return self._nodes(self._graph.read("export_users_of", gids=gids)[0])

    def products_of(self, gids: list[int]) -> Nodes:
        """Return the products with these row numbers."""
        row = self._graph.read("export_products", gids=gids)[0]
        names = [name or id for name, id in zip(row["name"], row["id"], strict=True)]
        columns = [row[name] for name in ("name", "kind", "category", "sector", "text")]
        texts = [*map(joined_text, zip(*columns, strict=True))]
        return self._nodes(row, name=_strings(names), text=_strings(texts))

    def edges(self, kind: EdgeKind, first: int, end: int) -> Edges:
        """Return the edges from a range of users, by rows; `split` is as stored in the graph."""
        if self._is_packed[kind]:
            found = self._packed_edges(kind, first, end)
            if found is not None:
                return found
            self._is_packed[kind] = False
        return self.edges_of(kind, self.user_rows.gids_between(first, end))

    def edges_of(self, kind: EdgeKind, gids: list[int]) -> Edges:
        """Return the edges from users with these row numbers, as `edges` does.

        Raises:
            BadInput: a split or a time is invalid.
        """
        row = self._graph.read(_AS_LISTS[kind], gids=gids, no_time=NO_TIME)[0]
        source, targets = self.user_rows.rows_of_gids(_gids(row["source"])), self._targets(kind)
        with np.errstate(over="ignore"):
            rating = np.array(row.get("rating", ()), np.float64).astype(np.float32)
        edges = Edges(
            source=source,
            target=targets.rows_of_gids(_gids(row["target"])),
            split=_splits(row["split"]),
            at=_times(row["at"]),
            rating=rating if "rating" in row else _no_ratings(len(source)),
        )
        return sorted_edges(edges, width=len(targets), unique=kind == "holdings")

    def _targets(self, kind: EdgeKind) -> NodeIndex:
        return self.product_rows if kind == "holdings" else self.user_rows

    def _packed_edges(self, kind: EdgeKind, first: int, end: int) -> Edges | None:
        """As `edges`; None if the values cannot be transferred as vectors."""
        parameters: dict[str, Any] = {"first": first, "end": end, "no_time": NO_TIME}
        if kind == "holdings":
            parameters["no_rating"] = _NO_RATING
        try:
            row = self._graph.read(_AS_VECTORS[kind], **parameters)[0]
        except (ServerUnreachable, WrongPassword):
            raise
        except (ServerError, BadInput):
            return None  # no vectors in this server, or a text as a rating: lists show which
        split = _joined(row["split"], np.int8)
        if (split == _INVALID_SPLIT).any():
            return None
        rating = _joined(row["rating"], np.float32) if "rating" in row else _no_ratings(len(split))
        rating[rating == np.float32(_NO_RATING)] = np.nan
        targets = self._targets(kind)
        edges = Edges(
            source=self.user_rows.rows_of_gids(_joined(row["source"], np.int64)),
            target=targets.rows_of_nodes(_joined(row["target"], np.int64)),
            split=split,
            at=_joined(row["at"], np.int64),
            rating=rating,
        )
        return sorted_edges(edges, width=len(targets), unique=kind == "holdings")

    def reviews_of(self, gids: list[int]) -> ReviewColumns:
        """Return the reviews by users with these row numbers.

        Raises:
            BadInput: a split or a time is invalid.
        """
        row = self._graph.read("export_reviews", gids=gids, no_time=NO_TIME)[0]
        user = self.user_rows.rows_of_gids(_gids(row["source"]))
        product = self.product_rows.rows_of_gids(_gids(row["target"]))
        ids = row["id"]
        order = sorted(
            np.flatnonzero((user >= 0) & (product >= 0)).tolist(),
            key=lambda place: (user[place], product[place], ids[place]),
        )
        return ReviewColumns(
            user=user[order],
            product=product[order],
            stated=_splits(row["split"])[order],
            at=_times(row["at"])[order],
            id=_strings([ids[place] for place in order]),
            text=_strings([row["text"][place] for place in order]),
        )

    def _nodes(self, row: dict[str, Any], **texts: pa.Array) -> Nodes:
        if None in row["id"]:
            self.refuse_missing_ids()
        return Nodes(
            gid=_gids(row["gid"]), node=_gids(row["node"]), id=_strings(row["id"]), **texts
        )

    def refuse_missing_ids(self) -> None:
        """Check that all users and products have an id.

        Raises:
            BadInput: some have none.
        """
        count = self._graph.read("export_without_id")[0]["without_id"]
        if count:
            raise BadInput(
                f"{count} User or Product nodes in the graph have no id; "
                "set a text as their id or delete them"
            )


def _no_ratings(count: int) -> NDArray[np.float32]:
    return np.full(count, np.nan, np.float32)


def _joined(vectors: list[Any], kind: Any) -> NDArray[Any]:
    """Concatenate vectors of the driver, which have no type of their own here."""
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
        wrong = next(name for name in names if name not in list(_SPLIT_NUMBERS))
        raise BadInput(
            f"the graph has the split {quoted(wrong)}; {', '.join(SPLITS)} or none was expected"
        ) from error


def _times(times: list[Any]) -> NDArray[np.int64]:
    try:
        return np.array(times, np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        wrong = next(time for time in times if not isinstance(time, int))
        raise BadInput(
            f"the graph has {wrong!s} as the property `at`; milliseconds since 1970 were expected"
        ) from error
