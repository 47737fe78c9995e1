"""Checkpoints of a training: the next call with the same config resumes from them."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from kinfolio.errors import BadInput, FileError, RunBroken
from kinfolio.run import read_json, whole_file, write_json
from kinfolio.storage.document import checksum

_TRAINING = "training.json"
INTERVAL_SECONDS = 10.0
"""Time between two checkpoints of a head that is being trained."""

Key = dict[str, Any]
"""Whatever identifies a checkpoint within a training, as JSON has it."""


class Checkpoints:
    """A folder of states; files appear whole or not at all."""

    def __init__(self, folder: Path, training: dict[str, Any]) -> None:
        """Open the folder and remove what another training left there.

        Args:
            folder: created if missing.
            training: all that the result depends on, as JSON has it.

        Raises:
            BadInput: there is a file, or a folder with other content.
        """
        self._folder = folder
        self._saved_at = time.monotonic()
        _check_own(folder)
        file = folder / _TRAINING
        try:
            is_same = file.is_file() and read_json(file) == training
        except (RunBroken, FileError):
            is_same = False
        if not is_same:
            shutil.rmtree(folder, ignore_errors=True)
            write_json(file, training)

    def is_due(self) -> bool:
        """Return whether the last checkpoint is older than `INTERVAL_SECONDS`."""
        return time.monotonic() - self._saved_at > INTERVAL_SECONDS

    def load(self, key: Key) -> dict[str, Any] | None:
        """Return a saved state; None when there is none, or only a damaged one."""
        for file in self._files(key):
            if file.stem.endswith(checksum(file)):
                state: dict[str, Any] = torch.load(file, weights_only=True)  # noqa: TID251
                return state
        return None

    def save(self, key: Key, state: dict[str, Any]) -> None:
        """Replace a state: tensors, numbers, texts, and lists and dictionaries of them."""
        older = self._files(key)
        new = self._folder / f"{_name(key)}.pt"
        with whole_file(new) as temporary:
            torch.save(state, temporary)
        # The name has the checksum, so that both appear at once.
        named = new.with_stem(f"{new.stem}-{checksum(new)}")
        new.rename(named)
        for file in older:
            if file != named:
                file.unlink(missing_ok=True)
        self._saved_at = time.monotonic()

    def clear(self) -> None:
        """Remove all checkpoints."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _files(self, key: Key) -> list[Path]:
        return list(self._folder.glob(f"{_name(key)}-*.pt"))


def _name(key: Key) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]


def _check_own(folder: Path) -> None:
    """Raise `BadInput` if the folder is no folder of checkpoints, which are deleted in the end."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file, a folder of checkpoints was expected; move it away")
    for item in folder.iterdir() if folder.is_dir() else ():
        if not (".pt" in item.name or _TRAINING in item.name):
            raise BadInput(f"{folder} holds {item.name!r}, which is no checkpoint; move it away")
