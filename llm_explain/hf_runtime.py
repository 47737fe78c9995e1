"""Run the transformers library offline, without progress bars, on one thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def offline_transformers() -> Iterator[None]:
    """Read local files only and show no progress bars while the block runs."""
    # Must be set before transformers is imported: otherwise it queries a hub about local files.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers.utils import logging

    library: Any = logging  # Any: its switches have no types
    had_progress_bar = library.is_progress_bar_enabled()
    library.disable_progress_bar()
    try:
        yield
    finally:
        if had_progress_bar:
            library.enable_progress_bar()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread while the block runs.

    Decoding one token at a time leaves a second thread spinning: an answer took 2 CPU-seconds on
    one thread and 30 on two while other programs were running.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
