"""What the values of a column mean, decided from the whole column before any is converted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from kinfolio.loaders.columns.arrays import Converted


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """One way to read all values of a column."""

    convert: Callable[[Any], Converted]
    """Called with a pyarrow array of raw values."""
    why_invalid: Callable[[Any], tuple[str, str]]
    """Called with an invalid raw value; returns why, with and without details of the value."""
    name: str = ""
    """What was decided, e.g. `seconds since 1970`; empty if there was nothing to decide."""


class Survey(Protocol):
    """Counts the forms of a column's values; their order does not matter."""

    def add(self, values: Any) -> None:
        """Count the values of a pyarrow array."""

    def interpretation(self) -> Interpretation:
        """Return the interpretation of all values added."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The survey of a column that is read in one way only."""

    only: Interpretation

    def add(self, values: Any) -> None:
        """Ignore the values."""

    def interpretation(self) -> Interpretation:
        """Return the only interpretation."""
        return self.only
