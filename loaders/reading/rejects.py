"""Rows that were not loaded, and why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from kinfolio.loaders.reports import Reject
from kinfolio.run import whole_file

_SHOWN_CHARACTERS = 60


class Rejects:
    """Rejected rows of all files, in the order of file and line."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Reject]] = {}
        self.kinds: Counter[tuple[str, str]] = Counter()
        """How many rows of each file were rejected for what, apart from their values."""

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._rows.values())

    def add(self, file: str, line: int, reason: str, *, kind: str) -> None:
        """Note one row; `kind` is the reason without the row's own values."""
        self.kinds[file, kind] += 1
        self._rows.setdefault(file, []).append(Reject(file=file, line=line, reason=reason))

    def all(self) -> tuple[Reject, ...]:
        """Every rejected row: files in the order they were read, lines ascending."""
        return tuple(
            row for rows in self._rows.values() for row in sorted(rows, key=lambda row: row.line)
        )

    def write(self, path: Path) -> None:
        """Write them as a table of file, line and reason."""
        with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as out:
            out.write("file\tline\treason\n")
            for row in self.all():
                out.write(f"{row.file}\t{row.line}\t{row.reason}\n")


def shown(value: object) -> str:
    """A value as a reason shows it: quoted, on one line, cut when long."""
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "..."
    return text.encode("utf-8", "backslashreplace").decode()
