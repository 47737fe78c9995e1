"""Write cypher/server/jars.txt: the jars of a Neo4j version with their SHA-256, resolved by jgo.

Run `python bench/jars.py` after a change of NEO4J_VERSION, on a machine whose network you trust.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from jgo.maven import MavenContext, MvnResolver
from jgo.parse import Coordinate

from kinfolio.cypher.server.jars import BROWSER, NEO4J_VERSION, repository

LIST = Path(__file__).parents[1] / "cypher" / "server" / "jars.txt"
BROWSER_VERSION = "5.24.0"
COORDINATES = (
    ("org.neo4j", "neo4j", NEO4J_VERSION),
    ("org.neo4j.app", "neo4j-server", NEO4J_VERSION),
    ("org.neo4j", "neo4j-import-tool", NEO4J_VERSION),
    ("org.neo4j.client", BROWSER, BROWSER_VERSION),
)


def main() -> None:
    # Any: jgo has no types. Its own resolver adds jars that only tests need.
    resolver: Any = MvnResolver(Path(shutil.which("mvn") or "mvn"))
    context = MavenContext(resolver=resolver, repo_cache=repository())
    roots = [
        context.create_dependency(Coordinate(group, artifact, version=version, scope="compile"))
        for group, artifact, version in COORDINATES
    ]
    inputs, others = resolver.resolve(roots)
    lines = []
    for found in [*inputs, *others]:
        if found.scope not in ("compile", "runtime"):
            continue
        artifact = found.artifact
        digest = hashlib.sha256(Path(artifact.resolve()).read_bytes()).hexdigest()
        parts = [artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier]
        lines.append(f"{digest} {':'.join(part for part in parts if part)}")
    LIST.write_text("\n".join(sorted(lines, key=lambda line: line.split()[1])) + "\n", "utf-8")


if __name__ == "__main__":
    main()
