"""Sampled softmax over cosines with its own backward.

The gradient of cross-entropy is the softmax itself, so the forward pass computes it with the loss,
for a few rows of the batch at a time, so that the logits stay in the cache. The popularity term
multiplies the exponentials, whose sums are one more column of a matrix product. Removing the
positive's message from the user's row and adding the global user are fused in, since each further
pass over the rows costs time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

_ROWS_AT_ONCE = 512
"""With 1,024 negatives, 2 MB of exponentials."""
_ROUNDING = 2e-3
"""Training gathers rows as float16."""
_MAX_EXPONENT = 60.0
"""exp of this is far below the largest float32."""


class Batch(NamedTuple):
    """One training step's users, positives and shared negatives."""

    users: Tensor
    """int64, shape (batch,)."""
    positives: Tensor
    """int64, shape (batch,); product indices."""
    edges: Tensor
    """float32, shape (batch,); weight in A between each user and the positive."""
    negatives: Tensor
    """int64, shape (num_negatives,), distinct product indices."""
    log_weight: Tensor
    """float32, shape (num_negatives,); log of the number of products each negative stands for."""


class _SampledSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # torch's context takes any attribute
        rows: Tensor,
        messages: Tensor,
        global_user: Tensor,
        bias: Tensor,
        tau: float,
        batch: Batch,
    ) -> Tensor:
        size = len(batch.positives)
        unit = rows.clone()
        has_rest = _remove_positive(unit[:size], messages, global_user, batch)
        length = unit.norm(dim=1, keepdim=True)
        inverse = torch.where(length > 1e-12, 1 / length, 0)
        unit *= inverse
        loss, gradient, bias_gradient = _loss_and_gradient(unit, bias, tau, batch)
        # Normalisation removes the part of the gradient along the row.
        gradient -= (gradient * unit).sum(dim=1, keepdim=True) * unit
        gradient *= inverse
        gradient[:size] *= has_rest
        ctx.save_for_backward(gradient, bias_gradient, batch.positives, batch.edges)
        ctx.num_products = len(messages)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        gradient, bias_gradient, positives, edges = ctx.saved_tensors
        rows = gradient * grads[0]
        users = rows[: len(positives)]
        messages = rows.new_zeros((ctx.num_products, rows.shape[1]))
        messages.index_add_(0, positives, users * -edges[:, None])
        return rows, messages, users.sum(dim=0), bias_gradient * grads[0], None, None


def _remove_positive(users: Tensor, messages: Tensor, global_user: Tensor, batch: Batch) -> Tensor:
    """Subtract the positive's message and add the global user, in place.

    Returns:
        float32, shape (batch, 1); 0 for users of whom nothing else than rounding is left.
    """
    own = messages[batch.positives] * batch.edges[:, None]
    users -= own
    has_rest: Tensor = (users.norm(dim=1) > _ROUNDING * own.norm(dim=1)).to(users.dtype)[:, None]
    users.mul_(has_rest).addcmul_(has_rest, global_user[None])
    return has_rest


def _loss_and_gradient(
    unit: Tensor, bias: Tensor, tau: float, batch: Batch
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss and its gradients with respect to the unit rows and the bias."""
    size = len(batch.positives)
    query, positive, negative = unit[:size] / tau, unit[size : 2 * size], unit[2 * size :]
    shift = 1 / tau if 1 / tau > _MAX_EXPONENT else 0.0
    log_weight = bias[batch.negatives] + batch.log_weight
    highest = log_weight.max()
    weight = (log_weight - highest).exp()[:, None]
    weighted = torch.cat([weight * negative, weight], dim=1)
    positive_logit = (query * positive).sum(dim=1) + bias[batch.positives]
    base = highest + shift
    position = torch.full((len(bias),), -1, dtype=torch.int64, device=bias.device)
    position[batch.negatives] = torch.arange(len(batch.negatives), device=bias.device)
    collision = position[batch.positives]
    gradient, total = torch.empty_like(unit), torch.empty_like(positive_logit)
    of_negatives = torch.zeros_like(weighted)
    for start in range(0, size, _ROWS_AT_ONCE):
        part = slice(start, min(start + _ROWS_AT_ONCE, size))
        exponentials = query[part] @ negative.T
        if shift:
            exponentials -= shift
        exponentials.exp_()
        # A negative that is the positive itself does not count.
        same = (collision[part] >= 0).nonzero()[:, 0]
        exponentials[same, collision[part][same]] = 0
        sums = exponentials @ weighted
        total[part] = torch.logaddexp(positive_logit[part], sums[:, -1].log() + base)
        scale = ((base - total[part]).exp() / size)[:, None]
        torch.mul(sums[:, :-1], scale / tau, out=gradient[part])
        of_negatives += exponentials.T @ torch.cat([query[part] * scale, scale], dim=1)
    of_negatives *= weight
    of_positives = ((positive_logit - total).exp() - 1) / size
    gradient[:size] += (of_positives / tau)[:, None] * positive
    torch.mul(of_positives[:, None], query, out=gradient[size : 2 * size])
    gradient[2 * size :] = of_negatives[:, :-1]
    bias_gradient = torch.zeros_like(bias)
    bias_gradient.index_add_(0, batch.negatives, of_negatives[:, -1])
    bias_gradient.index_add_(0, batch.positives, of_positives)
    return (total - positive_logit).mean(), gradient, bias_gradient


def sampled_softmax(
    rows: Tensor, messages: Tensor, global_user: Tensor, bias: Tensor, tau: float, batch: Batch
) -> Tensor:
    """Return the mean cross-entropy of the positives among the negatives, by cosines over tau.

    Args:
        rows: float32, shape (2 * batch + num_negatives, dim); vectors of users, positives and
            negatives, of any length.
        messages: float32, shape (num_products, dim); the positive's is removed from the user.
        global_user: float32, shape (dim,); added to users of whom something is left.
        bias: float32, shape (num_products,).
        tau: temperature.
        batch: which rows these are.
    """
    loss: Tensor = _SampledSoftmax.apply(rows, messages, global_user, bias, tau, batch)
    return loss
