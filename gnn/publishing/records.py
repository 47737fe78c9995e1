"""What the graph says of stored versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kinfolio.records import Slot
from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Tabular):
    """One set of embeddings in the graph."""

    name: str
    slot: Slot
    state: Literal["writing", "ready", "active"]
    model: str
    heads: int
    dim: int
    users: int
    products: int
    created_at: str
    snapshot: str
    metrics: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBack(Tabular):
    """What one write-back stored."""

    version: str
    slot: Slot
    users: int
    """Users that have a vector of their own."""
    products: int
    index_recall_at_10: float | None
    """Part of the exact ten best products that the vector index finds; None without users."""
    seconds: float
