"""The file of `kinfolio db dump`: a tar archive of a manifest and Neo4j's own dump.

Neo4j's `neo4j-admin database load` reads the member `neo4j.dump`, also without kinfolio.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from kinfolio.cypher.server.home import DATABASE
from kinfolio.errors import BadInput
from kinfolio.os_errors import os_errors
from kinfolio.run import whole_file

_MANIFEST = "manifest.json"
_DUMP = f"{DATABASE}.dump"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a dump contains."""

    version: str
    """Version of Neo4j that wrote it."""
    hash: str
    """Hash of the graph's content, as by `kinfolio db hash`."""
    nodes: int
    sha256: str = ""
    """Hash of Neo4j's dump."""


def write_dump(file: Path, dump: Path, manifest: Manifest) -> Manifest:
    """Write the archive whole or not at all; return its manifest with the hash of the dump."""
    complete = Manifest(**{**asdict(manifest), "sha256": _sha256(dump)})
    text = json.dumps(asdict(complete), indent=2).encode()
    with whole_file(file) as temporary, tarfile.open(temporary, "w") as archive:
        entry = tarfile.TarInfo(_MANIFEST)
        entry.size = len(text)
        archive.addfile(entry, BytesIO(text))
        archive.add(dump, _DUMP)
    return complete


def read_manifest(file: Path) -> Manifest:
    """Return the manifest of an archive whose dump has the right checksum.

    Raises:
        BadInput: the file is not a dump, or is damaged.
    """
    try:
        with os_errors(file, "read"), tarfile.open(file) as archive:
            manifest = Manifest(**json.load(_member(archive, _MANIFEST)))
            digest = hashlib.file_digest(_member(archive, _DUMP), "sha256")  # type: ignore[arg-type]
    except (tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{file} is no complete dump of kinfolio ({error}); give a file of: kinfolio db dump"
        ) from error
    if digest.hexdigest() != manifest.sha256:
        raise BadInput(f"{file} is damaged: its checksum differs; use another copy of it")
    return manifest


def extract_dump(file: Path, folder: Path) -> None:
    """Write the dump in an archive to a folder, named as Neo4j expects it."""
    with tarfile.open(file) as archive, (folder / _DUMP).open("wb") as target:
        shutil.copyfileobj(_member(archive, _DUMP), target)


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise KeyError(f"{name} is no file")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
