"""One head of a training: what it is, its learning curve, its result."""

from __future__ import annotations

from dataclasses import dataclass

from kinfolio.gnn.model.head import FusionHead
from kinfolio.gnn.ranking import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSpec:
    """What distinguishes one head of a training from the others; its checkpoint key."""

    role: str
    """`trial`, `head` or `final head`."""
    number: int = 0
    """Position in the ensemble."""
    tau: float
    has_text: bool
    dim: int
    cold: float
    """Fraction of the nodes that are cold in a step, with texts."""
    edge_dropout: float = 0.0
    seed: int
    """Of initialisation, batches and negatives."""
    steps: int
    """Length of the learning-rate decay; 0: no training."""
    stop_at: int | None = None
    """Last step of a training without validation; None: early stopping."""

    @property
    def last_step(self) -> int:
        """The last step that may be trained."""
        return self.steps if self.stop_at is None else self.stop_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One point of the learning curve; recall and NDCG are None without validation."""

    step: int
    loss: float
    """Mean over the steps since the evaluation before."""
    recall: float | None
    ndcg: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedHead:
    """A head at its best step."""

    head: FusionHead
    spec: HeadSpec
    best_step: int
    valid: Quality | None
    cpu_seconds: float
    history: tuple[Evaluation, ...] = ()

    @property
    def value(self) -> float:
        """The selection criterion on the validation set; 0 without one."""
        return self.valid.value if self.valid else 0.0

    @property
    def trained_steps(self) -> int:
        """Steps trained, the best one or not."""
        return self.history[-1].step if self.history else 0
