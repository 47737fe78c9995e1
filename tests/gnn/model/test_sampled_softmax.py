"""Sampled softmax: loss and gradient equal those of the plain formula."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from kinfolio.gnn.model import sampled_softmax as softmax


@pytest.mark.parametrize("tau", [0.5, 0.01])
def test_the_blocked_softmax_equals_the_plain_one_with_its_gradient(
    tau: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "_ROWS_AT_ONCE", 3)
    torch.manual_seed(0)
    rows = torch.randn(7 + 7 + 5, 5, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(20, dtype=torch.float64, requires_grad=True)
    products, negatives = torch.tensor([3, 3, 0, 19, 7, 8, 9]), torch.tensor([3, 8, 11, 0, 15])
    sent = torch.randn(20, 5, dtype=torch.float64, requires_grad=True)
    general = torch.randn(5, dtype=torch.float64, requires_grad=True)
    edges = torch.rand(7, dtype=torch.float64)
    log_weight = torch.rand(5, dtype=torch.float64) * 3
    # Of the last user nothing but rounding is left, and of the one before nothing was there.
    rows.data[6] = edges[6] * sent[products[6]].detach() * (1 + 1e-7)
    rows.data[5], edges[5] = 0, 0
    is_left = (torch.arange(7) < 5)[:, None]
    users = (rows[:7] - edges[:, None] * sent[products] + general) * is_left
    unit = functional.normalize(torch.cat([users, rows[7:]]), dim=1)
    right = (unit[:7] * unit[7:14]).sum(dim=1) / tau + bias[products]
    others = unit[:7] @ unit[14:].T / tau + bias[negatives] + log_weight
    others = others.masked_fill(products[:, None] == negatives, -torch.inf)
    plain = (torch.logaddexp(right, others.logsumexp(dim=1)) - right).mean()
    inputs = [rows, sent, general, bias]
    expected = torch.autograd.grad(plain, inputs)
    batch = softmax.Batch(products, products, edges, negatives, log_weight)
    mine = softmax.sampled_softmax(rows, sent, general, bias, tau, batch)
    assert mine.item() == pytest.approx(plain.item(), abs=1e-12)
    for one, other in zip(torch.autograd.grad(mine, inputs), expected, strict=True):
        torch.testing.assert_close(one, other)
