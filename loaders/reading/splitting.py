"""Training, validation and test splits of interactions without a split column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kinfolio.errors import BadConfig, BadInput, quoted
from kinfolio.loaders.reading.staged import StagedTable
from kinfolio.records import SPLITS

_SEED = 0


@dataclass(frozen=True, slots=True)
class SplitRule:
    """Method and fraction of a split, such as `time:0.1` or `random:0.1`."""

    method: Literal["time", "random"]
    """`time`: the latest interactions are the test set, those before them the validation set."""
    fraction: float
    """Fraction of the interactions in each of the validation and test sets."""

    @classmethod
    def parse(cls, text: str) -> SplitRule:
        """Parse the value of `--split`.

        Raises:
            BadConfig: it is not `time:` or `random:` with a fraction above 0 and below 0.5.
        """
        method, _, number = text.partition(":")
        try:
            fraction = float(number)
        except ValueError:
            fraction = 0.0
        if method not in ("time", "random") or not 0 < fraction < 0.5:
            raise BadConfig(
                f"--split is {quoted(text)}; time:FRACTION or random:FRACTION with a fraction "
                "above 0 and below 0.5 was expected, e.g. --split time:0.1"
            )
        return cls("time" if method == "time" else "random", fraction)

    def __str__(self) -> str:
        return f"{self.method}:{self.fraction:g}"

    def assign(self, interactions: StagedTable) -> None:
        """Set the splits of staged interactions, independent of the order of rows and files.

        Raises:
            BadInput: they have a split column, lack times, or are too few.
        """
        name, table = interactions.file.name, interactions.table()
        if "split" in table.schema.names and "split" not in interactions.absent:
            raise BadInput(f"{name} has a column 'split' already; leave --split out")
        rows = np.flatnonzero(interactions.keep)
        num_held_out = int(self.fraction * len(rows) + 1e-9)
        if not num_held_out:
            raise BadInput(
                f"{name} has {len(rows)} interactions, too few for --split {self}; "
                "give a larger fraction"
            )
        user, product = (
            interactions.places[end][table.column(end).to_numpy()[rows]]
            for end in ("user", "product")
        )
        order = np.lexsort((product, user))
        if self.method == "random":
            order = np.random.default_rng(_SEED).permutation(order)
        else:
            at = table.column("at").take(pa.array(rows)) if "at" in table.schema.names else None
            missing = len(rows) if at is None else at.null_count
            if at is None or missing:
                raise BadInput(
                    f"{name} has {missing} rows without a timestamp, and --split {self} needs one "
                    f"in every row; give --split random:{self.fraction:g}"
                )
            order = np.lexsort((product, user, pc.fill_null(at, 0).to_numpy()))
        splits = np.zeros(table.num_rows, np.int8)
        splits[rows[order[-2 * num_held_out : -num_held_out]]] = SPLITS.index("valid")
        splits[rows[order[-num_held_out:]]] = SPLITS.index("test")
        interactions.splits = splits
