"""Countries and risk levels of products as stored for the vector index, which compares no lists."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

MOST_MARKETS = 500
EVERYWHERE = ""
"""Market of a product without a country restriction."""


def markets_of(countries: Sequence[Sequence[Any]]) -> list[str]:
    """Encode each set of countries as a string, since a vector search cannot compare lists.

    With more than 500 different sets, all become `EVERYWHERE` and only the rule decides.
    """
    found = [
        json.dumps(sorted(set(map(str, some))), ensure_ascii=False) if some else EVERYWHERE
        for some in countries
    ]
    return found if len(set(found)) <= MOST_MARKETS else [EVERYWHERE] * len(found)


def sells_in(market: str, country: str | None) -> bool:
    """Return whether products of a market may be sold in a country."""
    return market == EVERYWHERE or (country is not None and country in json.loads(market))


def share_within(levels: Sequence[float], tolerance: int | None) -> float:
    """Return the share of sampled risk levels that are within a risk tolerance."""
    # A mapped graph may have a string there, which no rule passes.
    limit = tolerance if isinstance(tolerance, int | float) else -math.inf
    return sum(level <= limit for level in levels) / max(1, len(levels))
