"""Records of versions in the graph."""

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
    model: str = ""
    heads: int = 0
    dim: int = 0
    users: int = 0
    products: int = 0
    created_at: str = ""
    snapshot: str = ""
    metrics: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBack(Tabular):
    """Result of one write-back."""

    version: str
    slot: Slot
    users: int
    """Number of users with a vector."""
    products: int
    index_recall_at_10: float | None
    """Recall of the vector index; None without users."""
    seconds: float
