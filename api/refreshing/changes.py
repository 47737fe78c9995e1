"""How many holdings, ties and reviews two snapshots of one graph differ in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.snapshot_tables import read_pieces

_GID_BITS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChanges:
    """Changes of one table."""

    total: int
    """Rows of the older snapshot."""
    added: int
    removed: int
    altered: int

    @property
    def share(self) -> float:
        """Changed rows, relative to those of the older snapshot."""
        return (self.added + self.removed + self.altered) / max(self.total, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Changes between two snapshots."""

    is_same: bool
    """Whether the content is equal, texts included."""
    holdings: TableChanges
    ties: TableChanges
    reviews: TableChanges
    unlisted: int = 0
    """New products that users hold and that no text describes: only a training can list them."""

    @property
    def share(self) -> float:
        """The largest share of changed rows in a table."""
        return max(self.holdings.share, self.ties.share, self.reviews.share)

    def sentence(self) -> str:
        """Return the numbers in words."""
        parts = []
        for name in ("holdings", "ties", "reviews"):
            one: TableChanges = getattr(self, name)
            number = one.added + one.removed + one.altered
            if number or name == "holdings":
                parts.append(f"{number:,} of {one.total:,} {name} changed ({one.share:.2%})")
        if self.unlisted:
            parts.append(f"{self.unlisted:,} new products have holders and no text")
        return ", ".join(parts)


def count_changes(old: Path, new: Path, *, is_same: bool, unlisted: int = 0) -> Changes:
    """Compare two snapshot folders; users and products are matched by row number."""
    nodes = [_gids(folder) for folder in (old, new)]
    return Changes(
        is_same=is_same,
        holdings=_edge_changes("holdings", (old, new), nodes),
        ties=_edge_changes("ties", (old, new), nodes),
        reviews=_review_changes(old, new),
        unlisted=unlisted,
    )


def new_products_with_holders(old: Path, new: Path) -> dict[int, str]:
    """Return number and text of the products that only the new snapshot has and users hold."""
    known = _gids(old)["products"]
    held = np.unique(_column(new, "holdings", "target"))
    gids, texts = _gids(new)["products"], _texts(new, "products", "text")
    rows = held[~np.isin(gids[held], known)]
    return {int(gids[row]): str(texts[int(row)]) for row in rows}


def _edge_changes(
    table: str, folders: tuple[Path, Path], nodes: list[dict[str, NDArray[np.int64]]]
) -> TableChanges:
    end = "products" if table == "holdings" else "users"
    (old_keys, old_values), (keys, values) = (
        _edges(folder, table, gids["users"], gids[end])
        for folder, gids in zip(folders, nodes, strict=True)
    )
    is_common = np.isin(keys, old_keys)
    place = np.searchsorted(old_keys, keys[is_common])
    altered = (values[is_common] != old_values[place]).any(axis=1)
    return TableChanges(
        total=len(old_keys),
        added=int((~is_common).sum()),
        removed=int((~np.isin(old_keys, keys)).sum()),
        altered=int(altered.sum()),
    )


def _edges(
    folder: Path, table: str, sources: NDArray[np.int64], targets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a key for each edge, ascending, and what it states: shape (num_edges, 3)."""
    keys = sources[_column(folder, table, "source")] << _GID_BITS
    keys += targets[_column(folder, table, "target")]
    rating = _column(folder, table, "rating").astype(np.float32).view(np.int32)
    stated, at = _column(folder, table, "stated"), _column(folder, table, "at")
    return keys, np.stack([stated, at, rating], axis=1).astype(np.int64)


def _review_changes(old: Path, new: Path) -> TableChanges:
    from pyarrow import compute

    old_ids, ids = _texts(old, "reviews", "id"), _texts(new, "reviews", "id")
    place = compute.index_in(ids, value_set=old_ids)
    common = compute.is_valid(place)
    before = _texts(old, "reviews", "text").take(place.filter(common))
    after = _texts(new, "reviews", "text").filter(common)
    number = int(compute.sum(common).as_py() or 0)
    return TableChanges(
        total=len(old_ids),
        added=len(ids) - number,
        removed=int(
            compute.sum(compute.invert(compute.is_in(old_ids, value_set=ids))).as_py() or 0
        ),
        altered=int(compute.sum(compute.not_equal(before, after)).as_py() or 0),
    )


def _gids(folder: Path) -> dict[str, NDArray[np.int64]]:
    return {table: _column(folder, table, "gid") for table in ("users", "products")}


def _column(folder: Path, table: str, column: str) -> NDArray[Any]:  # of the column's type
    parts = [piece[column] for piece in read_pieces(folder, table, [column])]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _texts(folder: Path, table: str, column: str) -> Any:  # an Arrow array, which has no types
    import pyarrow as pa

    parts = [piece[column] for piece in read_pieces(folder, table, [column])]
    return pa.concat_arrays(parts) if parts else pa.array([], pa.large_string())
