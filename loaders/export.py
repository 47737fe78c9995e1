"""The graph as a snapshot in columns, read in one transaction by ranges of row numbers.

One record holds the lists of a whole range: about 2 million edges a second, where a record per
edge gives 76,000. What may reach training is decided here, see `usable.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.cypher.schema import create_schema
from kinfolio.errors import BadInput, NotReady
from kinfolio.loaders.usable import NO_SPLIT, cut_of, review_uses, tie_splits
from kinfolio.records import NO_TIME, SPLITS, Edges, Progress, Reviews, Snapshot
from kinfolio.snapshot import with_hash, write_snapshot

NODES_AT_ONCE = 5_000
"""Range of row numbers in one record."""
WRITERS_AT_ONCE = 1_000
"""The same for reviews, whose texts are long."""
_SPLIT_NUMBERS = {"": NO_SPLIT, **{name: number for number, name in enumerate(SPLITS)}}

_Columns = dict[str, list[Any]]  # Any: gids, times, texts; parameters likewise


def export(
    graph: Graph, folder: Path, *, progress: Progress = lambda step, done, total: None
) -> Snapshot:
    """The snapshot that was written to a folder.

    Args:
        graph: what to read; people and products added by hand get their row numbers first.
        folder: where it goes, e.g. `Run(...).snapshot`; it is replaced when the new one is whole.
        progress: told of the rows read.

    Raises:
        NotReady: the graph has no holdings yet.
        BadInput: the graph holds what no export can carry, or the folder cannot be written.
    """
    if graph.mapping is not None:
        create_schema(graph)
    _number_new(graph)
    with graph.snapshot_reads() as reads:
        snapshot = _read(reads, progress)
    write_snapshot(snapshot, folder, server=graph.server)
    return snapshot


def _number_new(graph: Graph) -> None:
    counts = graph.read("export_counts")[0]
    if counts["without_id"]:
        raise BadInput(
            f"{counts['without_id']} User or Product nodes in the graph have no id; "
            "set a text as their id or delete them"
        )
    if counts["users_without_gid"]:
        graph.write("export_number_users", first=counts["users_end"])
    if counts["products_without_gid"]:
        graph.write("export_number_products", first=counts["products_end"])


def _read(reads: Reads, progress: Progress) -> Snapshot:
    ends = reads.read("export_counts")[0]
    users = _gather(reads, "users", ends["users_end"], NODES_AT_ONCE, progress)
    products = _gather(reads, "products", ends["products_end"], NODES_AT_ONCE, progress)
    holdings, ties, reviews = (
        _gather(reads, name, ends["users_end"], size, progress, no_time=NO_TIME)
        for name, size in (
            ("holdings", NODES_AT_ONCE),
            ("ties", NODES_AT_ONCE),
            ("reviews", WRITERS_AT_ONCE),
        )
    )
    if not holdings["source"]:
        raise NotReady("the graph holds no products held by users yet; type: kinfolio load FOLDER")
    user_gids = np.array(users["gid"], np.int64)
    product_gids = np.array(products["gid"], np.int64)
    held, held_split = _edges(holdings, user_gids, product_gids, once=True)
    cut = cut_of(held_split, held.at)
    tied, tied_split = _edges(ties, user_gids, user_gids)
    return with_hash(
        Snapshot(
            user_ids=tuple(users["id"]),
            product_ids=tuple(products["id"]),
            user_gids=user_gids,
            product_gids=product_gids,
            product_names=tuple(
                name or id for name, id in zip(products["name"], products["id"], strict=True)
            ),
            product_texts=tuple(
                ". ".join(text.strip().rstrip(".") for text in parts if text.strip())
                for parts in zip(
                    *(products[part] for part in ("name", "kind", "category", "sector", "text")),
                    strict=True,
                )
            ),
            holdings=held,
            ties=_with_split(tied, tie_splits(tied_split, tied.at, cut)),
            reviews=_reviews(reviews, user_gids, product_gids, held, held_split, cut),
            cut=cut,
            hash="",
        )
    )


def _gather(
    reads: Reads, name: str, end: int, size: int, progress: Progress, **parameters: Any
) -> _Columns:
    """All ranges of one statement as columns."""
    columns: _Columns = {}
    step = f"reading {name}" if name in ("users", "products") else f"reading {name} of users"
    for first in range(0, max(end, 1), size):
        progress(step, min(first, end), end)
        row = reads.read(f"export_{name}", first=first, end=first + size, **parameters)[0]
        for column, values in row.items():
            columns.setdefault(column, []).extend(values)
    progress(step, end, end)
    return columns


def _edges(
    columns: _Columns,
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    *,
    once: bool = False,
) -> tuple[Edges, NDArray[np.int8]]:
    """Edges sorted by source, target, split and time, and the split each states itself.

    Args:
        columns: as the statement gives them.
        sources: gid of each row that an edge may begin at.
        targets: gid of each row that an edge may end at.
        once: keep the first of several edges between the same two nodes.
    """
    source, target = _rows(columns["source"], sources), _rows(columns["target"], targets)
    split, at = _splits(columns["split"]), _times(columns["at"])
    rating = np.array(columns.get("rating", [np.nan] * len(at)), np.float32)
    order = np.lexsort((rating, at, split, target, source))
    if once:
        pairs = np.stack([source[order], target[order]])
        order = order[np.append(True, (pairs[:, 1:] != pairs[:, :-1]).any(axis=0))]
    stated = split[order]
    edges = Edges(
        source=source[order],
        target=target[order],
        split=np.maximum(stated, 0).astype(np.int8),
        at=at[order],
        rating=rating[order],
    )
    return edges, stated


def _with_split(edges: Edges, split: NDArray[np.int8]) -> Edges:
    return Edges(
        source=edges.source, target=edges.target, split=split, at=edges.at, rating=edges.rating
    )


def _reviews(
    columns: _Columns,
    user_gids: NDArray[np.int64],
    product_gids: NDArray[np.int64],
    held: Edges,
    held_split: NDArray[np.int8],
    cut: int,
) -> Reviews:
    user, product = _rows(columns["source"], user_gids), _rows(columns["target"], product_gids)
    split, at = _splits(columns["split"]), _times(columns["at"])
    width = max(len(product_gids), 1)
    describes_user, describes_product = review_uses(
        pair=user.astype(np.int64) * width + product,
        split=split,
        at=at,
        holding_pair=held.source.astype(np.int64) * width + held.target,
        holding_split=held_split,
        cut=cut,
    )
    ids, texts = columns["id"], columns["text"]
    order = sorted(range(len(ids)), key=lambda row: (user[row], product[row], ids[row]))
    return Reviews(
        user=user[order],
        product=product[order],
        at=at[order],
        text=tuple(texts[row] for row in order),
        describes_user=describes_user[order],
        describes_product=describes_product[order],
    )


def _rows(gids: list[int], known: NDArray[np.int64]) -> NDArray[np.int32]:
    """Row of each gid."""
    return np.searchsorted(known, np.array(gids, np.int64)).astype(np.int32)


def _splits(names: list[str]) -> NDArray[np.int8]:
    odd = set(names) - set(_SPLIT_NUMBERS)
    if odd:
        raise BadInput(
            f"the graph has the split {min(map(str, odd))!r}; "
            f"{', '.join(SPLITS)} or none was expected"
        )
    return np.array([_SPLIT_NUMBERS[name] for name in names], np.int8)


def _times(times: list[Any]) -> NDArray[np.int64]:
    try:
        return np.array(times, np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        odd = next(time for time in times if not isinstance(time, int))
        raise BadInput(
            f"the graph has {odd!s} as the property `at`; milliseconds since 1970 were expected"
        ) from error
