"""Rejection of events of users, products and kinds that do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.columns.arrays import mask_of
from kinfolio.loaders.files.rejects import Rejects, quoted
from kinfolio.loaders.files.source import Batch
from kinfolio.loaders.reading.ids import Ids
from kinfolio.loaders.reading.meaning import DISMISSED, Meaning

KnownIds = Callable[[list[str]], Iterable[str]]
"""Returns those of some ids that are in the graph."""


class EventCheck:
    """Rejects events of users, products and kinds that do not exist, and those without a time.

    Args:
        file: name of the file.
        ids: of the folder, by kind of node.
        known: returns the ids that are in the graph, by kind of node; called with ids that are not
            in the folder.
        meaning: has the weights of the kinds.
    """

    def __init__(
        self, file: str, ids: dict[str, Ids], known: dict[str, KnownIds], meaning: Meaning
    ) -> None:
        self._file, self._ids, self._known = file, ids, known
        self._kinds = [DISMISSED, *sorted(meaning.weights)]
        self.outside: dict[str, set[str]] = {"user": set(), "product": set()}
        """Ids that are in the graph and not in the folder."""

    def accept(self, batch: Batch, rejects: Rejects) -> Batch:
        """Return the events that can be used; their kinds are in lower case."""
        kinds = pc.utf8_lower(batch.columns["kind"])
        batch.columns["kind"] = kinds
        wrong = np.zeros(len(batch.lines), np.bool_)

        def reject(mask: NDArray[np.bool_], why: Callable[[int], str], kind: str) -> None:
            for row in np.flatnonzero(mask & ~wrong).tolist():
                rejects.add(self._file, int(batch.lines[row]), why(row), kind=kind)
            wrong[mask] = True

        users, products = batch.columns["user"], batch.columns["product"]
        reject(
            self._is_unknown("user", users),
            lambda row: f"no user {quoted(users[row].as_py())}",
            "an unknown user",
        )
        reject(
            self._is_unknown("product", products),
            lambda row: f"no product {quoted(products[row].as_py())}",
            "an unknown product",
        )
        known = ", ".join(self._kinds)
        reject(mask_of(pc.is_null(kinds)), lambda row: "no kind", "no kind")
        reject(
            ~mask_of(pc.is_in(kinds, value_set=pa.array(self._kinds))),
            lambda row: (
                f"kind {quoted(kinds[row].as_py())} is none of {known}; "
                "--event-weights KIND=WEIGHT gives another one a weight"
            ),
            "an unknown kind",
        )
        reject(mask_of(pc.is_null(batch.columns["at"])), lambda row: "no timestamp", "no timestamp")
        if "weight" in batch.columns:
            weights = batch.columns["weight"]
            reject(
                mask_of(pc.less(weights, 0.0)),
                lambda row: f"weight {weights[row].as_py():g} is below 0",
                "a weight below 0",
            )
        return batch.filter(~wrong)

    def _is_unknown(self, name: str, ids: Any) -> NDArray[np.bool_]:
        is_unknown = ~self._ids[name].is_used(ids)
        outside = self.outside[name]
        unknown = set(pc.unique(ids.filter(pa.array(is_unknown))).to_pylist()) - outside
        if unknown:
            outside.update(self._known[name](sorted(unknown)))
        if outside:
            is_unknown &= ~mask_of(pc.is_in(ids, value_set=pa.array(sorted(outside))))
        return is_unknown
