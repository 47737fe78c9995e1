"""Edge dropout: random holdings left out in a step, as in DropEdge (Rong et al., ICLR 2020)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinfolio.gnn.data import TrainingData


class EdgeDropout:
    """Draws edge factors for each step, so that products do not co-adapt."""

    def __init__(self, data: TrainingData, rate: float) -> None:
        """Locate the holdings in the matrix.

        Args:
            data: with each holding once.
            rate: probability of a holding to be dropped, below 1.
        """
        matrix = data.matrix
        size = len(data.degrees)
        counts = torch.diff(matrix.crow_indices()).cpu().numpy()
        edges = np.repeat(np.arange(size), counts) * size + matrix.col_indices().cpu().numpy()
        user = data.user.astype(np.int64)
        product = data.num_users + data.product.astype(np.int64)
        self._forward = np.searchsorted(edges, user * size + product)
        self._backward = np.searchsorted(edges, product * size + user)
        self._num_edges, self._rate, self._device = len(edges), rate, matrix.device

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Draw factors: 0 for dropped holdings, 1 / (1 - rate) for the others.

        Returns:
            of_edges: float32, shape (num_edges,), for the values of the matrix; 1 for ties.
            of_interactions: float32, shape (num_interactions,).
        """
        is_kept = rng.random(len(self._forward), dtype=np.float32) >= self._rate
        of_interactions = is_kept.astype(np.float32) / np.float32(1 - self._rate)
        of_edges = np.ones(self._num_edges, np.float32)
        of_edges[self._forward] = of_edges[self._backward] = of_interactions
        return _to(of_edges, self._device), _to(of_interactions, self._device)


def _to(values: NDArray[np.float32], device: torch.device) -> Tensor:
    return torch.from_numpy(values).to(device)
