"""Limits: requests of a caller by a token bucket, and answers of conversations at once."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kinfolio.errors import KinfolioError

MOST_CALLERS = 10_000
"""Callers whose requests are counted; the one who was idle longest is forgotten."""


class TooManyRequests(KinfolioError):
    """A caller asks more often than allowed, or too many conversations are answered at once."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = max(1, math.ceil(seconds))
        """After which a repetition makes sense."""


class Overloaded(TooManyRequests):
    """All workers of one kind are busy."""


class RateLimit:
    """A token bucket for each caller: `rate` a second on average, `burst` at once."""

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str) -> None:
        """Count one request.

        Raises:
            TooManyRequests: the bucket is empty.
        """
        now = self._clock()
        with self._lock:
            left, then = self._buckets.pop(caller, (self._burst, now))
            left = min(self._burst, left + (now - then) * self._rate)
            is_allowed = left >= 1
            self._buckets[caller] = (left - is_allowed, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        if not is_allowed:
            raise TooManyRequests(
                f"more than {self._rate:g} requests a second; wait a moment and repeat",
                (1 - left) / self._rate,
            )


class Places:
    """A limited number of places for work that goes on at the same time."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._free = threading.BoundedSemaphore(number)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place during the block.

        Raises:
            Overloaded: all are taken.
        """
        if not self._free.acquire(blocking=False):
            raise Overloaded(
                f"{self._number} conversations are answered already; repeat in a few seconds", 3
            )
        try:
            yield
        finally:
            self._free.release()
