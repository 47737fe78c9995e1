"""The records of a version's lineage; None and empty texts: not recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from kinfolio.gnn.publishing.versions import State

Outcome = Literal["same", "changed", "missing", "unknown"]
"""What a check found: as recorded, different, gone, or nothing to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that a load read."""

    name: str
    table: str
    sha256: str
    rows: int
    """Accepted rows."""
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load of a folder into the graph."""

    number: int
    """Loads of one graph are numbered from 1."""
    at: str
    """End of the load by the server's clock, ISO 8601, UTC."""
    options: str
    """Options that change what the files mean."""
    replaces: bool
    """Whether it removed what its files did not have."""
    files: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """How the graph came to be."""

    summary: str
    loads: tuple[Load, ...]
    """Those before the write-back, the oldest first, from the last one that replaced all data."""
    changed_since: int | None
    """Users and products that other programs, conversations or events changed after the last load
    and before the write-back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The run of a version."""

    folder: str
    host: str
    sha256: str
    """Of `run.json`."""
    model_sha256: str
    config: dict[str, Any]
    """Options of the training, as in `run.json`. Any: JSON values."""
    packages: dict[str, str]
    """Versions of the packages that trained the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderRecord:
    """The encoder of the model's texts."""

    name: str
    """Empty: the model takes no texts."""
    sha256: str | None
    """Of its weights; None: they are in no file that can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageCheck:
    """One comparison of what is recorded with what is there now."""

    name: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a version comes from, who wrote and approved it, and whether that still holds."""

    version: str
    slot: str
    state: State
    created_at: str
    kinfolio: str | None
    """Version of kinfolio that wrote it."""
    written_by: str | None
    approved_by: str | None
    approved_at: str | None
    sources: Sources
    graph_hash: str | None
    """Of the whole graph at the write-back, as of `kinfolio db hash`."""
    snapshot: str
    """Hash of the snapshot that was trained on."""
    run: RunRecord | None
    encoder: EncoderRecord | None
    metrics: dict[str, Any]
    content: dict[str, str | None]
    """Hashes of products, users and recipe in the slot; new products change that of products."""
    checks: tuple[LineageCheck, ...]
    """Empty where nothing was compared."""
