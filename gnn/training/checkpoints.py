"""What a training that is cut off leaves behind, so that the next one goes on where it was."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import torch

from kinfolio.errors import RunBroken
from kinfolio.run import read_json, whole_file, write_json


class Checkpoints:
    """A folder of states, one for each head that a training fits; whole files or none."""

    def __init__(self, folder: Path, training: dict[str, Any]) -> None:
        """Open the folder; what another training left there is removed.

        Args:
            folder: made when it is not there.
            training: all that its result depends on, as JSON has it.
        """
        self._folder = folder
        told = folder / "training.json"
        try:
            is_same = told.is_file() and read_json(told) == training
        except RunBroken:
            is_same = False
        if not is_same:
            shutil.rmtree(folder, ignore_errors=True)
            write_json(told, training)

    def load(self, name: str) -> dict[str, Any] | None:
        """The state of a head, None when there is none that can be read.

        Args:
            name: of the head among all that are fitted.
        """
        try:
            state: dict[str, Any] = torch.load(self._file(name), weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        return state

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Keep a state in the place of the older one.

        Args:
            name: of the head.
            state: tensors, numbers, texts, and lists and dictionaries of them.
        """
        with whole_file(self._file(name)) as temporary:
            torch.save(state, temporary)

    def clear(self) -> None:
        """Remove all, when the training is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.pt"
