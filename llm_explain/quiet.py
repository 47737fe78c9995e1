"""The transformers library without its progress bars and without asking a hub."""

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
