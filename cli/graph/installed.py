"""Files of installed packages compared with the hashes that their wheels record."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import files
from pathlib import Path


def damaged_files(package: str) -> list[Path]:
    """Return the files of a package that are missing or whose SHA-256 is not the recorded one."""
    damaged = []
    for file in files(package) or ():
        if file.hash is None or file.hash.mode != "sha256":
            continue
        path = Path(str(file.locate()))
        try:
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").digest()
        except OSError:
            digest = b""
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != file.hash.value:
            damaged.append(path)
    return damaged
