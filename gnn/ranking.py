"""Rankings of all products for many users, and how good they are.

Recall@K = hits / number of the user's held-out products; NDCG@K has the ideal DCG over
min(K, that number); both averaged over users who have held-out products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

_BLOCK = 1024
"""Users ranked at once: 1,024 x 50,000 products are 200 MB of scores."""
_WIDTH = 64
"""Products whose maximum is looked at before they are."""
NOBODY = -1
"""Stands in a list where there is no further product to offer."""

Figures = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Recall and NDCG of each user."""

ScoreBlock = Callable[[NDArray[np.int64]], Tensor]
"""Scores of some users: float32, shape (len(users), num_products).

The caller may write into them, and the next call may write over them.
"""


def dot_scores(
    users: NDArray[np.float32],
    products: NDArray[np.float32],
    bias: NDArray[np.float32] | None = None,
) -> ScoreBlock:
    """Scores by vectors: user . product + bias, in one buffer that each call writes over.

    Args:
        users: shape (num_users, dim).
        products: shape (num_products, dim).
        bias: shape (num_products,); None for none.
    """
    # The bias rides along as one more number, which saves a pass over memory. numpy's matrix
    # product takes half the time of torch's on AMD.
    if bias is not None:
        users = np.pad(users, ((0, 0), (0, 1)), constant_values=1)
        products = np.concatenate([products, bias[:, None]], axis=1)
    across = np.ascontiguousarray(products.T)
    buffer = np.empty((0, len(products)), np.float32)

    def score(chosen: NDArray[np.int64]) -> Tensor:
        nonlocal buffer
        if len(buffer) < len(chosen):
            buffer = np.empty((len(chosen), len(products)), np.float32)
        return torch.from_numpy(np.matmul(users[chosen], across, out=buffer[: len(chosen)]))

    return score


def top(
    score: ScoreBlock,
    users: NDArray[np.int64],
    known: csr_array,
    k: int,
    candidates: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """The k best products of each user, best first: int64, shape (len(users), k).

    A user with fewer than k products left has `NOBODY` in the other places.

    Args:
        score: scores of a block of users.
        users: indices to rank.
        known: shape (num_users, num_products); products with an entry are left out.
        k: length of the list.
        candidates: shape (num_products,); the products that may be listed, None for all.
    """
    lists = np.empty((len(users), min(k, known.shape[1])), np.int64)
    others = None if candidates is None else torch.from_numpy(~candidates)
    for first in range(0, len(users), _BLOCK):
        block = users[first : first + _BLOCK]
        scores = score(block)
        part = known[block].tocoo()
        scores[torch.from_numpy(part.coords[0]), torch.from_numpy(part.coords[1])] = -torch.inf
        if others is not None:
            scores[:, others] = -torch.inf
        values, places = best_of(scores, lists.shape[1])
        places = torch.where(torch.isneginf(values), NOBODY, places)
        lists[first : first + _BLOCK] = places.cpu().numpy()
    return lists


def best_of(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest numbers of each row and their columns, as `torch.topk` gives them.

    The k best lie in the k stretches of columns with the largest maxima, so that only those are
    sorted: for 41,000 columns that takes a third of the time of `topk` on the whole.
    """
    rows, columns = scores.shape
    stretches = columns // _WIDTH
    if stretches < 2 * k:
        best, places = scores.topk(k)
        return best, places
    whole = stretches * _WIDTH
    parts = scores[:, :whole].reshape(rows, stretches, _WIDTH)
    chosen = parts.amax(dim=2).topk(k).indices
    picked = parts[torch.arange(rows, device=scores.device)[:, None], chosen].flatten(1)
    best, places = torch.cat([picked, scores[:, whole:]], dim=1).topk(k)
    inside = chosen.gather(1, (places // _WIDTH).clamp(max=k - 1)) * _WIDTH + places % _WIDTH
    return best, torch.where(places < k * _WIDTH, inside, places - k * _WIDTH + whole)


def hits_of(
    lists: NDArray[np.int64], users: NDArray[np.int64], wanted: csr_array
) -> NDArray[np.bool_]:
    """Which places of the lists are held-out products: bool, shape of `lists`."""
    keys = np.where(lists == NOBODY, NOBODY, users[:, None] * wanted.shape[1] + lists)
    pairs = wanted.tocoo()
    truth = pairs.coords[0].astype(np.int64) * wanted.shape[1] + pairs.coords[1]
    return np.isin(keys, truth)


def recall_and_ndcg(
    hits: NDArray[np.bool_], number: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recall@K and NDCG@K of each user: two float64 arrays, shape (num_users,).

    Args:
        hits: shape (num_users, K).
        number: held-out products of each user, at least 1.
    """
    k = hits.shape[1]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    recall = hits.sum(axis=1) / number
    ndcg = (hits * discount).sum(axis=1) / ideal[np.minimum(number, k)]
    return recall, ndcg


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Recall@20 and NDCG@20 over some users."""

    recall: float
    ndcg: float

    @classmethod
    def of(cls, figures: Figures) -> Quality:
        """The means over users; 0 for nobody."""
        recall, ndcg = figures
        if not len(recall):
            return cls(recall=0.0, ndcg=0.0)
        return cls(recall=float(recall.mean()), ndcg=float(ndcg.mean()))

    @property
    def value(self) -> float:
        """What is compared when something is chosen: the geometric mean of the two."""
        return float(np.sqrt(self.recall * self.ndcg))


def figures_of(
    score: ScoreBlock,
    known: csr_array,
    wanted: csr_array,
    *,
    k: int = 20,
    most: int = 5000,
    apart: NDArray[np.bool_] | None = None,
    score_apart: ScoreBlock | None = None,
) -> Figures:
    """Recall@K and NDCG@K of the users who have something in `wanted`, at most `most` of them.

    Args:
        score: scores of a block of users.
        known: shape (num_users, num_products); left out of the lists.
        wanted: shape (num_users, num_products); what the lists should hold.
        k: length of the lists.
        most: with more users than this, evenly spaced ones are taken.
        apart: products ranked among themselves, shape (num_products,): a user has two lists then,
            which count as those of two users. None: one list of all.
        score_apart: ranks those; None: `score` does.
    """
    found = []
    groups: list[tuple[NDArray[np.bool_] | None, ScoreBlock]] = [(None, score)]
    if apart is not None:
        groups = [(~apart, score), (apart, score_apart or score)]
    for among, by in groups:
        part = wanted if among is None else entries_of(wanted, among)
        number = np.diff(part.indptr).astype(np.int64)
        users = np.flatnonzero(number)
        if len(users):
            users = users[:: max(1, len(users) // most)]
            lists = top(by, users, known, k, among)
            found.append(recall_and_ndcg(hits_of(lists, users, part), number[users]))
    if not found:
        return np.empty(0), np.empty(0)
    recall, ndcg = (np.concatenate(each) for each in zip(*found, strict=True))
    return recall, ndcg


def entries_of(pairs: csr_array, chosen: NDArray[np.bool_]) -> csr_array:
    """The entries of some products.

    Args:
        pairs: shape (num_users, num_products).
        chosen: shape (num_products,).
    """
    part = csr_array(pairs.multiply(chosen[None, :].astype(np.float32)))
    part.eliminate_zeros()
    return part
