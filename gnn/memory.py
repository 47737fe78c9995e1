"""Memory that steps may use, and refusal of a step that takes more, before it starts."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

import psutil
import torch

from kinfolio.errors import OutOfMemory
from kinfolio.records import Progress

_CGROUPS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    (
        "/sys/fs/cgroup/memory",
        *("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ),
)
"""Folder of a container's limits in both versions of cgroups; limit, use, and what is cached."""


def need_memory(step: str, needed: int, cure: str, progress: Progress) -> None:
    """Report how much memory a step takes.

    Args:
        step: what takes it, as the subject of a sentence.
        needed: bytes, in addition to what is used now.
        cure: what else can be done than to close other programs.
        progress: called with a sentence.

    Raises:
        OutOfMemory: less is available.
    """
    available = available_bytes()
    takes = f"{step} takes about {_size(needed)} of memory"
    if needed > available:
        raise OutOfMemory(f"{takes}, {_size(available)} are available; {cure}")
    progress(takes, 0, 0)


def available_bytes(device: torch.device | None = None) -> int:
    """Return the memory that this process can still take.

    On a GPU its free memory, else the least by machine, container and limit of the process.
    """
    if device is not None and device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [int(psutil.virtual_memory().available)]
    for folder, limit, used, cached in _CGROUPS:
        with suppress(OSError, ValueError):  # "max": no limit
            free = int(Path(folder, limit).read_text()) - int(Path(folder, used).read_text())
            statistics = Path(folder, "memory.stat").read_text().split()
            found.append(free + int(statistics[statistics.index(cached) + 1]))
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        found.append(most - psutil.Process().memory_info().vms)
    return max(0, min(found))


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 10**8 else f"{number / 1e6:.1f} MB"
