"""Recommendations that live in a Neo4j graph, with reasons the graph can prove.

`kinfolio.connect()` opens a graph; the object it returns has the steps as methods. The names below
are imported on first use, so that `import kinfolio` stays light.
"""

from __future__ import annotations

import os as _os
from typing import TYPE_CHECKING

from kinfolio.errors import KinfolioError

if TYPE_CHECKING:
    from kinfolio.api.connect import Kinfolio, TrainConfig, connect

__all__ = ["Kinfolio", "KinfolioError", "TrainConfig", "connect"]

# Must be set before torch is imported. Spinning threads take the core from the thread they wait for
# when another program is busy: a training took five times as long.
_os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


if not TYPE_CHECKING:  # otherwise type checkers would accept every name

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'kinfolio' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module("kinfolio.api.connect"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
