"""The option `--budget`."""

from __future__ import annotations

import pytest

from kinfolio.errors import BadConfig
from kinfolio.gnn.training.budget import parse_budget


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h", 3600), ("auto", 300)]
)
def test_a_budget_is_a_time(text: str, seconds: float) -> None:
    assert parse_budget(text, 1000) == seconds


@pytest.mark.parametrize("text", ["", "five", "5 m x", "0", "-3s"])
def test_a_budget_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadConfig, match="--budget is"):
        parse_budget(text, 1000)
