"""A run is a folder with a snapshot, a model and, written last, `run.json`."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kinfolio.errors import NotReady, RunBroken
from kinfolio.os_errors import os_errors, temporary_prefix


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
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=temporary_prefix(path))
        os.close(handle)
        temporary = Path(name)
        try:
            # Inside: the disk is still full when the cause of an error is looked up.
            with os_errors(path, cure=cure):
                yield temporary
                temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON document atomically."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read the JSON object in a file.

    Raises:
        RunBroken: the file is damaged.
        FileError: it cannot be read.
    """
    try:
        with os_errors(path, "read"):
            content = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunBroken(f"{path} is damaged ({error}); delete it and run the step again") from error
    if not isinstance(content, dict):
        raise RunBroken(f"{path} is no JSON object; delete it and run the step again")
    return content


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
    def info(self) -> Path:
        """Config, seed, versions, data and metrics."""
        return self.folder / "run.json"

    def need_snapshot(self) -> Path:
        """Return the folder of a complete snapshot.

        Raises:
            NotReady: nothing was exported into this run.
            RunBroken: an export was interrupted.
        """
        if (self.snapshot / "manifest.json").is_file():
            return self.snapshot
        if self.snapshot.is_dir() and any(self.snapshot.iterdir()):
            raise RunBroken(
                f"{self.snapshot} is half written (no manifest.json); "
                f"type: kinfolio export --run {self.folder}"
            )
        raise NotReady(
            f"{self.folder} has no snapshot yet; type: kinfolio export --run {self.folder}"
        )

    def need_info(self) -> dict[str, Any]:
        """Return the content of `run.json` after a completed training.

        Raises:
            NotReady: the run was not trained.
            RunBroken: training was interrupted.
        """
        if self.info.is_file() and self.model.is_file():
            return read_json(self.info)
        self.need_snapshot()
        if self.model.is_file() or self.info.is_file():
            missing = self.info.name if self.model.is_file() else self.model.name
            raise RunBroken(
                f"{self.folder} is half written (no {missing}); "
                f"type: kinfolio train --run {self.folder}"
            )
        raise NotReady(
            f"{self.folder} has no trained model yet; type: kinfolio train --run {self.folder}"
        )
