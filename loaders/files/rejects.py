"""Rows that are not loaded, and the reasons."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from kinfolio.loaders.reports import Reject
from kinfolio.run import whole_file

_MAX_CHARACTERS = 60


class Rejects:
    """Rejected rows of all files, in the order of file and line."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Reject]] = {}
        self.kinds: Counter[tuple[str, str]] = Counter()
        """Number of rejected rows by file and kind."""

    def __len__(self) -> int:
        return self.kinds.total()

    def add(self, file: str, line: int, reason: str, *, kind: str) -> None:
        """Record one row; `kind` is the reason without the values of the row."""
        self.kinds[file, kind] += 1
        self._rows.setdefault(file, []).append(Reject(file=file, line=line, reason=reason))

    def all(self) -> tuple[Reject, ...]:
        """Return all rejected rows by file, in the order of reading, and line."""
        return tuple(
            row for rows in self._rows.values() for row in sorted(rows, key=lambda row: row.line)
        )

    def write(self, path: Path) -> None:
        """Write a table of file, line and reason."""
        with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as out:
            out.write("file\tline\treason\n")
            out.writelines(f"{row.file}\t{row.line}\t{row.reason}\n" for row in self.all())


def quoted(value: object) -> str:
    """Format a value for a reason: on one line, truncated."""
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    if len(text) > _MAX_CHARACTERS:
        text = text[:_MAX_CHARACTERS] + "..."
    return text.encode("utf-8", "backslashreplace").decode()
