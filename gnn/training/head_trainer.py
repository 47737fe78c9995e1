"""One head, trained: SVD start, Adam with linear decay, looks at the validation part on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.head import FusionHead
from kinfolio.gnn.model.propagation import coarse
from kinfolio.gnn.model.svd_init import SvdStart
from kinfolio.gnn.ranking import Quality, ScoreBlock, dot_scores, figures_of
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.edge_dropout import EdgeDropout
from kinfolio.gnn.training.memory import told_when_too_little
from kinfolio.gnn.training.negatives import Negatives

_LOOK_EVERY = 50
"""Steps between two looks at the validation part."""
_SECONDS_BETWEEN_CHECKPOINTS = 10.0
_MOST_LOOKED_AT = 4000
"""Users looked at on the way; fewer where many products make a look slow."""
_SCORES_LOOKED_AT = 80_000_000
_SLOW = 0.2
"""Learning rate of text weights and popularity term beside that of the ids."""

Watch = Callable[[int, int, float], None]
"""Called with (step, steps, loss)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How far a training was at one step; None where the validation part was not looked at."""

    step: int
    loss: float
    """Mean of the steps since the look before."""
    recall: float | None
    ndcg: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A trained head at its best step."""

    head: FusionHead
    steps: int
    """The best of them."""
    length: int
    """Steps over which the learning rate went down."""
    edge_dropout: float
    """Part of the holdings left out in a step."""
    valid: Quality | None
    cpu_seconds: float
    history: tuple[Look, ...] = ()

    @property
    def has_text(self) -> bool:
        """Whether texts are among the inputs."""
        return self.head.users_text is not None


