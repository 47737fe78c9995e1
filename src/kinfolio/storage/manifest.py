"""The manifest of a snapshot: its fields, and whether the files are those that it describes.

Snapshots of earlier versions have no checksums: they are checked by the hash of their content.
"""

from __future__ import annotations

from pathlib import Path
from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic refuses those of Python 3.11
    cast,
)

from typing_extensions import TypedDict

from kinfolio.errors import NotReady, RunBroken, shell_command
from kinfolio.run import read_json
from kinfolio.snapshot_tables import FORMAT, TABLES, table_path
from kinfolio.storage.document import checksum, read_document

MANIFEST = "manifest.json"
_MAGIC = b"ARROW1"
"""First and last bytes of an Arrow file."""


class FileStamp(TypedDict):
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str


class Manifest(TypedDict):
    """The fields of `manifest.json`; see `docs/snapshot.md`."""

    format: int
    counts: dict[str, int]
    """Rows of each table."""
    hash: str
    cut: int | None
    held_out: int
    files: NotRequired[dict[str, FileStamp]]
    """By name of the file."""
    server: NotRequired[str]
    consistency: NotRequired[Literal["quiet", "marked", "moving"]]
    how: NotRequired[Literal["whole", "changes", "part"]]
    watermark: NotRequired[int | None]
    countable: NotRequired[bool]
    part: NotRequired[dict[str, Any] | None]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a complete snapshot; compare sizes and first bytes of its files.

    Raises:
        NotReady: there is no snapshot.
        RunBroken: it is incomplete, damaged or of another format.
    """
    path, cure = folder / MANIFEST, cure_of(folder)
    if not path.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise RunBroken(f"{folder} is half written (no {MANIFEST}); {cure}")
        if folder.is_symlink() and not folder.exists():
            raise RunBroken(f"{folder} is a link to nothing; remove it, {cure}")
        if folder.exists() and not folder.is_dir():
            raise RunBroken(f"{folder} is a file, a folder was expected; move it away, {cure}")
        raise NotReady(f"there is no snapshot in {folder} yet; {cure}")
    found = read_json(path, cure).get("format")
    if found != FORMAT:
        raise RunBroken(
            f"{folder} has snapshot format {found}, this kinfolio reads {FORMAT}; {cure}"
        )
    manifest = cast(Manifest, read_document(path, Manifest, cure))
    if set(manifest["counts"]) != set(TABLES):
        raise RunBroken(f"{path} is damaged (counts of {', '.join(manifest['counts'])}); {cure}")
    for table in TABLES:
        if fault := _fault(table_path(folder, table), manifest):
            raise RunBroken(f"{table_path(folder, table)} is damaged ({fault}); {cure}")
    return manifest


def stamp(path: Path) -> FileStamp:
    """Return size and checksum of a file."""
    return {"bytes": path.stat().st_size, "sha256": checksum(path)}


def changed_file(folder: Path, manifest: Manifest) -> Path | None:
    """Return the first file whose checksum is not the one in the manifest."""
    for name, expected in manifest.get("files", {}).items():
        if checksum(folder / name) != expected["sha256"]:
            return folder / name
    return None


def cure_of(folder: Path) -> str:
    """Return what to type when a snapshot is missing or damaged."""
    return f"type: {shell_command('export', '--run', folder.parent)}"


def _fault(path: Path, manifest: Manifest) -> str:
    """Return what is wrong with a file at first sight; "" if nothing is."""
    if not path.is_file():
        return "there is no such file"
    expected = manifest.get("files", {}).get(path.name)
    if expected and path.stat().st_size != expected["bytes"]:
        return f"{path.stat().st_size:,} bytes instead of {expected['bytes']:,}"
    with path.open("rb") as file:
        begin = file.read(len(_MAGIC))
        file.seek(-min(len(_MAGIC), path.stat().st_size), 2)
        if not begin == file.read() == _MAGIC:
            return "no Arrow file"
    return ""
