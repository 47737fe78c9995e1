"""Batches of one head: users with their positives, shared negatives, and the graph of the step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.propagation import half_precision
from kinfolio.gnn.model.sampled_softmax import Batch
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.sampling.edge_dropout import EdgeDropout
from kinfolio.gnn.training.sampling.negatives import NegativeSampler


class Step(NamedTuple):
    """What one training step is computed on."""

    matrix: Tensor
    """Normalised adjacency in half precision, with dropped and cold edges at 0."""
    batch: Batch
    node_mask: Tensor | None
    """Float32, shape (num_nodes,); 0 for nodes that are cold in this step; None: no cold ones."""


class BatchSampler:
    """Draws the steps of a training."""

    def __init__(
        self, data: TrainingData, config: TrainConfig, *, cold: float, edge_dropout: float
    ) -> None:
        """Prepare.

        Args:
            data: to train on.
            config: batch and negatives.
            cold: fraction of the nodes that are cold in a step; 0 without texts.
            edge_dropout: fraction of the holdings dropped in a step.
        """
        self._data, self._cold = data, cold
        self._size = config.batch_size(len(data.user))
        self._matrix = half_precision(data.matrix)
        self._negatives = NegativeSampler(
            data.product_degree, config.num_negatives(data.num_products)
        )
        self._dropout = EdgeDropout(data, edge_dropout) if edge_dropout > 0 else None

    def draw(self, rng: np.random.Generator) -> Step:
        """Return the next step."""
        data, matrix, device = self._data, self._matrix, self._data.matrix.device
        rows = rng.integers(0, len(data.user), self._size)
        # Sorted batches read and write rows in order, which the caches reward.
        rows.sort()
        node_mask = None
        if self._cold > 0:
            is_warm = rng.random(data.num_users + data.num_products) >= self._cold
            node_mask = torch.from_numpy(is_warm.astype(np.float32)).to(device)
            counts = torch.diff(matrix.crow_indices()).long()
            ends = node_mask[matrix.col_indices()] * node_mask.repeat_interleave(counts)
            matrix = _scale_edges(matrix, ends)
        negatives, log_weight = (
            torch.from_numpy(part).to(device) for part in self._negatives.draw(rng)
        )
        users, products = (
            torch.from_numpy(ends[rows].astype(np.int64)).to(device)
            for ends in (data.user, data.product)
        )
        degrees = data.degrees[data.user[rows]] * data.degrees[data.num_users + data.product[rows]]
        edges = torch.from_numpy(degrees**-0.5).to(device, torch.float32)
        if node_mask is not None:
            edges = edges * node_mask[users] * node_mask[data.num_users + products]
        if self._dropout is not None:
            of_edges, of_interactions = self._dropout.draw(rng)
            matrix, edges = _scale_edges(matrix, of_edges), edges * of_interactions[rows]
        return Step(matrix, Batch(users, products, edges, negatives, log_weight), node_mask)


def _scale_edges(matrix: Tensor, factors: Tensor) -> Tensor:
    """Multiply each edge by a factor: float32, shape (num_edges,)."""
    values = matrix.values() * factors.to(matrix.dtype)
    return torch.sparse_csr_tensor(
        matrix.crow_indices(), matrix.col_indices(), values, size=matrix.shape
    )
