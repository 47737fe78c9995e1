"""Sampled softmax over cosines with its own backward: logits are made once, and stay in the cache.

The gradient of cross-entropy is the softmax itself, so it is at hand when the loss is. Both are
worked out for a few rows of the batch at a time, from the rows of the table to the gradient of
those rows, lengths included; the popularity term enters as a factor of the exponentials, and the
sums of these as one more column of a matrix product that is needed anyway. What is taken from a
user's row and added to it before is part of it, since every pass over the rows in between costs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_ROWS_AT_ONCE = 512
"""Rows of the batch: against 1,024 negatives 2 MB of exponentials."""
_ROUNDING = 2e-3
"""Rows are gathered as float16 in training."""
_SAFE = 60.0
"""Exponentials of this stay far from the largest float32."""


class _SampledSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # torch's context takes any attribute
        rows: Tensor,
        sent: Tensor,
        edges: Tensor,
        general: Tensor,
        tau: float,
        bias: Tensor,
        products: Tensor,
        negatives: Tensor,
        spread: Tensor,
    ) -> Tensor:
        size = len(products)
        unit = rows.clone()
        left, own = unit[:size], sent[products] * edges[:, None]
        left -= own
        # Where nothing but that was held, what is left is rounding, whatever its direction.
        is_left = (left.norm(dim=1) > _ROUNDING * own.norm(dim=1)).to(rows.dtype)[:, None]
        left.mul_(is_left).addcmul_(is_left, general[None])
        length = unit.norm(dim=1, keepdim=True)
        inverse = torch.where(length > 1e-12, 1 / length, 0)
        unit *= inverse
        ahead, right, wrong = unit[:size] / tau, unit[size : 2 * size], unit[2 * size :]
        shift = 1 / tau if 1 / tau > _SAFE else 0.0
        lift = bias[negatives] + spread
        highest = lift.max()
        lift = (lift - highest).exp()[:, None]
        lifted = torch.cat([lift * wrong, lift], dim=1)
        positive = (ahead * right).sum(dim=1) + bias[products]
        base = highest + shift
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
        gradient[:size] *= is_left
        of_bias = torch.zeros_like(bias)
        of_bias.index_add_(0, negatives, to_wrong[:, -1])
        of_bias.index_add_(0, products, pull)
        ctx.save_for_backward(gradient, of_bias, products, edges)
        ctx.num_products = len(sent)
        return (total - positive).mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        gradient, of_bias, products, edges = ctx.saved_tensors
        rows = gradient * grads[0]
        users = rows[: len(products)]
        sent = rows.new_zeros((ctx.num_products, rows.shape[1]))
        sent.index_add_(0, products, users * -edges[:, None])
        return rows, sent, None, users.sum(dim=0), None, of_bias * grads[0], None, None, None


def sampled_softmax(
    rows: Tensor,
    sent: Tensor,
    edges: Tensor,
    general: Tensor,
    tau: float,
    bias: Tensor,
    products: Tensor,
    negatives: Tensor,
    spread: Tensor,
) -> Tensor:
    """Mean cross-entropy of the right product among the shared negatives, by cosines over tau.

    Args:
        rows: float32, shape (2 batch + num_negatives, dim); vectors of the users, of the right
            products and of the negatives, of any length.
        sent: float32, shape (num_products, dim); of it, that of the right product is taken out of
            the user's row.
        edges: float32, shape (batch,); how many times.
        general: float32, shape (dim,); added to all rows of users of which something is left.
        tau: temperature.
        bias: float32, shape (num_products,).
        products: int64, shape (batch,); the right ones.
        negatives: int64, shape (num_negatives,), no two alike.
        spread: float32, shape (num_negatives,); log of how many products each negative stands for.
    """
    result: Tensor = _SampledSoftmax.apply(
        rows, sent, edges, general, tau, bias, products, negatives, spread
    )
    return result
