"""Rejection of ties whose ends are not two existing users."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow.compute as pc

from kinfolio.loaders.files.rejects import Rejects, quoted
from kinfolio.loaders.files.source import Batch
from kinfolio.loaders.reading.ids import Ids


class TieCheck:
    """Rejects ties of users that do not exist, and of users to themselves.

    Args:
        file: name of the file.
        users: ids of the folder.
        known_users: returns the ids that are users of the graph; called with ids that are not in
            the folder.
    """

    def __init__(
        self, file: str, users: Ids, known_users: Callable[[list[str]], Iterable[str]]
    ) -> None:
        self._file, self._users, self._known_users = file, users, known_users
        self.outside: dict[str, set[str]] = {"user": set()}
        """Ends that are in the graph and not in the folder."""

    def accept(self, batch: Batch, rejects: Rejects) -> Batch:
        """Return the ties between two existing users."""
        ends = [batch.columns[name] for name in ("source", "target")]
        is_unknown = [~self._users.is_used(ids) for ids in ends]
        unknown = {
            id
            for ids, mask in zip(ends, is_unknown, strict=True)
            for id in pc.unique(ids.filter(mask)).to_pylist()
        } - self.outside["user"]
        if unknown:
            self.outside["user"].update(self._known_users(sorted(unknown)))
        wrong = np.zeros(len(batch.lines), np.bool_)
        for ids, mask in zip(ends, is_unknown, strict=True):
            for row in np.flatnonzero(mask & ~wrong).tolist():
                if (id := ids[row].as_py()) not in self.outside["user"]:
                    wrong[row] = True
                    why = f"dangling tie: no user {quoted(id)}"
                    rejects.add(self._file, int(batch.lines[row]), why, kind="dangling tie")
        is_loop = pc.equal(*ends).to_numpy(zero_copy_only=False) & ~wrong
        for line in batch.lines[is_loop].tolist():
            why = "a tie of a user to itself"
            rejects.add(self._file, line, why, kind=why)
        return batch.filter(~(wrong | is_loop))
