"""What `run.json` holds: fields and types, and the checksums of a run's files.

Runs of earlier versions have no checksums: they are read, and only the structure of their model is
checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import (
    Literal,
    NotRequired,  # pydantic refuses those of Python 3.11
    cast,
)

from typing_extensions import TypedDict

from kinfolio.errors import shell_command
from kinfolio.storage.document import read_document

Valid = TypedDict("Valid", {"recall@20": float, "ndcg@20": float})


class Config(TypedDict):
    """The options that other steps read; see `TrainConfig` for all of them."""

    text: str
    reviews: int
    encoder: NotRequired[str]


class Choice(TypedDict):
    """What the search chose."""

    text: bool
    dim: int
    heads: int
    cold: float
    steps: int
    final_steps: int
    edge_dropout: float


class TextWeights(TypedDict):
    """Weights of the text block."""

    seen: float
    unseen: float


class Recipe(TypedDict):
    """The form of the links."""

    form: str


class Blend(TypedDict):
    """Weights of the terms."""

    text: TextWeights
    recipe: Recipe | None
    strength: float
    reviewers: float
    delta: float
    offset: float


class Budget(TypedDict):
    """CPU seconds."""

    cpu_seconds: float
    spent: float


class Point(TypedDict):
    """One evaluation of a head during training."""

    step: int
    loss: float
    recall: float | None
    ndcg: float | None


Curve = Literal["loss", "recall", "ndcg"]
CURVES: tuple[Curve, ...] = ("loss", "recall", "ndcg")
"""What a point of a curve measures."""


class Data(TypedDict):
    """What the model was trained on."""

    snapshot: str
    training_interactions: int


class Metrics(TypedDict):
    """Metrics by split."""

    valid: Valid


class Versions(TypedDict):
    """Versions of the packages that trained the model."""

    kinfolio: str


class RunInfo(TypedDict):
    """The fields of `run.json` that are read; it holds more, such as all trials."""

    config: Config
    tau: float
    choice: Choice
    blend: Blend
    budget: Budget
    learned_from: NotRequired[list[Literal["train", "valid"]]]
    held_back: NotRequired[bool]
    """Whether training interactions were held back as the validation set, until the last fit."""
    stopped: NotRequired[bool]
    history: list[list[Point]]
    epochs: float
    seconds: float
    data: Data
    metrics: Metrics
    versions: Versions
    checksums: NotRequired[dict[str, str]]
    """SHA-256 of files of the run, by name."""


def read_info(path: Path) -> RunInfo:
    """Read a `run.json`.

    Raises:
        RunBroken: it is damaged.
    """
    return cast(
        RunInfo,
        read_document(path, RunInfo, f"type: {shell_command('train', '--run', path.parent)}"),
    )
