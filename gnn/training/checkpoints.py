"""Checkpoints of a training: the next call with the same config resumes from them."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from kinfolio.errors import FileError, RunBroken
from kinfolio.run import read_json, whole_file, write_json

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
        """
        self._folder = folder
        self._saved_at = time.monotonic()
        file = folder / "training.json"
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
        """Return a saved state; None when there is none that can be read."""
        try:
            state: dict[str, Any] = torch.load(self._file(key), weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        return state

    def save(self, key: Key, state: dict[str, Any]) -> None:
        """Replace a state: tensors, numbers, texts, and lists and dictionaries of them."""
        with whole_file(self._file(key)) as temporary:
            torch.save(state, temporary)
        self._saved_at = time.monotonic()

    def clear(self) -> None:
        """Remove all checkpoints."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _file(self, key: Key) -> Path:
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self._folder / f"{digest[:24]}.pt"
