"""A run is a folder with a snapshot, a model and, written last, `run.json`."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinfolio.errors import NotReady, RunBroken, shell_command
from kinfolio.os_errors import os_errors, temporary_prefix
from kinfolio.storage.temporaries import temporary

if TYPE_CHECKING:
    from kinfolio.storage.run_info import RunInfo


@contextmanager
def whole_file(path: Path, *, cure: str = "") -> Iterator[Path]:
    """Yield a temporary path that replaces `path` when the block succeeds.

    A device or a pipe, such as /dev/stdout, is not replaced: the block writes to it. A link is
    followed.

    Raises:
        FileError: it cannot be written; `cure` is what can be given instead.
    """
    with os_errors(path, cure=cure):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if path.exists() and not path.is_file():
            yield path
            return
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        target.parent.mkdir(parents=True, exist_ok=True)
        # The inner translation: the disk is still full when the cause of an error is looked up.
        with (
            temporary(target.parent, temporary_prefix(path)) as new,
            os_errors(path, cure=cure),
        ):
            yield new
            new.replace(target)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON document atomically."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_json(path: Path, cure: str = "delete it and run the step again") -> dict[str, Any]:
    """Read the JSON object in a file; its numbers are finite, and integers have 64 bits.

    Raises:
        RunBroken: the file is damaged.
        FileError: it cannot be read.
    """
    try:
        with os_errors(path, "read"):
            text = path.read_text("utf-8")
        content = json.loads(text, parse_int=_int64, parse_float=_finite, parse_constant=_finite)
    except RecursionError as error:
        raise RunBroken(f"{path} is damaged (nested too deeply); {cure}") from error
    except ValueError as error:
        raise RunBroken(f"{path} is damaged ({error}); {cure}") from error
    if not isinstance(content, dict):
        raise RunBroken(f"{path} is damaged (no JSON object); {cure}")
    return content


def _int64(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"the number {text[:20]}")
    return value


class Run:
    """The files of a run folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def snapshot(self) -> Path:
        """Folder of the exported graph."""
        return self.folder / "snapshot"

    @property
    def model(self) -> Path:
        """The trained model, safetensors."""
        return self.folder / "model.safetensors"

    @property
    def validated(self) -> Path:
        """The model before the last fit, which held back a part of the training interactions."""
        return self.folder / "validated.safetensors"

    @property
    def info(self) -> Path:
        """Config, seed, versions, data and metrics."""
        return self.folder / "run.json"

    def need_snapshot(self) -> Path:
        """Return the folder of a complete snapshot.

        Raises:
            NotReady: nothing was exported into this run.
            RunBroken: an export was interrupted, or the snapshot is damaged.
        """
        from kinfolio.storage.manifest import read_manifest

        if not (self.snapshot.exists() or self.snapshot.is_symlink()):
            raise NotReady(
                f"{self.folder} has no snapshot yet; "
                f"type: {shell_command('export', '--run', self.folder)}"
            )
        read_manifest(self.snapshot)
        return self.snapshot

    def need_info(self) -> RunInfo:
        """Return the content of `run.json` after a completed training.

        Raises:
            NotReady: the run was not trained.
            RunBroken: training was interrupted, or `run.json` is damaged.
        """
        from kinfolio.storage.run_info import read_info

        if self.info.is_file() and self.model.is_file():
            return read_info(self.info)
        self.need_snapshot()
        if self.model.is_file() or self.info.is_file():
            missing = self.info.name if self.model.is_file() else self.model.name
            raise RunBroken(
                f"{self.folder} is half written (no {missing}); "
                f"type: {shell_command('train', '--run', self.folder)}"
            )
        raise NotReady(
            f"{self.folder} has no trained model yet; "
            f"type: {shell_command('train', '--run', self.folder)}"
        )
