"""What events make of their pairs: the same as following them one by one."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import pytest

from kinfolio.loaders.reading.meaning import Meaning
from kinfolio.loaders.reading.staging import stage
from kinfolio.records import no_progress

Pair = tuple[str, str]


class Event(NamedTuple):
    user: str
    product: str
    kind: str
    at: int
    request: str
    weight: float | None


def followed(events: list[Event], weights: dict[str, float]) -> tuple[dict[Pair, int], set[Pair]]:
    """Follow the events of each pair in order; return times of holdings, and dismissals."""

    def weight(event: Event) -> float:
        return weights.get(event.kind, 0.0) if event.weight is None else event.weight

    once: dict[tuple[object, ...], Event] = {}
    for event in sorted(events, key=lambda event: (event.at, -weight(event))):
        key = event[:3] + ((event.request,) if event.request else ("", event.at))
        once.setdefault(key, event)
    pairs: dict[Pair, list[Event]] = {}
    for event in once.values():
        pairs.setdefault((event.user, event.product), []).append(event)
    holdings, dismissals = {}, set()
    for pair, of_pair in pairs.items():
        total, held, is_dismissed = 0.0, None, False
        for event in sorted(of_pair, key=lambda event: (event.at, event.kind == "dismissed")):
            if event.kind == "dismissed":
                total, held, is_dismissed = 0.0, None, True
                continue
            total += weight(event)
            if total > 1 - 1e-9 and held is None and weight(event) > 0:
                held = event.at
        if held is not None:
            holdings[pair] = held
        elif is_dismissed:
            dismissals.add(pair)
    return holdings, dismissals


@pytest.mark.parametrize("seed", range(40))
def test_events_are_followed_in_the_order_of_their_times(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    weights = {"held": 1.0, "shown": 0.0, "opened": rng.choice([0.0, 0.2, 0.5])}
    events = [
        Event(
            user=f"u{rng.randint(0, 3)}",
            product=f"p{rng.randint(0, 3)}",
            kind=rng.choice(["held", "opened", "opened", "dismissed", "shown"]),
            at=1_700_000_000_000 + 1_000 * rng.randint(0, 6),
            request=rng.choice(["", f"r{rng.randint(0, 3)}"]),
            weight=rng.choice([None, None, None, 0.4, 0.0, 1.5]),
        )
        for _ in range(rng.randint(1, 60))
    ]
    lines = ["user,product,kind,timestamp,request,weight"]
    lines += [",".join("" if value is None else str(value) for value in event) for event in events]
    source, scratch = tmp_path / "in", tmp_path / "scratch"
    source.mkdir()
    scratch.mkdir()
    (source / "events.csv").write_text("\n".join(lines))
    staged = stage(
        source,
        scratch,
        known_users=lambda ids: ids,
        known_products=lambda ids: ids,
        progress=no_progress,
        meaning=Meaning(event_weights=weights),
    )
    users, products = staged.users.to_pylist(), staged.products.to_pylist()
    found = [
        {
            (users[row["user"]], products[row["product"]]): row["at"]
            for batch in staged.batches(table)
            for row in batch.to_pylist()
        }
        for table in ("event_holdings", "event_dismissals")
    ]
    holdings, dismissals = followed(events, weights)
    assert found[0] == holdings
    assert set(found[1]) == dismissals
