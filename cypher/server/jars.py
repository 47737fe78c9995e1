"""The server's jars, downloaded from Maven's central repository by jgo into Maven's cache.

kinfolio does not redistribute Neo4j, which has a licence of its own.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kinfolio.errors import RunBroken, ServerError
from kinfolio.run import read_json, write_json

NEO4J_VERSION = "2026.08.1"
COORDINATES = (
    ("org.neo4j", "neo4j"),
    ("org.neo4j.app", "neo4j-server"),
    ("org.neo4j", "neo4j-import-tool"),
)
PROGRESS_SECONDS = 5.0
DOWNLOADS_AT_ONCE = 8


def jars(cache: Path, on_message: Callable[[str], None]) -> tuple[Path, ...]:
    """Return the jars of the server: those listed in the file `cache`, else resolve them.

    Raises:
        ServerError: the download failed.
    """
    found = cached_jars(cache)
    if found is None:
        found = _resolve(on_message)
        write_json(cache, {"version": NEO4J_VERSION, "jars": [str(jar) for jar in found]})
    return found


def cached_jars(cache: Path) -> tuple[Path, ...] | None:
    """Return the jars listed in the file `cache`; None if it or one of them is missing."""
    try:
        content = read_json(cache) if cache.is_file() else {}
    except RunBroken:
        return None
    found = tuple(Path(jar) for jar in content.get("jars", ()))
    is_complete = content.get("version") == NEO4J_VERSION and all(jar.is_file() for jar in found)
    return found if found and is_complete else None


def repository() -> Path:
    """Return Maven's cache of jars, shared by all homes."""
    return Path(os.environ.get("M2_REPO") or "~/.m2/repository").expanduser()


def _resolve(on_message: Callable[[str], None]) -> tuple[Path, ...]:
    maven = shutil.which("mvn")
    folder = repository()
    on_message(
        f"Resolving the jars of Neo4j {NEO4J_VERSION} Community (GPLv3, about 160 MB, once)\n"
        f"in {folder}, or downloading them from Maven's central repository"
        f"{' with mvn' if maven else ''}; "
        f"{'up to a minute' if maven else 'about two minutes'} ..."
    )
    try:
        with _logging_off(), _report_downloads(folder, on_message):
            if maven:
                try:
                    return _by_jgo(folder, maven)
                except (RuntimeError, OSError):
                    on_message("mvn failed; resolving without it ...")
            return _by_jgo(folder, None)
    # RuntimeError: jgo cannot resolve; OSError: network and disk; others: a damaged file.
    except (RuntimeError, OSError, ValueError, SyntaxError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise ServerError(
                f"the disk of {folder} is full; free about 500 MB and type: kinfolio db start"
            ) from error
        raise ServerError(
            f"the jars of Neo4j {NEO4J_VERSION} could not be downloaded "
            f"({' '.join(str(error).split())[:160]}); "
            "check the network and type: kinfolio db start"
        ) from error


def _by_jgo(folder: Path, maven: str | None) -> tuple[Path, ...]:
    from jgo.maven import MavenContext, MvnResolver, PythonResolver
    from jgo.parse import Coordinate

    # Any: jgo has no types.
    resolver: Any = MvnResolver(Path(maven)) if maven else PythonResolver()
    context = MavenContext(resolver=resolver, repo_cache=folder)
    dependencies = [
        context.create_dependency(
            Coordinate(group, artifact, version=NEO4J_VERSION, scope="compile")
        )
        for group, artifact in COORDINATES
    ]
    inputs, others = resolver.resolve(dependencies)
    artifacts = [
        dependency.artifact
        for dependency in [*inputs, *others]
        if dependency.scope in ("compile", "runtime")
    ]
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        return tuple(pool.map(_download, artifacts))


def _download(artifact: Any) -> Path:
    # Any: jgo has no types.
    jar = Path(artifact.resolve())
    if not zipfile.is_zipfile(jar):  # an interrupted download, which jgo considers complete
        jar.unlink()
        jar = Path(artifact.resolve())
    return jar


@contextmanager
def _logging_off() -> Iterator[None]:
    logger = logging.getLogger("jgo")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _report_downloads(folder: Path, on_message: Callable[[str], None]) -> Iterator[None]:
    """Report the time and the files added to Maven's cache every few seconds."""
    done = threading.Event()
    started, before = time.monotonic(), _sizes(folder)

    def report() -> None:
        while not done.wait(PROGRESS_SECONDS):
            added = {path: size for path, size in _sizes(folder).items() if path not in before}
            jars = [size for path, size in added.items() if path.suffix == ".jar"]
            downloads = (
                f"downloaded {len(jars)} jars, {sum(jars) / 1e6:.0f} MB, "
                f"and {len(added) - len(jars)} POM files"
                if added
                else "reading cached files, nothing downloaded so far"
            )
            on_message(f"  {time.monotonic() - started:.0f} s: {downloads} ...")

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()


def _sizes(folder: Path) -> dict[Path, int]:
    """Return the bytes of each jar and POM file."""
    sizes = {}
    for path in folder.rglob("*.[pj][oa][mr]"):
        with suppress(FileNotFoundError):  # a temporary file of a download
            sizes[path] = path.stat().st_size
    return sizes
