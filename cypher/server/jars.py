"""The server's jars, downloaded from Maven's central repository by jgo into Maven's cache.

kinfolio does not redistribute Neo4j, which has a licence of its own. `jars.txt` lists them with
their SHA-256, written by `bench/jars.py`; a jar with other content is never run.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kinfolio.errors import KinfolioError, ServerError
from kinfolio.os_errors import translated
from kinfolio.run import read_json, write_json

NEO4J_VERSION = "2026.08.1"
BROWSER = "neo4j-browser"
"""Artifact of Neo4j Browser, needed only while it is switched on."""
DOWNLOADS_AT_ONCE = 8
_REPORTS = 5


@dataclass(frozen=True, slots=True)
class Jar:
    """One listed jar."""

    sha256: str
    group: str
    artifact: str
    version: str
    classifier: str | None = None

    @property
    def path(self) -> Path:
        """File in Maven's cache."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        name = f"{self.artifact}-{self.version}{suffix}.jar"
        return repository().joinpath(*self.group.split("."), self.artifact, self.version, name)


@cache
def listed_jars() -> tuple[Jar, ...]:
    """Return the jars of `jars.txt`."""
    text = files("kinfolio.cypher.server").joinpath("jars.txt").read_text("utf-8")
    lines = (line.split() for line in text.splitlines())
    return tuple(Jar(sha256, *coordinate.split(":")) for sha256, coordinate in lines)


def repository() -> Path:
    """Return Maven's cache of jars, shared by all homes."""
    return Path(os.environ.get("M2_REPO") or "~/.m2/repository").expanduser()


def jars(
    verified: Path, on_message: Callable[[str], None], *, with_browser: bool = False
) -> tuple[Path, ...]:
    """Return the jars of the server; download those that are missing or damaged.

    `verified` is a file with size and time of the jars whose hash was right; those that are
    unchanged are not hashed again.

    Raises:
        ServerError: the download failed, or the repository has another jar.
        FileError: the repository cannot be written.
    """
    wanted = [jar for jar in listed_jars() if with_browser or jar.artifact != BROWSER]
    missing = wrong_jars(wanted, verified)
    if missing:
        _download(missing, on_message)
        if wrong := wrong_jars(missing, verified):
            raise ServerError(
                f"{wrong[0].path} is not the jar that kinfolio was tested with (its SHA-256 "
                "differs); check the mirror of Maven's central repository that delivered it"
            )
    return tuple(jar.path for jar in wanted)


def wrong_jars(wanted: Sequence[Jar], verified: Path, *, deep: bool = False) -> list[Jar]:
    """Return the jars that are missing or whose SHA-256 differs; `deep` hashes all again."""
    before = _read(verified)
    known = {} if deep else dict(before)
    wrong = []
    for jar in wanted:
        try:
            stat = jar.path.stat()
            now = [jar.sha256, stat.st_size, stat.st_mtime_ns]
            if known.get(str(jar.path)) == now:
                continue
            with jar.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            digest, now = "", []
        if digest == jar.sha256:
            known[str(jar.path)] = now
        else:
            wrong.append(jar)
    if known != before and verified.parent.is_dir():
        write_json(verified, {"version": NEO4J_VERSION, "verified": known})
    return wrong


def _read(verified: Path) -> dict[str, Any]:
    # Any: a hash, a size and a time, or whatever a damaged file holds.
    try:
        content = read_json(verified).get("verified") if verified.is_file() else None
    except KinfolioError:
        content = None
    return content if isinstance(content, dict) else {}


def _download(missing: Sequence[Jar], on_message: Callable[[str], None]) -> None:
    folder = repository()
    on_message(
        f"Downloading {len(missing)} jars of Neo4j {NEO4J_VERSION} Community (GPLv3, at most "
        f"170 MB, once) from Maven's central repository to {folder} ..."
    )
    try:
        with _logging_off(), ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            size = 0
            for done, path in enumerate(pool.map(_fetch, missing), 1):
                size += path.stat().st_size
                if done % (len(missing) // _REPORTS + 1) == 0:
                    on_message(f"  {done} of {len(missing)} jars, {size / 1e6:.0f} MB ...")
    # RuntimeError: jgo cannot resolve; OSError: network and disk; others: a damaged file.
    except (RuntimeError, OSError, ValueError, SyntaxError) as error:
        refused = translated(error, folder, "write", cure="set M2_REPO to another folder")
        if refused is not None:
            raise refused from error
        raise ServerError(
            f"the jars of Neo4j {NEO4J_VERSION} could not be downloaded "
            f"({' '.join(str(error).split())[:160]}); "
            "check the network and type: kinfolio db start"
        ) from error


def _fetch(jar: Jar) -> Path:
    from jgo.maven import MavenContext, PythonResolver
    from jgo.parse import Coordinate

    jar.path.unlink(missing_ok=True)  # jgo considers a damaged file complete
    # Any: jgo has no types.
    context: Any = MavenContext(resolver=PythonResolver(), repo_cache=repository())
    coordinate = Coordinate(
        jar.group, jar.artifact, version=jar.version, classifier=jar.classifier, scope="compile"
    )
    return Path(context.create_dependency(coordinate).artifact.resolve())


@contextmanager
def _logging_off() -> Iterator[None]:
    logger = logging.getLogger("jgo")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
