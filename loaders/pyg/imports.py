"""Importing PyTorch Geometric without its warnings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pyg_warnings_ignored() -> Iterator[None]:
    """Ignore the warnings for PyG's use of torch.jit.script, which torch deprecates."""
    with warnings.catch_warnings():
        for category in (FutureWarning, DeprecationWarning):
            warnings.filterwarnings("ignore", "`torch.jit", category)
        yield
