"""Training of one head: SVD start, Adam with linear decay, early stopping on the validation set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.model.head import FusionHead
from kinfolio.gnn.ranking import Quality, ScoreBlock, dot_scores, per_user_metrics
from kinfolio.gnn.training.budget import Budget
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.heads import Evaluation, HeadSpec, TrainedHead
from kinfolio.gnn.training.inputs import TrainingInputs
from kinfolio.gnn.training.memory import explain_out_of_memory
from kinfolio.gnn.training.sampling.batches import BatchSampler

EVALUATE_EVERY = 50
"""Steps between two evaluations."""
_MAX_USERS = 4000
_MAX_SCORES = 80_000_000
"""Scores of an evaluation; fewer users where there are many products."""
_SLOW = 0.2
"""Learning rate of text weights and popularity term, relative to that of the ids."""

OnStep = Callable[[int, int, float], None]
"""Called after every step with (step, steps, loss)."""


@dataclass
class _State:
    """The mutable part of a training besides parameters and optimizer."""

    step: int = -1
    """Last evaluated step."""
    best: Quality | None = None
    best_step: int = 0
    best_state: dict[str, Tensor] = field(default_factory=dict)
    without_improvement: int = 0
    cpu_seconds: float = 0.0
    history: list[Evaluation] = field(default_factory=list)


class HeadTrainer:
    """Train one head step by step; resumable, so that a race can pause it.

    LightGCN (He et al., SIGIR 2020) with sampled softmax over cosines; see `FusionHead`.
    """

    def __init__(
        self,
        inputs: TrainingInputs,
        spec: HeadSpec,
        config: TrainConfig,
        *,
        budget: Budget | None = None,
        checkpoints: Checkpoints | None = None,
        on_step: OnStep = lambda step, steps, loss: None,
        cold_score: ScoreBlock | None = None,
    ) -> None:
        """Initialise the head and its optimizer.

        Args:
            inputs: data, texts and initial ids.
            spec: which head.
            config: batch, negatives, learning rate and patience.
            budget: charged for the training, and asked whether to stop; None: unlimited.
            checkpoints: where states are saved and resumed from.
            on_step: called after every step.
            cold_score: ranks the cold products in evaluations; None: the head does.
        """
        started = time.process_time()
        self.inputs, self.spec, self.config = inputs, spec, config
        self._budget, self._checkpoints = budget or Budget(float("inf")), checkpoints
        self._on_step, self._cold_score = on_step, cold_score
        self._rng = np.random.default_rng(spec.seed)
        self._head = self._new_head()
        ids = [self._head.ids, self._head.message_offset]
        for parameter in ids:
            parameter.requires_grad_(config.ids)
        slow = [one for one in self._head.parameters() if all(one is not other for other in ids)]
        self._optimizer = torch.optim.Adam(
            [{"params": ids, "lr": config.lr}, {"params": slow, "lr": config.lr * _SLOW}],
            fused=True,
        )
        self._decay = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: 1 - step / max(1, spec.steps)
        )
        self._batches = BatchSampler(
            inputs.data,
            config,
            cold=spec.cold if self._head.users_text is not None else 0.0,
            edge_dropout=spec.edge_dropout if spec.steps else 0.0,
        )
        self._state = _State()
        self._setup_seconds = time.process_time() - started

    def run_until(self, step: int) -> TrainedHead:
        """Train to a step, or until early stopping; return the head at its best step so far.

        A state that was saved for the same step is resumed. The step is evaluated and saved.

        Raises:
            NotReady: out of memory.
        """
        end = min(step, self.spec.last_step)
        before = self._state.cpu_seconds
        key = asdict(self.spec) | {"until": end}
        saved = self._checkpoints.load(key) if self._checkpoints else None
        if saved is not None:
            self.load_state_dict(saved)
        if self._state.step < end and not self._is_converged:
            self._train(end, key)
        self._budget.spend(self._state.cpu_seconds - before)
        return self._result()

    def state_dict(self) -> dict[str, Any]:  # tensors, numbers and texts, as torch saves them
        """Return all that a resumed training needs."""
        state = self._state
        return {
            "head": self._head.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "decay": self._decay.state_dict(),
            "rng": self._rng.bit_generator.state,
            "state": asdict(replace(state, best_state={}))
            | {"best_state": state.best_state},  # asdict would copy the tensors
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Resume from what `state_dict` returned."""
        self._head.load_state_dict(saved["head"])
        self._optimizer.load_state_dict(saved["optimizer"])
        self._decay.load_state_dict(saved["decay"])
        self._rng.bit_generator.state = saved["rng"]
        state = dict(saved["state"])
        best, history = state.pop("best"), state.pop("history")
        self._state = _State(
            **state,
            best=Quality(**best) if best else None,
            history=[Evaluation(**point) for point in history],
        )

    @property
    def _is_converged(self) -> bool:
        return self._state.without_improvement >= self.config.patience

    def _train(self, end: int, key: dict[str, Any]) -> None:
        spec, state = self.spec, self._state
        started = time.process_time() - self._setup_seconds
        spent, self._setup_seconds = state.cpu_seconds, 0.0
        losses: list[float] = []
        for step in range(state.step + 1, end + 1):
            if step:
                losses.append(self._train_step())
                self._on_step(step, spec.last_step, losses[-1])
            is_stopped = step != end and self._budget.is_stopped()
            if (step % EVALUATE_EVERY or not step) and step != end and not is_stopped:
                continue
            self._evaluate(step, losses)
            losses.clear()
            state.step = step
            state.cpu_seconds = spent + time.process_time() - started
            if is_stopped:
                # The checkpoint remains that of the evaluation before, to resume from.
                return
            is_done = step == end or self._is_converged
            if self._checkpoints and (is_done or self._checkpoints.is_due()):
                self._checkpoints.save(key, self.state_dict())
            if is_done:
                return

    def _train_step(self) -> float:
        """Run one optimizer step and return its loss."""
        data = self.inputs.data
        with explain_out_of_memory(len(data.degrees), self.spec.dim, data.matrix.device):
            loss = self._head.loss(*self._batches.draw(self._rng))
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
        self._decay.step()
        return float(loss.detach())

    def _evaluate(self, step: int, losses: list[float]) -> None:
        """Append to the learning curve and remember the best parameters."""
        state, data = self._state, self.inputs.data
        quality = None
        if self.spec.stop_at is None:
            metrics = per_user_metrics(
                score_heads([self._head], data.matrix),
                data.interactions,
                data.validation,
                max_users=max(1, min(_MAX_USERS, _MAX_SCORES // data.num_products)),
                cold=data.cold_products,
                cold_score=self._cold_score,
            )
            quality = Quality.mean(metrics)
        if losses:
            recall, ndcg = (quality.recall, quality.ndcg) if quality else (None, None)
            loss = float(np.mean(losses))
            state.history.append(Evaluation(step=step, loss=loss, recall=recall, ndcg=ndcg))
        if quality is not None and (state.best is None or quality.value > state.best.value):
            state.best, state.best_step, state.without_improvement = quality, step, 0
            state.best_state = {key: one.clone() for key, one in self._head.state_dict().items()}
        elif quality is not None:
            state.without_improvement += 1

    def _result(self) -> TrainedHead:
        state = self._state
        head = self._head
        if state.best is not None:
            if state.step < self.spec.last_step and not self._is_converged:
                # It may be resumed, so its own parameters have to stay.
                head = self._new_head()
            head.load_state_dict(state.best_state)
        return TrainedHead(
            head=head,
            spec=self.spec,
            best_step=self.spec.last_step if state.best is None else state.best_step,
            valid=state.best,
            cpu_seconds=state.cpu_seconds,
            history=tuple(state.history),
        )

    def _new_head(self) -> FusionHead:
        data, spec = self.inputs.data, self.spec
        return FusionHead(
            num_users=data.num_users,
            ids=(
                self.inputs.initial_ids(spec.dim, spec.seed)
                if self.config.ids
                else torch.zeros(data.num_products, spec.dim)
            ),
            text=self.inputs.text_kinds(spec.dim) if spec.has_text else None,
            degree=torch.from_numpy(data.product_degree),
            tau=spec.tau,
        ).to(data.matrix.device)


def last_evaluation(step: float) -> int:
    """Return the last step up to this one that is evaluated anyway, or this one without any."""
    return int(step // EVALUATE_EVERY * EVALUATE_EVERY) or max(1, int(step))


def score_heads(heads: list[FusionHead], matrix: Tensor) -> ScoreBlock:
    """Return the sum of the heads' scores."""
    with torch.no_grad():
        vectors = [functional.normalize(head(matrix), dim=1) / head.tau**0.5 for head in heads]
        users, products = torch.cat(vectors, dim=1).tensor_split([heads[0].num_users])
        bias = torch.stack([head.bias() for head in heads]).sum(dim=0)

    if matrix.device.type == "cpu":
        return dot_scores(*(part.numpy() for part in (users, products, bias)))
    return lambda block: torch.addmm(bias, users[block], products.T)
