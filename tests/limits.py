"""Limits of the operating system within a block, for tests of its errors."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def limit(kind: int, soft: int) -> Iterator[None]:
    """Set a soft limit of this process, such as `resource.RLIMIT_FSIZE`."""
    old = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, old)
