"""The server's jars, downloaded from Maven's central repository by jgo into Maven's cache.

kinfolio does not redistribute Neo4j: it comes from its publisher, under its own licence.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
    """Return the jars of the server, from the list in the file `cache` or downloaded.

    Raises:
        ServerError: the download failed.
    """
    known = known_jars(cache)
    if known is not None:
        return known
    found = _resolve(on_message)
    write_json(cache, {"version": NEO4J_VERSION, "jars": [str(jar) for jar in found]})
    return found


def known_jars(cache: Path) -> tuple[Path, ...] | None:
    """Return the jars listed in the file `cache`; None if it or one of them is missing."""
    if not cache.is_file():
        return None
    try:
        content = read_json(cache)
    except RunBroken:
        return None
    found = tuple(Path(jar) for jar in content.get("jars", ()))
    if content.get("version") != NEO4J_VERSION or not found:
        return None
    return found if all(jar.is_file() for jar in found) else None


def repository() -> Path:
    """Return Maven's cache of jars on this machine, shared by all homes."""
    named = os.environ.get("M2_REPO")
    return Path(named).expanduser() if named else Path.home() / ".m2" / "repository"


def _resolve(on_message: Callable[[str], None]) -> tuple[Path, ...]:
    maven = shutil.which("mvn")
    on_message(
        f"Looking up the jars of Neo4j {NEO4J_VERSION} Community (GPLv3, about 160 MB, once)\n"
        f"in Maven's central repository{' with mvn' if maven else ''}; "
        f"{'up to a minute' if maven else 'about two minutes'} ..."
    )
    folder = repository()
    try:
        with _logging_off(), _reporting(folder, on_message):
            if maven:
                try:
                    return _by_jgo(folder, maven)
                except (RuntimeError, OSError):
                    on_message("mvn could not fetch them; trying without it ...")
            return _by_jgo(folder, None)
    # RuntimeError: jgo cannot resolve; OSError: network and disk; the others: a damaged file.
    except (RuntimeError, OSError, ValueError, SyntaxError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise ServerError(
                f"the disk of {folder} is full; free about 500 MB and type: kinfolio db start"
            ) from error
        raise ServerError(
            f"the jars of Neo4j {NEO4J_VERSION} could not be fetched "
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
        return tuple(pool.map(_fetched, artifacts))


def _fetched(artifact: Any) -> Path:
    # Any: jgo has no types.
    jar = Path(artifact.resolve())
    if not zipfile.is_zipfile(jar):  # an interrupted download, which jgo takes for complete
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
def _reporting(folder: Path, on_message: Callable[[str], None]) -> Iterator[None]:
    """Report the downloads every few seconds."""
    done = threading.Event()
    before = _fetched_into(folder)

    def report() -> None:
        while not done.wait(PROGRESS_SECONDS):
            descriptions, jars, size = (
                now - then for now, then in zip(_fetched_into(folder), before, strict=True)
            )
            on_message(
                f"  fetched {descriptions} descriptions and {jars} jars, {size / 1e6:.0f} MB ..."
            )

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()


def _fetched_into(folder: Path) -> tuple[int, int, int]:
    """Return the number of descriptions, the number of jars and the bytes of the jars."""
    descriptions = jars = size = 0
    for path in folder.rglob("*.[pj][oa][mr]"):
        if path.suffix == ".pom":
            descriptions += 1
            continue
        try:
            size += path.stat().st_size
        except FileNotFoundError:  # a download that was just renamed
            continue
        jars += 1
    return descriptions, jars, size
