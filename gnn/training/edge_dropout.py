"""Holdings left out at random in a step, as in DropEdge (Rong et al., ICLR 2020)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinfolio.gnn.data import TrainingData


class EdgeDropout:
    """Draws them for each step, so that no product is learned to count on another."""

    def __init__(self, data: TrainingData, rate: float) -> None:
        """Find the holdings in the matrix.

        Args:
            data: with each holding once.
            rate: chance of a holding to be left out, below 1.
        """
        matrix = data.matrix
        size = len(data.degrees)
        counts = torch.diff(matrix.crow_indices()).cpu().numpy()
        edges = np.repeat(np.arange(size), counts) * size + matrix.col_indices().cpu().numpy()
        user = data.user.astype(np.int64)
        product = data.num_users + data.product.astype(np.int64)
        self._there = np.searchsorted(edges, user * size + product)
        self._back = np.searchsorted(edges, product * size + user)
        self._num_edges, self._rate, self._device = len(edges), rate, matrix.device

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """By how much holdings count in this step: 0, or so much that sums are right on average.

        Returns:
            of_edges: float32, shape (num_edges,), for the values of the matrix; 1 for ties.
            of_holdings: float32, shape (num_holdings,).
        """
        kept = rng.random(len(self._there), dtype=np.float32) >= self._rate
        of_holdings = kept.astype(np.float32) / np.float32(1 - self._rate)
        of_edges = np.ones(self._num_edges, np.float32)
        of_edges[self._there] = of_edges[self._back] = of_holdings
        return _on(of_edges, self._device), _on(of_holdings, self._device)


def _on(values: NDArray[np.float32], device: torch.device) -> Tensor:
    return torch.from_numpy(values).to(device)
