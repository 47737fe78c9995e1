"""The step `evaluate`: how good the rankings of a run are on held-out interactions.

Ranks all products but the user's training ones; the protocol of `ranking.py`. A warm user has a
training interaction, a new one has none; a seen product has one, an unseen product has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from kinfolio.errors import BadInput, RunBroken
from kinfolio.gnn.baselines import fit_baselines
from kinfolio.gnn.data import held_in
from kinfolio.gnn.ranking import ScoreBlock, hits_of, recall_and_ndcg, top
from kinfolio.gnn.train import read_embeddings
from kinfolio.records import Embeddings
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot

K = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Quality in one group of users; None where the group is empty."""

    recall: float
    ndcg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was measured, by model and group; groups without users are absent."""

    split: str
    k: int
    users: dict[str, int]
    models: dict[str, dict[str, Figures]]


def evaluate(
    run: Run,
    *,
    split: str = "test",
    has_baselines: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """The run's model, and the baselines when asked for, on one part of the data.

    Raises:
        NotReady: the run was not trained.
        RunBroken: the model was trained on another snapshot.
        BadInput: nobody has an interaction in that part.
    """
    snapshot = read_snapshot(run.need_snapshot())
    embeddings = read_embeddings(run)
    if embeddings.snapshot != snapshot.hash:
        raise RunBroken(
            f"the model in {run.folder} was trained on another snapshot than the one there now; "
            f"type: kinfolio train --run {run.folder}"
        )
    held, wanted = held_in(snapshot, "train"), held_in(snapshot, split)
    if not wanted.nnz:
        raise BadInput(
            f"no interaction is marked {split}, so there is nothing to measure; "
            "fill the column split of the interactions file, or choose --split"
        )
    models = {"kinfolio": score_by(embeddings)}
    if has_baselines:
        models |= fit_baselines(snapshot, seed=0, note=note)
    groups = groups_of(held, wanted)
    return Evaluation(
        split=split,
        k=K,
        users={name: len(users) for name, (users, _, _) in groups.items()},
        models={
            model: {name: _figures(score, held, *group) for name, group in groups.items()}
            for model, score in models.items()
        },
    )


def score_by(embeddings: Embeddings) -> ScoreBlock:
    """Scores as the graph computes them: user vector . product vector + popularity term."""
    users = torch.from_numpy(embeddings.user_vectors)
    products = torch.from_numpy(np.ascontiguousarray(embeddings.product_vectors.T))
    bias = torch.from_numpy(embeddings.bias)
    return lambda chosen: users[chosen] @ products + bias


_Group = tuple[NDArray[np.int64], csr_array, NDArray[np.bool_] | None]
"""Users, what their lists should hold, and the products that are candidates (None: all)."""


def groups_of(held: csr_array, wanted: csr_array) -> dict[str, _Group]:
    """The groups that are not empty: name to users, what counts, and candidates.

    Args:
        held: training holdings, shape (num_users, num_products).
        wanted: held-out holdings, the same shape.
    """
    is_warm = np.diff(held.indptr) > 0
    is_seen = np.asarray(held.sum(axis=0)).ravel() > 0
    has_some = np.diff(wanted.indptr) > 0
    groups: dict[str, _Group] = {}

    def add(
        name: str,
        chosen: NDArray[np.bool_],
        counted: csr_array,
        candidates: NDArray[np.bool_] | None = None,
    ) -> None:
        users = np.flatnonzero(chosen & (np.diff(counted.indptr) > 0))
        if len(users):
            groups[name] = (users, counted, candidates)

    add("all", has_some, wanted)
    add("warm", is_warm, wanted)
    add("new", ~is_warm, wanted)
    add("seen", is_warm, _only(wanted, is_seen))
    add("unseen", is_warm, _only(wanted, ~is_seen), ~is_seen)
    add("unseen_among_all", is_warm, _only(wanted, ~is_seen))
    return groups


def _only(wanted: csr_array, chosen: NDArray[np.bool_]) -> csr_array:
    """The entries of some products."""
    part = csr_array(wanted.multiply(chosen[None, :].astype(np.float32)))
    part.eliminate_zeros()
    return part


def _figures(
    score: ScoreBlock,
    held: csr_array,
    users: NDArray[np.int64],
    wanted: csr_array,
    candidates: NDArray[np.bool_] | None,
) -> Figures:
    def among(chosen: NDArray[np.int64]) -> Tensor:
        scores = score(chosen)
        if candidates is not None:
            scores = scores.clone()
            scores[:, torch.from_numpy(~candidates)] = -torch.inf
        return scores

    lists = top(among, users, held, K)
    number = np.diff(wanted.indptr).astype(np.int64)[users]
    recall, ndcg = recall_and_ndcg(hits_of(lists, users, wanted), number)
    return Figures(recall=float(recall.mean()), ndcg=float(ndcg.mean()))
