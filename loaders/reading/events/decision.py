"""Which pairs events make holdings, and which dismissals.

The events of a pair are followed in the order of their times. Their weights add up; a dismissal
ends the sum. A pair whose last sum reaches 1 is a holding from that event on, another pair with a
dismissal is dismissed. An event that is repeated counts once. A pair in `interactions` is what that
file says.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinfolio.loaders.columns.arrays import mask_of
from kinfolio.loaders.reading.meaning import DISMISSED, HELD, Meaning
from kinfolio.loaders.reading.staged import StagedTable

HOLDINGS, DISMISSALS = "event_holdings", "event_dismissals"
"""Tables with the deciding event of each pair."""
_ROUNDING = 1e-6
"""Five times 0.2 is 1."""


@dataclass(frozen=True, slots=True)
class _Events:
    """Events in columns, by pair and time, a dismissal after others of its time."""

    row: NDArray[np.int64]
    """Row in the staged table."""
    pair: NDArray[np.int64]
    weight: NDArray[np.float64]
    is_dismissal: NDArray[np.bool_]


def decide(tables: dict[str, StagedTable], meaning: Meaning) -> str:
    """Add the tables of holdings and dismissals by events; return what was decided, a sentence.

    `interactions` must still have all their accepted rows.
    """
    events = tables["events"]
    if not len(events):
        return f"{events.file.name}: no event can be used"
    ordered, num_repeated = _ordered(events, meaning)
    decided = _interactions(tables.get("interactions"))
    is_decided = np.isin(ordered.pair, decided)
    held, dismissed = _last_states(ordered)
    for name, rows in ((HOLDINGS, held), (DISMISSALS, dismissed)):
        table = tables[name] = copy.copy(events)
        table.keep = np.zeros(len(events.keep), np.bool_)
        table.keep[ordered.row[rows[~is_decided[rows]]]] = True
    return _sentence(tables, ordered, num_repeated, int(is_decided.sum()))


def _ordered(events: StagedTable, meaning: Meaning) -> tuple[_Events, int]:
    """Return each event once, and the number of repetitions."""
    rows = np.flatnonzero(events.keep)
    table = events.table().take(pa.array(rows))
    kind = table.column("kind").combine_chunks().dictionary_encode()
    names = kind.dictionary.to_pylist()
    of_kind = np.array([meaning.weights.get(name, 0.0) for name in names] or [0.0])
    code = kind.indices.to_numpy()
    weight = of_kind[code]
    if "weight" in table.schema.names:
        own = table.column("weight").combine_chunks()
        weight = np.where(mask_of(pc.is_valid(own)), pc.fill_null(own, 0.0).to_numpy(), weight)
    user, product, at = (
        table.column(name).to_numpy().astype(np.int64) for name in ("user", "product", "at")
    )
    pair = user << 32 | product
    is_dismissal = np.array([name == DISMISSED for name in names] or [False])[code]
    request = _requests(table)
    # Of equal events the earliest comes first.
    order = np.lexsort((rows, -weight, at, request, code, pair))
    key = np.stack([pair, code.astype(np.int64), request, np.where(request < 0, at, 0)])[:, order]
    is_first = np.append(True, (np.diff(key, axis=1) != 0).any(axis=0))[: len(order)]
    chosen = order[is_first]
    chosen = chosen[np.lexsort((request[chosen], is_dismissal[chosen], at[chosen], pair[chosen]))]
    ordered = _Events(rows[chosen], pair[chosen], weight[chosen], is_dismissal[chosen])
    return ordered, len(rows) - len(chosen)


def _requests(table: Any) -> NDArray[np.int64]:
    """Return a number for each request, in the order of their texts; -1 without one."""
    if "request" not in table.schema.names:
        return np.full(table.num_rows, -1, np.int64)
    coded = table.column("request").combine_chunks().cast(pa.string()).dictionary_encode()
    places = np.empty(len(coded.dictionary) + 1, np.int64)
    places[pc.array_sort_indices(coded.dictionary).to_numpy()] = np.arange(len(places) - 1)
    places[-1] = -1
    found: NDArray[np.int64] = places[pc.fill_null(coded.indices, -1).to_numpy()]
    return found


def _last_states(events: _Events) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the events that make a pair a holding, and those that make it a dismissal."""
    number = np.arange(len(events.pair))
    is_last = np.append(events.pair[1:] != events.pair[:-1], True)[: len(number)]
    is_first = np.append(True, is_last[:-1])[: len(number)]
    start = np.maximum.accumulate(np.where(is_first, number, 0)) if len(number) else number
    dismissed = np.maximum.accumulate(np.where(events.is_dismissal, number, -1))
    was_dismissed = dismissed >= start
    # The last dismissal of the whole pair.
    ends = np.flatnonzero(is_last)
    of_pair = np.cumsum(is_first) - 1
    last_dismissal = np.where(was_dismissed[ends], dismissed[ends], -1)[of_pair]
    counts = ~events.is_dismissal & (number > last_dismissal)
    total = np.cumsum(np.where(counts, events.weight, 0.0))
    before = np.concatenate([[0.0], total])[start[ends]][of_pair]
    reaches = counts & (total - before >= HELD - _ROUNDING) & (events.weight > 0)
    held_of_pair = np.full(len(ends), -1, np.int64)
    found = np.flatnonzero(reaches)[::-1]
    held_of_pair[of_pair[found]] = found  # the first one is written last
    held = held_of_pair[held_of_pair >= 0]
    is_dismissed = was_dismissed[ends] & (held_of_pair < 0)
    return held, dismissed[ends][is_dismissed]


def _interactions(table: StagedTable | None) -> NDArray[np.int64]:
    """Return the pairs of the interactions, whatever they count as."""
    if table is None:
        return np.zeros(0, np.int64)
    rows = table.table()
    user, product = (rows.column(end).to_numpy().astype(np.int64) for end in ("user", "product"))
    pairs: NDArray[np.int64] = user << 32 | product
    return pairs[table.keep]


def _sentence(
    tables: dict[str, StagedTable], events: _Events, num_repeated: int, num_decided: int
) -> str:
    name = tables["events"].file.name
    weightless = int((~events.is_dismissal & (events.weight == 0)).sum())
    parts = [
        f"{name}: {len(events.pair):,} events make {len(tables[HOLDINGS]):,} holdings and "
        f"{len(tables[DISMISSALS]):,} dismissals (weights of a pair add up; 1 is a holding)"
    ]
    parts += [f"{weightless:,} of weight 0 change nothing"] if weightless else []
    parts += [f"{num_repeated:,} are repetitions"] if num_repeated else []
    parts += [f"{num_decided:,} are of pairs in interactions, which decides"] if num_decided else []
    return "; ".join(parts)
