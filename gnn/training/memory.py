"""Memory of a training: freed pages are retained between steps, and shortage is explained.

A training step allocates and frees tables of tens of megabytes, which glibc maps and unmaps one by
one; faulting their pages in took a third of the time of a step on gowalla (.124 of .41 CPU seconds,
128 wide).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from kinfolio.errors import NotReady
from kinfolio.gnn.blend.link_models import counted_pairs
from kinfolio.gnn.blend.shortlist import shortlist_scores
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.memory import available_bytes, need_memory
from kinfolio.gnn.text.encoder import WIDTH
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.search.candidates import DIMS, NUM_HEADS
from kinfolio.records import Progress, Snapshot

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Names of glibc's malloc.h."""
_RETAIN = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 << 20}
_DEFAULTS = {_MMAP_MAX: 65536, _TRIM_THRESHOLD: 128 << 10, _TOP_PAD: 128 << 10}
_BYTES_PER_EDGE = 100
_BYTES_PER_LINKED = 4_000
"""Of links: of 50 neighbours by seven penalties."""
_BYTES_PER_SCORE = 16
_TABLES = 12
"""Tables of all nodes that a step holds at once: parameters, moments, layers, gradients."""


@contextmanager
def retain_freed_memory() -> Iterator[None]:
    """Do not return freed memory to the system within the block; no-op without glibc."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        yield
        return
    for name, value in _RETAIN.items():
        library.mallopt(name, value)
    try:
        yield
    finally:
        for name, value in _DEFAULTS.items():
            library.mallopt(name, value)
        library.malloc_trim(0)


@contextmanager
def explain_out_of_memory(num_nodes: int, dim: int, device: torch.device) -> Iterator[None]:
    """Translate an out-of-memory error into the width that would fit.

    Args:
        num_nodes: users and products.
        dim: width of the head trained in the block.
        device: where it is trained.

    Raises:
        NotReady: out of memory.
    """
    try:
        yield
    except RuntimeError as error:
        if not ("out of memory" in str(error) or "allocate memory" in str(error)):
            raise
        bytes_per_column = num_nodes * 4 * _TABLES
        fits = available_bytes(device) // bytes_per_column // 8 * 8
        cure = (
            f"type: kinfolio train --dim {min(fits, dim // 2)}"
            if fits >= 8
            else "use a machine with more memory"
        )
        raise NotReady(
            f"out of memory: training a head {dim} wide of {num_nodes:,} users and products takes "
            f"about {dim * bytes_per_column / 1e9:.1f} GB, a width of {fits:,} would fit; {cure}"
        ) from error


def check_memory(
    snapshot: Snapshot, config: TrainConfig, data: TrainingData, progress: Progress
) -> None:
    """Report how much memory a training takes.

    Raises:
        OutOfMemory: less is available.
    """
    if data.matrix.device.type == "cpu":
        cure = "give a smaller --dim or --links off, or use a machine with more memory"
        need_memory("training", training_bytes(snapshot, config, data), cure, progress)


def training_bytes(snapshot: Snapshot, config: TrainConfig, data: TrainingData) -> int:
    """Return about how many bytes a training takes at its peak, on a CPU."""
    num_nodes, num_products = len(data.degrees), data.num_products
    dim = config.dim or DIMS[-1]
    head = num_nodes * dim * 4 * (_TABLES if not config.quick else 4)
    stored = num_nodes * dim * 4 * 2 * (config.heads or NUM_HEADS)
    edges = _BYTES_PER_EDGE * len(data.degrees) + _BYTES_PER_EDGE * len(data.user)
    texts = 0
    if config.text != "off":
        num_texts = num_products + len(snapshot.reviews.text)
        texts = (num_texts + 4 * num_nodes) * WIDTH * 4
    links = 0
    if config.links == "auto" and config.ids:
        pairs = min(counted_pairs(data.interactions), float(num_products) ** 2)
        links = int(pairs) * 8 + _BYTES_PER_LINKED * num_products
    scores = _BYTES_PER_SCORE * shortlist_scores(data)
    return stored + edges + texts + max(head, links + scores)
