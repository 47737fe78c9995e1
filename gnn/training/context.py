"""What all phases of one training share."""

from __future__ import annotations

from dataclasses import dataclass

from kinfolio.gnn.training.budget import Budget
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.head_trainer import OnStep
from kinfolio.records import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingContext:
    """Config, budget, checkpoints and callback of a training."""

    config: TrainConfig
    budget: Budget
    checkpoints: Checkpoints
    on_step: Progress
    has_valid_split: bool = True
    """Whether the snapshot has a validation split, so that none was held back from training."""

    @property
    def is_refitted(self) -> bool:
        """Whether the heads are trained once more, on all data."""
        return self.config.final or not self.has_valid_split

    @property
    def rounds(self) -> int:
        """How often the heads are trained in full."""
        return 1 + self.is_refitted

    def callback(self, label: str) -> OnStep:
        """Return a callback of a head trainer that reports under a label."""
        return lambda step, steps, loss: self.on_step(f"{label}, loss {loss:.3f}", step, steps)
