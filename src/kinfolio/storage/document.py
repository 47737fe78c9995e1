"""JSON documents of a run, checked against a schema when they are read; checksums of files."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kinfolio.errors import NotReady, RunBroken
from kinfolio.run import read_json

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_T = TypeVar("_T")
_ATTEMPTS = 3
_REPLACED_SECONDS = 0.2
"""Longer than the replacement of files that belong together takes."""


def read_document(path: Path, schema: type, cure: str) -> dict[str, Any]:
    """Read a JSON document; it may have further fields.

    Args:
        path: of the file.
        schema: a `TypedDict`.
        cure: what to type when the file is damaged.

    Raises:
        RunBroken: it is damaged: no JSON, or a field is missing or of another type.
    """
    from pydantic import ValidationError

    content = read_json(path, cure)
    try:
        _adapter(schema).validate_python(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field, found = ".".join(map(str, first["loc"])), _short(first["input"])
        fault = "is missing" if first["type"] == "missing" else f"is {found}: {first['msg']}"
        raise RunBroken(
            f"{path} is damaged or of another version ({field} {fault}); {cure}"
        ) from None
    # What was read, not what was validated, which lacks the further fields.
    return content


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unless_replaced(read: Callable[[], _T], written_last: Path) -> _T:
    """Return what `read` returns; read again if another process replaced the files meanwhile.

    Args:
        read: reads files that belong together.
        written_last: the one of them that is replaced last.

    Raises:
        NotReady, RunBroken: as `read` does.
    """
    for _ in range(_ATTEMPTS):
        before = _state(written_last)
        try:
            found = read()
        except (NotReady, RunBroken):
            time.sleep(_REPLACED_SECONDS)
            if _state(written_last) == before:
                raise
            continue
        if _state(written_last) == before:
            return found
    return read()


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


@cache
def _adapter(schema: type) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(schema)


def _short(value: Any) -> str:  # Any: of a JSON document
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
