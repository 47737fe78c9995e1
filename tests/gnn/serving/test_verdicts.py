"""Codes of violated rules, and what explanations may import without loading torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kinfolio.gnn.serving
from kinfolio.gnn.serving.verdicts import violations

ALLOWED = {
    "is_held": False,
    "is_dismissed": False,
    "is_open": True,
    "is_sold": True,
    "is_safe": True,
    "is_rated": True,
    "country": "FR",
    "risk_tolerance": 3,
}


def test_an_allowed_product_violates_no_rule() -> None:
    assert violations(ALLOWED) == {}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"is_held": True}, {"held": "held"}),
        ({"is_dismissed": True}, {"dismissed": "dismissed"}),
        ({"is_open": False}, {"closed": "closed"}),
        ({"is_sold": False}, {"country": "country"}),
        ({"is_sold": False, "country": None}, {"country": "country_unknown"}),
        ({"is_safe": False}, {"risk": "risk_above"}),
        ({"is_safe": False, "risk_tolerance": None}, {"risk": "risk_unknown"}),
        ({"is_rated": False}, {"unrated": "unrated"}),
    ],
)
def test_each_violated_rule_has_the_code_of_its_reason(
    changed: dict[str, Any], expected: dict[str, str]
) -> None:
    assert violations({**ALLOWED, **changed}) == expected


def test_no_module_of_serving_imports_torch_at_the_top() -> None:
    (folder,) = kinfolio.gnn.serving.__path__
    modules = [f"kinfolio.gnn.serving.{path.stem}" for path in Path(folder).glob("[a-z]*.py")]
    assert len(modules) > 5
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
