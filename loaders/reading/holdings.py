"""Which interactions are holdings, by `--least-rating`; notes on ratings and weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kinfolio.errors import BadInput
from kinfolio.loaders.columns.arrays import mask_of
from kinfolio.loaders.reading.staged import StagedTable


def split_by_rating(tables: dict[str, StagedTable], least: float) -> str:
    """Move the interactions without a rating of at least `least` to `dismissals`; return a note.

    Raises:
        BadInput: no interaction has such a rating.
    """
    holdings = tables["interactions"]
    ratings = _column(holdings, "rating")
    name, low = holdings.file.name, pc.min_max(ratings.filter(pa.array(holdings.keep))).as_py()
    is_held = mask_of(pc.greater_equal(ratings, least))
    if not (holdings.keep & is_held).any():
        found = "it has no ratings" if low["max"] is None else f"its highest is {low['max']:g}"
        raise BadInput(
            f"{name} has no rating of at least {least:g} ({found}); lower --least-rating"
        )
    dismissals = copy.copy(holdings)
    dismissals.keep = holdings.keep & ~is_held
    tables["dismissals"] = dismissals
    total = len(holdings)
    holdings.keep = holdings.keep & is_held
    return (
        f"{name}: {len(dismissals):,} of {total:,} rows have a rating below {least:g} or none; "
        "they count as dismissed, not as held"
    )


def unread_columns(interactions: StagedTable, least: float | None) -> Iterator[str]:
    """Yield a note for ratings and weights, which training does not read."""
    keep = pa.array(interactions.keep)
    found = pc.min_max(_column(interactions, "rating").filter(keep)).as_py()
    if found["min"] is not None and least is None:
        yield (
            f"{interactions.file.name}: ratings ({found['min']:g} to {found['max']:g}) are stored "
            "but not read by training, so a low one counts as a holding too; --least-rating X "
            "counts those below X as dismissed"
        )
    if _column(interactions, "weight").filter(keep).null_count < len(interactions):
        yield (
            f"{interactions.file.name}: weights are stored but not used: neither training nor "
            "recommendations read them, every interaction counts the same"
        )


def _column(table: StagedTable, name: str) -> Any:
    rows = table.table()
    if name not in rows.schema.names:
        return pa.nulls(rows.num_rows, pa.float64())
    return rows.column(name).combine_chunks()
