"""Sampled softmax over cosines with its own backward: logits are made once, and stay in the cache.

The gradient of cross-entropy is the softmax itself, so it is at hand when the loss is. Both are
worked out for a few rows of the batch at a time, from the rows of the table to the gradient of
those rows, lengths included; the popularity term enters as a factor of the exponentials, and the
sums of these as one more column of a matrix product that is needed anyway.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_ROWS_AT_ONCE = 512
"""Rows of the batch: against 1,024 negatives 2 MB of exponentials."""
_SAFE = 60.0
"""Exponentials of this stay far from the largest float32."""


class _SampledSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # torch's context takes any attribute
        rows: Tensor,
        tau: float,
        bias: Tensor,
        products: Tensor,
        negatives: Tensor,
        spread: float,
    ) -> Tensor:
        size = len(products)
        length = rows.norm(dim=1, keepdim=True)
        inverse = torch.where(length > 1e-12, 1 / length, 0)
        unit = rows * inverse
        ahead, right, wrong = unit[:size] / tau, unit[size : 2 * size], unit[2 * size :]
        highest = bias.max()
        shift = 1 / tau if 1 / tau > _SAFE else 0.0
        lift = (bias[negatives] - highest).exp()[:, None]
        lifted = torch.cat([lift * wrong, lift], dim=1)
        positive = (ahead * right).sum(dim=1) + bias[products]
        base = highest + (shift + spread)
        place = torch.full((len(bias),), -1, dtype=torch.int64, device=bias.device)
        place[negatives] = torch.arange(len(negatives), device=bias.device)
        at = place[products]
        gradient, total = torch.empty_like(unit), torch.empty_like(positive)
        to_wrong = torch.zeros_like(lifted)
        for start in range(0, size, _ROWS_AT_ONCE):
            part = slice(start, min(start + _ROWS_AT_ONCE, size))
            weights = ahead[part] @ wrong.T
            if shift:
                weights -= shift
            weights.exp_()
            # A negative that is the right product itself would punish the truth.
            same = (at[part] >= 0).nonzero()[:, 0]
            weights[same, at[part][same]] = 0
            sums = weights @ lifted
            total[part] = torch.logaddexp(positive[part], sums[:, -1].log() + base)
            scale = ((base - total[part]).exp() / size)[:, None]
            torch.mul(sums[:, :-1], scale / tau, out=gradient[part])
            to_wrong += weights.T @ torch.cat([ahead[part] * scale, scale], dim=1)
        to_wrong *= lift
        pull = ((positive - total).exp() - 1) / size
        gradient[:size] += (pull / tau)[:, None] * right
        torch.mul(pull[:, None], ahead, out=gradient[size : 2 * size])
        gradient[2 * size :] = to_wrong[:, :-1]
        # What lies along a row is lost when it is brought to unit length.
        gradient -= (gradient * unit).sum(dim=1, keepdim=True) * unit
        gradient *= inverse
        of_bias = torch.zeros_like(bias)
        of_bias.index_add_(0, negatives, to_wrong[:, -1])
        of_bias.index_add_(0, products, pull)
        ctx.save_for_backward(gradient, of_bias)
        return (total - positive).mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        gradient, of_bias = ctx.saved_tensors
        return gradient * grads[0], None, of_bias * grads[0], None, None, None


def sampled_softmax(
    rows: Tensor,
    tau: float,
    bias: Tensor,
    products: Tensor,
    negatives: Tensor,
    spread: float,
) -> Tensor:
    """Mean cross-entropy of the right product among the shared negatives, by cosines over tau.

    Args:
        rows: float32, shape (2 batch + num_negatives, dim); vectors of the users, of the right
            products and of the negatives, of any length.
        tau: temperature.
        bias: float32, shape (num_products,).
        products: int64, shape (batch,); the right ones.
        negatives: int64, shape (num_negatives,), no two alike.
        spread: log of how many products each negative stands for.
    """
    result: Tensor = _SampledSoftmax.apply(rows, tau, bias, products, negatives, spread)
    return result