def fit_head(
    data: TrainingData,
    text: tuple[Tensor, Tensor] | None,
    config: TrainConfig,
    *,
    start: SvdStart,
    tau: float,
    seed: int,
    steps: int,
    stop_at: int | None = None,
    pause: int | None = None,
    watch: Watch | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    checkpoints: Checkpoints | None = None,
    name: str = "head",
    go_on_from: str | None = None,
    score_apart: ScoreBlock | None = None,
) -> Fitted:
    """A trained head; with a validation part, that of the step that did best on it.

    Args:
        data: what to learn from.
        text: of users and products as `FusionHead` takes it, `config.dim` wide, or None.
        config: width, batch, negatives, learning rate, cold rate, edge dropout and patience.
        start: of the products' ids.
        tau: temperature.
        seed: of start, batches and negatives.
        steps: length of the learning-rate decay; 0 leaves the head as it starts.
        stop_at: last step, without looking at the validation part; None: look and stop early.
        pause: step after which it is looked at and kept in `checkpoints`, to go on from later.
        watch: told of every step.
        is_stopped: whether to look once more and leave it at that.
        checkpoints: where states are kept and gone on from.
        name: of this head there.
        go_on_from: name of one that was paused.
        score_apart: ranks what `data.apart` names, where the head is looked at; None: the head.

    Raises:
        NotReady: there is too little memory.
    """
    device = data.matrix.device
    started, kept_at = time.process_time(), time.monotonic()
    rng = np.random.default_rng(seed)
    head = FusionHead(
        num_users=data.num_users,
        start=start(config.dim, seed) if config.ids else torch.zeros(data.num_products, config.dim),
        text=text,
        degree=torch.from_numpy(data.product_degree),
        tau=tau,
    ).to(device)
    ids = [head.ids, head.as_held]
    for part in ids:
        part.requires_grad_(config.ids)
    slow = [part for part in head.parameters() if all(part is not other for other in ids)]
    optimizer = torch.optim.Adam(
        [{"params": ids, "lr": config.lr}, {"params": slow, "lr": config.lr * _SLOW}], fused=True
    )
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / max(1, steps))
    matrix = coarse(data.matrix)
    against = Negatives(data.product_degree, config.num_negatives(data.num_products))
    dropout = EdgeDropout(data, config.edge_dropout) if config.edge_dropout > 0 and steps else None
    looked_at = max(1, min(_MOST_LOOKED_AT, _SCORES_LOOKED_AT // data.num_products))
    best: Quality | None = None
    best_state: dict[str, Tensor] = {}
    best_step, looks_without_gain, first = 0, 0, 0
    history: list[Look] = []
    losses: list[float] = []
    spent = 0.0
    last = steps if stop_at is None else stop_at
    end = last if pause is None else min(last, pause)
    kept = None
    if checkpoints is not None:
        kept = checkpoints.load(name)
        if kept is None and go_on_from is not None:
            kept = checkpoints.load(go_on_from)
    if kept is not None:
        # What is kept was kept right after a look.
        head.load_state_dict(kept["head"])
        if kept["optimizer"] is not None:
            optimizer.load_state_dict(kept["optimizer"])
            decay.load_state_dict(kept["decay"])
        rng.bit_generator.state = kept["rng"]
        best = Quality(**kept["best"]) if kept["best"] else None
        best_state, best_step = kept["best_state"], kept["best_step"]
        looks_without_gain, first, spent = kept["without_gain"], kept["step"] + 1, kept["spent"]
        history = [Look(**look) for look in kept["history"]]
    for step in range(first, end + 1):
        if looks_without_gain >= config.patience:
            break
        if step:
            with told_when_too_little(len(data.degrees), config.dim, device):
                loss = _step(head, data, matrix, against, dropout, config, optimizer, rng)
            losses.append(loss)
            decay.step()
            if watch is not None:
                watch(step, last, losses[-1])
        ends = step == end or is_stopped()
        if (step % _LOOK_EVERY or not step) and not ends:
            continue
        seen = None
        if stop_at is None:
            seen = Quality.of(
                figures_of(
                    score_with([head], data.matrix),
                    data.held,
                    data.wanted,
                    most=looked_at,
                    apart=data.apart,
                    score_apart=score_apart,
                )
            )
        if losses:
            history.append(
                Look(
                    step=step,
                    loss=float(np.mean(losses)),
                    recall=seen.recall if seen else None,
                    ndcg=seen.ndcg if seen else None,
                )
            )
        losses.clear()
        if seen is not None and (best is None or seen.value > best.value):
            best, best_step, looks_without_gain = seen, step, 0
            best_state = {key: value.clone() for key, value in head.state_dict().items()}
        elif seen is not None:
            looks_without_gain += 1
        if step != end and ends:
            # The checkpoint stays that of the look before, to go on from.
            break
        is_last = step == last or looks_without_gain >= config.patience
        if checkpoints is not None and (
            ends or is_last or time.monotonic() - kept_at > _SECONDS_BETWEEN_CHECKPOINTS
        ):
            kept_at = time.monotonic()
            checkpoints.save(
                name,
                {
                    "head": head.state_dict(),
                    "optimizer": None if is_last else optimizer.state_dict(),
                    "decay": None if is_last else decay.state_dict(),
                    "rng": rng.bit_generator.state,
                    "best": asdict(best) if best else None,
                    "best_state": best_state,
                    "best_step": best_step,
                    "without_gain": looks_without_gain,
                    "step": step,
                    "spent": spent + time.process_time() - started,
                    "history": [asdict(look) for look in history],
                },
            )
    if best is not None:
        head.load_state_dict(best_state)
    is_new = first <= end and (kept is None or kept["without_gain"] < config.patience)
    return Fitted(
        head=head,
        steps=last if best is None else best_step,
        length=steps,
        edge_dropout=max(0.0, config.edge_dropout),
        valid=best,
        cpu_seconds=spent + (time.process_time() - started if is_new else 0.0),
        history=tuple(history),
    )


def last_look(step: float) -> int:
    """The last step up to this one that is looked at anyway; this one if there is none."""
    return int(step // _LOOK_EVERY * _LOOK_EVERY) or max(1, int(step))


def score_with(heads: list[FusionHead], matrix: Tensor) -> ScoreBlock:
    """Scores by heads."""
    with torch.no_grad():
        vectors = [functional.normalize(head(matrix), dim=1) / head.tau**0.5 for head in heads]
        users, products = torch.cat(vectors, dim=1).tensor_split([heads[0].num_users])
        bias = torch.stack([head.bias() for head in heads]).sum(dim=0)

    if matrix.device.type == "cpu":
        return dot_scores(*(part.numpy() for part in (users, products, bias)))
    return lambda chosen: torch.addmm(bias, users[chosen], products.T)


def _step(
    head: FusionHead,
    data: TrainingData,
    matrix: Tensor,
    against: Negatives,
    dropout: EdgeDropout | None,
    config: TrainConfig,
    optimizer: torch.optim.Optimizer,
    rng: np.random.Generator,
) -> float:
    """Loss of one step, after which the head is a little better."""
    device = data.matrix.device
    chosen = rng.integers(0, len(data.user), config.batch_size(len(data.user)))
    # Sorted batches: rows are read and written in order, which the caches reward.
    chosen.sort()
    keep = None
    if head.users_text is not None and config.cold > 0:
        keep = torch.from_numpy(
            (rng.random(data.num_users + data.num_products) >= config.cold).astype(np.float32)
        ).to(device)
        counts = torch.diff(matrix.crow_indices()).long()
        matrix = _weighed(matrix, keep[matrix.col_indices()] * keep.repeat_interleave(counts))
    negatives, spread = (torch.from_numpy(part).to(device) for part in against.draw(rng))
    users, products = (
        torch.from_numpy(ends[chosen].astype(np.int64)).to(device)
        for ends in (data.user, data.product)
    )
    degrees = data.degrees[data.user[chosen]] * data.degrees[data.num_users + data.product[chosen]]
    edges = torch.from_numpy(degrees**-0.5).to(device, torch.float32)
    if keep is not None:
        edges = edges * keep[users] * keep[data.num_users + products]
    if dropout is not None:
        of_edges, of_holdings = dropout.draw(rng)
        matrix, edges = _weighed(matrix, of_edges), edges * of_holdings[chosen]
    loss = head.loss(matrix, users, products, negatives, spread, edges, keep)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return float(loss.detach())


def _weighed(matrix: Tensor, factors: Tensor) -> Tensor:
    """The matrix with each edge times a factor: float32, shape (num_edges,)."""
    values = matrix.values() * factors.to(matrix.dtype)
    return torch.sparse_csr_tensor(
        matrix.crow_indices(), matrix.col_indices(), values, size=matrix.shape
    )
