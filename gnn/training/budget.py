"""The CPU time of a training: on a busy machine it changes less than wall-clock time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kinfolio.errors import BadConfig, quoted

_DEFAULT_SECONDS = 300.0
_SMALL = 350_000
"""Interactions up to which the default is enough."""
_SECONDS_PER_INTERACTION = 300.0 / 380_000
"""For each further interaction: 10 minutes at 730,000."""
_BLEND_SHARE = 0.18
_LINKS_SHARE = 0.05
"""Shares of the budget reserved to choose the blend, and to recompute its links."""
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Budget:
    """CPU seconds of this process, all threads together.

    Spending is the sum over parts, so that a resumed training decides as it would have decided
    without interruption.
    """

    def __init__(self, seconds: float, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Start with nothing spent.

        Args:
            seconds: CPU seconds that may be spent.
            is_stopped: returns whether the user asked to finish early.
        """
        self.seconds = seconds
        self.spent = 0.0
        self.spent_until: dict[str, float] = {}
        """CPU seconds spent at the end of each phase."""
        self.is_stopped = is_stopped

    @property
    def left(self) -> float:
        """CPU seconds left; negative when overspent."""
        return self.seconds - self.spent

    @property
    def left_for_heads(self) -> float:
        """CPU seconds left without the reserve for the blend."""
        return self.left - _BLEND_SHARE * self.seconds

    @property
    def left_for_refit(self) -> float:
        """CPU seconds left without the reserve for recomputing links."""
        return self.left - _LINKS_SHARE * self.seconds

    def spend(self, seconds: float) -> None:
        """Add to what is spent."""
        self.spent += seconds

    def end_phase(self, name: str) -> None:
        """Record what is spent so far under a name."""
        self.spent_until[name] = self.spent

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the CPU time of the block."""
        started = time.process_time()
        try:
            yield
        finally:
            self.spend(time.process_time() - started)


def parse_budget(text: str, num_interactions: int) -> float:
    """Return the CPU seconds of `--budget`; `auto` depends on the number of interactions.

    Raises:
        BadConfig: not a positive time.
    """
    if text == "auto":
        return _DEFAULT_SECONDS + _SECONDS_PER_INTERACTION * max(0, num_interactions - _SMALL)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if not found or float(found[1]) == 0:
        raise BadConfig(
            f"--budget is {quoted(text)}; expected auto, or a time such as 90s, 5m or 1h"
        )
    return float(found[1]) * _UNITS[found[2]]
