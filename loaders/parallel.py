"""Mapping in threads, with results in the order of the items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Piece = TypeVar("_Piece")


def map_ordered(
    function: Callable[[_Item], _Piece], items: Iterable[_Item], *, workers: int = 1, ahead: int = 1
) -> Iterator[_Piece]:
    """Map a function over items in their order, computing `ahead` results in advance."""
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[_Piece]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
