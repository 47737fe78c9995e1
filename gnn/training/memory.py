"""Memory of a training: kept between steps, and what to do when there is too little of it.

A step of training allocates and frees tables of tens of megabytes, which glibc maps and unmaps one
by one; fetching their pages took a third of the time of a step on gowalla's graph (.124 of .41 CPU
seconds, 128 wide).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from kinfolio.errors import NotReady

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Names of glibc's malloc.h."""
_KEPT = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 << 20}
_USUAL = {_MMAP_MAX: 65536, _TRIM_THRESHOLD: 128 << 10, _TOP_PAD: 128 << 10}
_TABLES = 12
"""Tables of all nodes that a step has at once: parameters, moments, layers, gradients."""


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory until the end of the block; where there is no glibc, nothing happens."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        yield
        return
    for name, value in _KEPT.items():
        library.mallopt(name, value)
    try:
        yield
    finally:
        for name, value in _USUAL.items():
            library.mallopt(name, value)
        library.malloc_trim(0)


@contextmanager
def told_when_too_little(num_nodes: int, dim: int, device: torch.device) -> Iterator[None]:
    """Say which width would fit when the block runs out of memory.

    Args:
        num_nodes: users and products.
        dim: width of the head that is trained in the block.
        device: where it is trained.

    Raises:
        NotReady: there is too little memory.
    """
    try:
        yield
    except RuntimeError as error:
        if not ("out of memory" in str(error) or "allocate memory" in str(error)):
            raise
        width = num_nodes * 4 * _TABLES
        fits = _free(device) // width // 8 * 8
        cure = (
            f"type: kinfolio train --dim {min(fits, dim // 2)}"
            if fits >= 8
            else "give it a machine with more memory"
        )
        raise NotReady(
            f"out of memory: a head {dim} wide of {num_nodes:,} users and products takes some "
            f"{dim * width / 1e9:.1f} GB while it is trained, and {fits:,} numbers a node would "
            f"fit; {cure}"
        ) from error


def _free(device: torch.device) -> int:
    """Bytes that could be had."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)
