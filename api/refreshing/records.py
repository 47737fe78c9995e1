"""What `refresh` is asked for and what it answers; imports nothing heavy."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinfolio.errors import BadConfig, quoted
from kinfolio.records import Check

if TYPE_CHECKING:
    from kinfolio.gnn.new_products.adding import NewProducts

DEFAULT_AT_LEAST = "1%"
DEFAULT_KEEP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshConfig:
    """When `refresh` trains, how, and what it keeps."""

    at_least: float = 0.01
    """Share of the holdings, ties or reviews that must have changed."""
    keep: int = DEFAULT_KEEP
    """Number of runs that remain, besides those of stored versions."""
    run: Path | None = None
    """Folder of the run of the version that serves; None: found by itself."""
    search: bool = False
    """Whether hyperparameters are searched again."""
    budget: str | None = None
    """As of `TrainConfig`; None, here and below: as in the run of the version that serves."""
    seed: int | None = None
    device: str | None = None
    is_dry: bool = False
    """Whether nothing is written, neither to the graph nor to the home."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            BadConfig: a value is out of range.
        """
        if self.keep < 1:
            raise BadConfig(f"--keep is {self.keep}; expected a number of runs from 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What one refresh did, and why."""

    published: bool
    reason: str
    version: str | None
    """The version that serves now; None: there is none."""
    before: dict[str, Any] = field(default_factory=dict)  # metrics, as the JSON document has them
    """Metrics of the version that served, by group of users; empty where nothing was compared."""
    after: dict[str, Any] = field(default_factory=dict)
    """The same of the new one."""
    checks: tuple[Check, ...] = ()
    """What the gate checked."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Changes since the training of the version that served."""
    refused: bool = False
    """Whether a new model was not good enough."""
    run: str | None = None
    """Folder of the new run; None: nothing was trained."""
    versions: tuple[NewProducts, ...] = ()
    """Products that came after the training and got vectors without one, by version."""
    seconds: float = 0.0


def parse_interval(text: str) -> float:
    """Return the seconds of `--every`, such as `10m`.

    Raises:
        BadConfig: it is no time of at least a second.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip())
    seconds = float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
    if not 1 <= seconds < math.inf:
        raise BadConfig(f"--every is {quoted(text)}; expected a time such as 30s, 10m or 6h")
    return seconds


def parse_share(text: str) -> float:
    """Return the share of `--at-least`, such as `1%`.

    Raises:
        BadConfig: it is no percentage.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text.strip())
    if not found or float(found[1]) > 100:
        raise BadConfig(f"--at-least is {quoted(text)}; expected a percentage such as 1% or 0.5%")
    return float(found[1]) / 100
