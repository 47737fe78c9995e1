"""How much computing a training may take, in CPU time: a busy machine changes it little."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kinfolio.errors import BadConfig

_USUAL = 300.0
_MORE = 300.0 / 380_000
"""CPU seconds for each further interaction: 10 minutes at 730,000."""
_FOR_BLEND = 0.18
_FOR_LINKS = 0.05
"""Parts of the budget: to choose the blend, and to make its links once more."""
_SMALL = 350_000
"""Interactions up to which the usual 5 minutes hold."""
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Budget:
    """CPU seconds of this process, all its threads together.

    What was spent is added up from what each part took, so that a training that goes on after a
    kill decides as it would have without.
    """

    def __init__(self, seconds: float, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Nothing is spent yet.

        Args:
            seconds: what may be spent.
            is_stopped: whether somebody asked to finish with what there is.
        """
        self.seconds = seconds
        self.spent = 0.0
        self.is_stopped = is_stopped

    @property
    def left(self) -> float:
        """CPU seconds until the end; negative when it is overdrawn."""
        return self.seconds - self.spent

    @property
    def left_for_heads(self) -> float:
        """The same without the part that is kept for the blend."""
        return self.left - _FOR_BLEND * self.seconds

    @property
    def left_for_refit(self) -> float:
        """Once the blend is chosen, the same without the part to make its links once more."""
        return self.left - _FOR_LINKS * self.seconds

    def spend(self, seconds: float) -> None:
        """Count what a part took."""
        self.spent += seconds

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what the block takes."""
        started = time.process_time()
        try:
            yield
        finally:
            self.spend(time.process_time() - started)


def seconds_of(text: str, num_interactions: int) -> float:
    """CPU seconds that `--budget` names; `auto` follows from the number of interactions.

    Raises:
        BadConfig: it is no time, or none at all.
    """
    if text == "auto":
        return _USUAL + _MORE * max(0, num_interactions - _SMALL)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if not found or float(found[1]) == 0:
        raise BadConfig(f"--budget is {text!r}; expected auto, or a time such as 90s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2]]
