"""The transformers library without progress bars, without asking a hub, on one thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """A block in which transformers reads local files only and shows no progress bars."""
    # Must be set before transformers is imported: it asks a hub about local files otherwise.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers.utils import logging

    library: Any = logging  # Any: its switches have no types
    was_shown = library.is_progress_bar_enabled()
    library.disable_progress_bar()
    try:
        yield
    finally:
        if was_shown:
            library.enable_progress_bar()


@contextmanager
def one_thread() -> Iterator[None]:
    """A block in which torch computes on one thread.

    A token at a time leaves a second thread nothing to do but to spin: an answer took 2 CPU-seconds
    on one thread, 30 on two when other programs were at work.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
